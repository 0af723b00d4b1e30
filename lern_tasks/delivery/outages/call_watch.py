"""The calls of one message: refused while their operation is out, and judged when they fail.

See docs/architecture.md, "Outages".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from lern_tasks.catalogue import JobName
from lern_tasks.connections.calls import Call
from lern_tasks.delivery.batch import BatchRecord, Failed
from lern_tasks.delivery.outages.breaker import Breaker, spends_attempt
from lern_tasks.delivery.outages.breakers import Breakers, Changed
from lern_tasks.errors import DependencyDown, PartlyDown, TransientError
from lern_tasks.logs import logger
from lern_tasks.metrics import count

T = TypeVar("T")

_log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FailedCall:
    """A call that failed at `at_ms` (Redis' clock), and what was known of its operation then."""

    call: Call
    breaker: Breaker
    at_ms: int


class CallWatch:
    """Watches the calls of one message of `job`.

    Without Redis it knows nothing: calls are made, and what fails is judged by whether the dependency answers at all.
    """

    def __init__(self, breakers: Breakers, job: JobName) -> None:
        self._breakers = breakers
        self._job = job
        self._failed: dict[BaseException, _FailedCall] = {}
        self._resting: dict[str, bool] = {}
        self._blind = False

    def begin(self, call: Call) -> None:
        """Raises PartlyDown when the operation is out and this call is not the one that probes."""
        if not self._asked(lambda: self._breakers.admit(_name(call), call.caller), otherwise=True):
            raise _not_asked(_name(call))

    def succeeded(self, call: Call) -> None:
        """Note down the success; it ends an outage."""
        changed = self._asked(lambda: self._breakers.succeeded(_name(call), call.caller), otherwise=None)
        if changed and changed.before.is_open:
            seconds = (changed.now_ms - changed.before.since_ms) // 1000
            _log.warning("outage_ended", dependency=call.dependency, operation=call.operation, seconds=seconds)

    def failed(self, call: Call, error: DependencyDown | TransientError) -> None:
        """Note down the failure, and what is known of the operation at this time."""
        changed: Changed | None = self._asked(
            lambda: self._breakers.failed(_name(call), call.caller, str(error)), otherwise=None
        )
        if changed is None:
            return
        self._failed[error] = _FailedCall(call=call, breaker=changed.after, at_ms=changed.now_ms)
        if changed.after.is_open and not changed.before.is_open:
            count("outages", job=self._job)
            _log.error("outage_began", dependency=call.dependency, operation=call.operation, error=str(error))

    def abandoned(self, call: Call) -> None:
        """Let another record probe."""
        self._asked(lambda: self._breakers.abandoned(_name(call), call.caller), otherwise=None)

    def judge(self, record: BatchRecord[Any]) -> None:
        """Say whose fault it is that the record failed: its own, or that of an operation that is out."""
        error = record.outcome.error if isinstance(record.outcome, Failed) else None
        found = self._failed.get(error) if error is not None else None
        if found is None or error is None:
            return
        name = _name(found.call)
        before_ms = record.record.failed_call_ms if record.record.failed_call == name else None
        record.record = record.record.next(failed_call=name, failed_call_ms=found.at_ms)
        judged: TransientError | PartlyDown
        if not spends_attempt(found.breaker, record.record.identity, before_ms):
            judged = PartlyDown(found.call.dependency, str(error), part=name)
        elif isinstance(error, TransientError):
            # Without the dependency's name: whether it answers other questions is of no interest any more.
            judged = type(error)(str(error), retry_after=error.retry_after)
        else:
            judged = TransientError(str(error))
        judged.__cause__ = error
        record.fail(judged)

    def hold_back(self, record: BatchRecord[Any]) -> None:
        """Fail a record that waits for an operation, when that is still out: nothing of its work is done in vain."""
        name = record.record.waits_for
        if name and name not in self._resting:
            # Once a message: those that wait are sent again together.
            self._resting[name] = self._asked(lambda: self._breakers.rest(name), otherwise=False)
        if name and self._resting[name]:
            record.fail(_not_asked(name))

    def _asked(self, question: Callable[[], T], *, otherwise: T) -> T:
        """The answer of Redis, `otherwise` without one: then it is not asked again, each time may take its limit."""
        if self._blind:
            return otherwise
        try:
            return question()
        except (DependencyDown, TransientError) as error:
            self._blind = True
            _log.warning("breakers_unknown", error=str(error))
            return otherwise


def _name(call: Call) -> str:
    return f"{call.dependency} {call.operation}"


def _not_asked(name: str) -> PartlyDown:
    dependency, _, operation = name.partition(" ")
    return PartlyDown(dependency, f"{dependency} is out for {operation}; it was not asked", part=name, asked=False)
