"""A line of the tables: a variable, another value, where to look, and what is seen there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lern_tasks.settings.field import snake
from tests.variables.stage import Stage

Scene = Callable[[Stage], None]
"""Stores what a job needs where its settings say that it is, and runs the job."""

Look = Callable[[Stage], Any]


@dataclass(frozen=True, slots=True)
class Case:
    """With `value` for `key`, `look` sees `seen` after `scene`; without it, something else.

    `scope` is the job, or the group of shared settings. `also` are variables that are set both times. In values,
    `$platform`, `$registry` and `$old` stand for the addresses of those services.
    """

    scope: str
    key: str
    value: str
    look: Look
    seen: Any
    scene: Scene
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def variable(self) -> str:
        """The environment variable."""
        return variable(self.scope, self.key)


def variable(scope: str, key: str) -> str:
    """The environment variable of a documented key."""
    return f"LERN_{scope.upper()}__{snake(key).upper()}"
