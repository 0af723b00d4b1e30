"""Why a record failed, in words that quote nothing of it. See docs/architecture.md, "Dead letters"."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from traceback import walk_tb

from lern_tasks.delivery.record import Record
from lern_tasks.errors import InvalidEvent, LernError

# As the Flink jobs' failure envelope: enough to find the line, little enough for a header.
_TRACE_LINES = 20

# A message of ours is one sentence; what is longer came from a library.
_ERROR_LENGTH = 1000

_PACKAGES = ("site-packages", "lern_tasks", "bridge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What failed. Times are epoch ms; `trace` has at most 20 lines; no text contains anything of the payload.

    `unreadable`: the job cannot read the event, so it fails however often it is sent.
    """

    job: str
    code: str
    error: str
    exception: str
    attempts: int
    first_failed_ms: int
    last_failed_ms: int
    task_id: str | None = None
    trace: str = ""
    unreadable: bool = False


def failure_of(
    error: BaseException, *, job: str, record: Record, now_ms: int, task_id: str | None, unreadable: bool = False
) -> Failure:
    """Describe `error`, which ended the processing of `record` by `job` at `now_ms` (epoch ms).

    The text of an error that is not ours may quote the event, so only its class and place are kept.
    """
    ours = isinstance(error, LernError)
    return Failure(
        job=job,
        code=code_of(error),
        error=error_text(error),
        exception=type(error).__name__ if ours else _class_name(error),
        attempts=record.attempt + record.not_yet + 1,
        first_failed_ms=now_ms if record.first_failed_ms is None else record.first_failed_ms,
        last_failed_ms=now_ms,
        task_id=task_id,
        trace="\n".join(list(_trace(error))[-_TRACE_LINES:]),
        unreadable=unreadable,
    )


def error_text(error: BaseException) -> str:
    """What the error says, for a log line or a header; of one that is not ours only class and place."""
    return _message(error)[:_ERROR_LENGTH]


def code_of(error: BaseException) -> str:
    """The error's code; BUG for one that is not ours."""
    return error.code if isinstance(error, LernError) else "BUG"


def _message(error: BaseException) -> str:
    if isinstance(error, InvalidEvent) and error.field and error.field not in str(error):
        return f"{error} (field {error.field})"
    if isinstance(error, LernError):
        return str(error)
    place = next(reversed(list(_frames(error))), "an unknown place")
    return f"unexpected {_class_name(error)} at {place}"


def _class_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _trace(error: BaseException) -> Iterable[str]:
    # Class names and places only: source lines say nothing new, and messages may quote the event.
    current: BaseException | None = error
    while current is not None:
        yield f"{'' if current is error else 'caused by '}{_class_name(current)}"
        yield from (f"  {frame}" for frame in _frames(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _frames(error: BaseException) -> Iterable[str]:
    for frame, line in walk_tb(error.__traceback__):
        yield f"{_short(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"


def _short(filename: str) -> str:
    parts = PurePath(filename).parts
    for package in _PACKAGES:
        if package in parts:
            last = len(parts) - 1 - parts[::-1].index(package)
            return "/".join(parts[last + (package == "site-packages") :])
    return parts[-1] if parts else filename
