"""Celery's settings in three layers: celeryconfig.py, the installation's file over it, the guarantees over both.

Files are read by their path. A `celeryconfig` is never imported by that name: `celery -A lern_tasks` puts the current
directory first in the path, and it would be whatever lies there. See docs/operations.md, "Celery's settings".
"""

import inspect
import runpy
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from celery.app.defaults import SETTING_KEYS

from lern_tasks.errors import SettingsError
from lern_tasks.settings import Settings, load
from lern_tasks.settings.celery_guarantees import UNSET, guarantees

SOURCE = f"{__name__}:CONFIG"
"""What an app is configured from: a name, since Celery reads it when needed, and sends it to children it spawns."""

OURS = Path(__file__).parents[1] / "celeryconfig.py"

_OPTIONS = "broker_transport_options"


@dataclass(frozen=True, slots=True, kw_only=True)
class CeleryConfig:
    """Celery's settings, the files that they were read from, and the names that the installation's own file sets."""

    values: dict[str, Any]
    files: tuple[Path, ...]
    own: tuple[str, ...] = ()

    def described(self) -> dict[str, list[str]]:
        """The fields of the log line at the start."""
        return {"files": [str(file) for file in self.files], "own": list(self.own)}


def read(settings: Settings) -> CeleryConfig:
    """The layers under `settings`. Raises SettingsError, with variable, file and remedy."""
    values, fixed, ours = _settings_in(OURS), guarantees(settings), OURS.resolve()
    if not settings.celery_config:
        return CeleryConfig(values=_laid_over(values, fixed), files=(ours,))
    path = Path(settings.celery_config).absolute()
    own = _own(path, fixed)
    values = _laid_over(_laid_over(values, own), fixed)
    return CeleryConfig(values=values, files=(ours, path), own=tuple(sorted(own)))


@lru_cache(maxsize=1)
def current() -> CeleryConfig:
    """Celery's settings in this process, read once. Raises SettingsError."""
    return read(load())


def __getattr__(name: str) -> Any:
    """`CONFIG`, for Celery: read when it asks."""
    if name == "CONFIG":
        return current().values
    raise AttributeError(name)


def _settings_in(path: Path) -> dict[str, Any]:
    """What the file at `path` sets: its public names, but for what it imports and defines to work with."""
    return {
        name: value
        for name, value in runpy.run_path(str(path)).items()
        if not name.startswith("_") and (name in SETTING_KEYS or not (inspect.ismodule(value) or callable(value)))
    }


def _own(path: Path, fixed: Mapping[str, Any]) -> dict[str, Any]:
    if not path.is_file():
        raise _refused(f"there is no file {path}", "name a Python file, or unset the variable")
    try:
        own = _settings_in(path)
    except Exception as error:
        raise _refused(f"{path}{_line(error, path)}: {type(error).__name__}: {error}", "mend the file") from error
    for name, value in own.items():
        if name.isupper():
            raise _refused(f"{path}: {name}", "write Celery's settings in lower case, and `_` before names of your own")
        if name in _MAPPINGS and not isinstance(value, dict):
            raise _refused(f"{path}: {name} is no dict", "give the entries that differ from ours")
    taken = [name for name in own if name in UNSET or (name in fixed and name != _OPTIONS)]
    taken += [f"{_OPTIONS}[{key!r}]" for key in own.get(_OPTIONS, ()) if key in fixed[_OPTIONS]]
    if taken:
        names = ", ".join(taken)
        raise _refused(f"{path} sets {names}", "take that out: that no message is lost rests on our value")
    return own


_MAPPINGS = ("beat_schedule", _OPTIONS, "result_backend_transport_options")


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` wins name by name; within dicts entry by entry, where None takes an entry away."""
    return {**below, **{name: _merged(below.get(name), value) for name, value in above.items()}}


def _merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {name: value for name, value in _laid_over(below, above).items() if value is not None}


def _line(error: Exception, path: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _refused(what: str, remedy: str) -> SettingsError:
    return SettingsError(" ".join(f"LERN_CELERY_CONFIG: {what}; {remedy}".split()))
