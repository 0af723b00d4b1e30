"""Every counter: its name, what it counts, and the one function that raises it. See docs/operations.md."""

from typing import Literal

from prometheus_client import Counter

CounterName = Literal[
    # Outcomes of records, one of the four for each record of each run.
    "records-done",
    "records-skipped",
    "records-again",
    "records-dead",
    "records-bug",  # dead because of an error in the program; counted in records-dead too
    "records-split",  # records of a message that was delivered twice and sent again as singles
    "messages-parked",  # messages that Celery itself would have dropped
    "suppressed-failures",  # violations let through because enable.suppress.exception is true
    "not-a-leaf-node-count",  # assessed contents that their course does not have; with leaf_check log accepted
    "outages",  # operations of services that went out: nobody asks but one record at a time
    "lock-lost",  # writes that were late: the lock had gone to another worker
    # The documented counters of the Flink jobs, same names and meaning, monotonic instead of reset when read.
    "total-events-count",
    "success-events-count",
    "failed-events-count",
    "skipped-events-count",
    "skipped-event-count",
    "batch-enrolment-update-count",
    "db-read-count",
    "db-update-count",
    "cache-hit-count",
    "cache-miss-count",
    "cache-write-count",
    "processed-enrolment-count",
    "retired-consumption-events-count",
    "enrolment-complete-count",
    "cert-issue-events-count",
    "failed-event-count",
    "batch-success-event-count",
    "cache-hit-miss-count",
    "api-hit-failed-count",
    "api-hit-success-count",
    "ignored-event-count",
    "recompute-agg-event-count",
    "db-score-read-count",
    "db-score-update-count",
    "enrollment-db-read-count",
    "db-update-user-enrollment-count",
    "db-course-batch-read-count",
    "db-update-user-course-batch",  # sync events of merged accounts
    "notified-user-count",
    "skipped-notify-user-count",
    "user-feed-count",
    # Those of the user cache updater. An invalid or unknown user is in failed-events-count, not in the skipped ones.
    "total-audit-events-count",
    "success-message-count",
    "skipped-message-count",
    "user-cache-hit",
    "api-read-success-count",
    "api-read-miss-count",
    # The bridge.
    "bridge-records",
    "bridge-messages",
    "bridge-paused",
]

_COUNTER = Counter("lern_events", "What the jobs did, by the documented counter names.", ["name", "job"])


def count(name: CounterName, amount: int = 1, *, job: str) -> None:
    """Raise the counter `name` of `job` by `amount`; nothing happens for 0."""
    if amount:
        _COUNTER.labels(name=name, job=job).inc(amount)


def value(name: CounterName, *, job: str) -> float:
    """What this process has counted so far under `name` for `job`."""
    return float(_COUNTER.labels(name=name, job=job)._value.get())  # noqa: SLF001 (the library has no public read)
