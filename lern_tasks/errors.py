"""The errors that decide what becomes of a record. See docs/architecture.md, "Failure".

LernError
├── InvalidEvent        the record itself is wrong: dead letter at once
├── InvalidArgument     what a person asked for cannot be done as it is
├── RuleViolation       a business rule says no for good: dead letter at once
├── RefusedByService    a dependency says no for good (4xx): dead letter at once
├── DependencyDown      an outage; not the record's fault, consumes no attempt, ends by age only
│   ├── SchemaMismatch  a table differs from what the jobs need
│   └── PartlyDown      one operation, or one topic, does not work while the rest may: the record goes round
├── NotReady            data that will come is not there yet
├── TransientError      this record failed this time
│   └── UnknownOutcome  a write may or may not have happened: look before trying again
├── Requeue             nothing failed: the record is sent again
├── LockBusy            somebody else works on the same rows; consumes nothing
└── SettingsError       a setting is wrong
"""

from typing import Any, Protocol


class LernError(Exception):
    """Base of every error that this project raises on purpose."""

    code = "LERN_ERROR"


class InvalidEvent(LernError):
    """The event cannot be processed as it is, now or ever.

    `message` says what is wrong and the remedy; `field` is the dotted path of the field that is wrong, empty for the
    whole value.
    """

    code = "INVALID_EVENT"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidArgument(LernError):
    """An argument of a task that people trigger is missing or wrong; the message names it and the remedy."""

    code = "INVALID_ARGUMENT"


class RuleViolation(LernError):
    """The event is well-formed, and a rule of its job refuses it for good; `code` names the rule.

    `ignored`: the Flink job counted it as ignored, not as failed.
    """

    def __init__(self, message: str, *, code: str, ignored: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.ignored = ignored


class RefusedByService(LernError):
    """A dependency refused this request for good (for instance 400 or 404); repeating it cannot help."""

    code = "REFUSED"


class DependencyDown(LernError):
    """A service that many records need does not answer (refused, no host available, broker away)."""

    code = "DEPENDENCY_DOWN"

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(message or f"{name} does not answer")
        self.name = name


class Remedy(Protocol):
    """What may bring the data that a record waits for."""

    def ask(self, ctx: Any, cause: Any) -> None:
        """Ask for it because of the record `cause`, with the resources of the process.

        Raises nothing: what waits asks again.
        """
        ...


class NotReady(LernError):
    """Something that should come is not there yet: the relation cache of a live course, a hierarchy row, an index.

    `remedy` is asked for it whenever the record is sent again; with `consumes=False` the waiting is not counted.
    """

    code = "NOT_YET"

    def __init__(self, message: str, *, remedy: Remedy | None = None, consumes: bool = True) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.consumes = consumes


class TransientError(LernError):
    """This record failed this time: a timeout, 429, or 5xx on one id.

    `dependency` names the service, so that the last attempt can be told from an outage; `retry_after` is the wait in
    seconds that the service asked for.
    """

    code = "TRANSIENT"

    def __init__(self, message: str, dependency: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.dependency = dependency
        self.retry_after = retry_after


class UnknownOutcome(TransientError):
    """A write was sent and no answer came: it may have happened. Look for its effect before writing again."""

    code = "UNKNOWN_OUTCOME"


class Requeue(LernError):
    """Nothing is wrong with the record: its own waiting time is not over, or its message ran out of time.

    `delay` in seconds; `singly`: as a message of its own. Consumes nothing.
    """

    code = "SEND_AGAIN"

    def __init__(self, message: str, *, delay: float = 0.0, singly: bool = False) -> None:
        super().__init__(message)
        self.delay = delay
        self.singly = singly


class LockBusy(LernError):
    """Another worker holds, or took over, the lock of these rows."""

    code = "LOCK_BUSY"


class SettingsError(LernError):
    """A setting is missing or wrong; the message names its environment variable."""

    code = "SETTINGS"


class SchemaMismatch(DependencyDown):
    """A Cassandra table lacks a column or has another key than the jobs need: no record's fault, so all wait."""

    code = "SCHEMA"

    def __init__(self, message: str) -> None:
        super().__init__("cassandra", message)


class PartlyDown(DependencyDown):
    """One `part` of the dependency `name` is out: an operation of a service, a topic. The rest may work.

    So nobody waits in place: the record goes round, and its process serves others. `asked`: the part was tried for this
    record, and did not work; else it was known to be out.
    """

    def __init__(self, name: str, message: str, *, part: str, asked: bool = True) -> None:
        super().__init__(name, message)
        self.part = part
        self.asked = asked
