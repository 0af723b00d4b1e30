"""Switches that make an embedded service misbehave, changeable while it runs. See docs/architecture.md, "Embedded"."""

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(slots=True, kw_only=True)
class Switches:
    """What all services can do wrong. A switch `x` with a companion `x_times` holds for that many requests only.

    Attributes:
        latency: seconds before each answer.
        hold: seconds that a request without an answer stays open, longer than any client waits.
    """

    # Allowed values of the textual switches; a switch that is not listed takes any text.
    modes: ClassVar[Mapping[str, frozenset[str]]] = {}

    latency: float = 0.0
    hold: float = 120.0
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            self._check(name, value)
        object.__setattr__(self, name, value)

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set several switches at once, all or none.

        Raises:
            ValueError: naming the switch that does not exist or the value that it does not take.
        """
        for name, value in changes.items():
            self._check(name, value)
        with self._lock:
            for name, value in changes.items():
                setattr(self, name, value)

    def reset(self) -> None:
        """Set every switch to its default."""
        self.update(dict(self._defaults()))

    def as_dict(self) -> dict[str, Any]:
        """All switches by name."""
        with self._lock:
            return {name: getattr(self, name) for name in self._defaults()}

    def take(self, name: str) -> str:
        """The mode of a switch for one request, which counts against `<name>_times`."""
        with self._lock:
            mode, times = str(getattr(self, name)), getattr(self, f"{name}_times")
            if times is None:
                return mode
            if times > 0:
                setattr(self, f"{name}_times", times - 1)
                return mode
            setattr(self, name, self._defaults()[name])
            setattr(self, f"{name}_times", None)
            return str(getattr(self, name))

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {each.name: each.default for each in dataclasses.fields(cls) if each.init}

    def _check(self, name: str, value: Any) -> None:
        defaults = self._defaults()
        if name not in defaults:
            raise ValueError(f"there is no switch {name!r}; there are {', '.join(sorted(defaults))}")
        if not _fits(defaults[name], value):
            raise ValueError(f"switch {name!r} does not take {value!r}")
        allowed = self.modes.get(name)
        if allowed is not None and value not in allowed and not _is_status(value):
            raise ValueError(f"switch {name!r} takes an HTTP status or one of {', '.join(sorted(allowed))}")


def _fits(default: Any, value: Any) -> bool:
    if default is None:
        return value is None or (isinstance(value, (int, str)) and not isinstance(value, bool))
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    return type(value) is type(default)


def _is_status(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 3 and value.isdigit()


def failure_status(mode: str) -> int | None:
    """The HTTP status of a mode that is an error status such as `500`, else None."""
    return int(mode) if _is_status(mode) and int(mode) >= 300 else None
