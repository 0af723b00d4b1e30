"""A line of the tables: a variable, another value, where to look, and what is seen there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.routes import routes
from lern_tasks.settings.field import snake
from tests.variables.environment import Stage

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

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


@dataclass(frozen=True, slots=True)
class Idle:
    """A variable that has no effect, and why: `scene` leaves the same with it and without."""

    scope: str
    key: str
    scene: Scene
    why: str

    @property
    def case(self) -> Case:
        """With a value that fits numbers and names."""
        return Case(self.scope, self.key, "60", footprint, None, self.scene)


def footprint(stage: Stage) -> str:
    """All that can be observed of a scene, but for ids that the registry draws and those derived from them."""
    seen = {
        "tables": (sorted(stage.notes.read), sorted(stage.notes.written)),
        "outcome": stage.outcome,
        "published": [(each.topic, each.key, each.value) for each in stage.published.messages],
        "asked": [(each.method, each.path, each.query, each.body) for each in stage.requests],
        "sent": [(each.job, [record.value for record in each.records]) for each in stage.sender.sent],
        "routes": routes(stage.settings),
    }
    return _UUID.sub("uuid", repr(seen))


def variable(scope: str, key: str) -> str:
    """The environment variable of a documented key."""
    return f"LERN_{scope.upper()}__{snake(key).upper()}"
