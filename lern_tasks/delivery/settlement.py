"""From the outcomes of a message to its dead letters, its records sent again, and its counts.

See docs/architecture.md, "Outcomes".
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from lern_tasks.catalogue import ROWS, JobName
from lern_tasks.delivery import dead_letter
from lern_tasks.delivery.batch import Batch, BatchRecord, Done, Failed, Skip
from lern_tasks.delivery.failure import code_of, error_text
from lern_tasks.delivery.outage import OutageWait
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.retry_policy import Again, GiveUp, RetryPolicy
from lern_tasks.delivery.subject import log_fields
from lern_tasks.delivery.task_sender import derived_id
from lern_tasks.errors import DependencyDown, LernError, NotReady, PartlyDown, Requeue, RuleViolation
from lern_tasks.logs import logger
from lern_tasks.metrics import CounterName, count

_log = logger(__name__)

_CAUSES = 3
"""Causes in one line, at most: the commonest of a message of a hundred records."""


class Settlement:
    """Settles one message of `job`."""

    def __init__(self, ctx: Resources, outage_wait: OutageWait, *, job: JobName, task_id: str) -> None:
        self._ctx = ctx
        self._outage_wait = outage_wait
        self._job = job
        self._task_id = task_id
        self._policy = RetryPolicy(ctx)
        self._cap = ctx.settings.tasks.countdown_cap

    def settle(self, batch: Batch[Any]) -> dict[str, int]:
        """Publish the dead letters, send again what is to be tried again; the counts by outcome.

        `waiting`, if there are any: those of `again` that were not tried, or whose dead letter was not confirmed.

        Does not return before both are confirmed.
        """
        requeued: dict[tuple[float, bool], list[Record]] = defaultdict(list)
        dead: list[BatchRecord[Any]] = []
        for record in batch:
            if isinstance(record.outcome, Skip):
                _log.info("record_skipped", reason=record.outcome.reason, **log_fields(record.record))
            if not isinstance(record.outcome, Failed):
                continue
            error = record.outcome.error
            decision = self._policy.next(record.record.attempts, self._policy.outage_behind(error) or error)
            if isinstance(decision, GiveUp):
                dead.append(record)
                continue
            if isinstance(error, NotReady) and error.remedy:
                error.remedy.ask(self._ctx, record.record)
            singly = isinstance(error, Requeue) and error.singly
            requeued[round(decision.delay_seconds, 1), singly].append(self._next(record.record, decision, error))
        unconfirmed = self._publish_dead_letters(dead)
        for record, why in unconfirmed.items():
            again = self._policy.until_confirmed(record.record.attempts, why)
            requeued[round(again.delay_seconds, 1), False].append(self._next(record.record, again, why))
        for (delay, singly), records in requeued.items():
            if records:
                self.send_again(records, delay, singly=singly)
        buried = [record for record in dead if record not in unconfirmed]
        counts = self._count(batch, buried, unconfirmed=len(unconfirmed))
        log_done(
            counts, [(r.record, r.outcome.error) for r in batch if isinstance(r.outcome, Failed) and r not in buried]
        )
        return counts

    def send_again(self, records: Sequence[Record], delay: float, *, singly: bool = False) -> None:
        """Send `records` to their own task again after `delay` seconds, in one message or one each."""
        for index, group in enumerate([[record] for record in records] if singly else [records]):
            send = partial(
                self._ctx.sender.send,
                self._job,
                group,
                task_id=derived_id("again", self._task_id, delay, singly, index),
                countdown=min(delay, self._cap) or None,
            )
            self._outage_wait.call_until_done(send)

    def _next(self, record: Record, decision: Again, error: BaseException) -> Record:
        now_ms = self._policy.now_ms
        wait = int(decision.delay_seconds * 1000)
        return record.next(
            **asdict(record.attempts.after(decision.consumes, now_ms=now_ms)),
            # Only a wait above the cap needs to be remembered: the broker itself keeps the others.
            not_before_ms=now_ms + wait if decision.delay_seconds > self._cap else None,
            delivered_before=True,
            waits_for=error.part if isinstance(error, PartlyDown) else None,
        )

    def _publish_dead_letters(self, dead: Sequence[BatchRecord[Any]]) -> dict[BatchRecord[Any], LernError]:
        """Publish dead letters, but those that are equal to one there; why those not confirmed in time are not."""
        equal, letters = self._ctx.equal_letters, {record: self._dead_letter(record) for record in dead}
        left = [record for record, letter in letters.items() if not equal.came_before(letter)]
        unconfirmed: dict[BatchRecord[Any], LernError] = {}
        while left:
            results = dead_letter.publish([letters[record] for record in left], self._ctx.kafka, self._ctx.files)
            answers = list(zip(left, results, strict=True))
            equal.published(letters[record] for record, error in answers if error is None)
            unconfirmed = {record: error for record, error in answers if error is not None}
            left = list(unconfirmed)
            if left:
                error = unconfirmed[left[0]]
                _log.error("dead_letters_not_confirmed", count=len(left), error=str(error))
                if not self._waited_out(error):
                    break
        for record, letter in letters.items():
            if record not in unconfirmed:
                failure = letter.failure
                _log.error("record_dead", code=failure.code, error=failure.error, **log_fields(record.record))
        return unconfirmed

    def _waited_out(self, error: LernError) -> bool:
        """Whether what keeps letters from being published was over in time; for a missing topic nobody waits."""
        name = error.name if isinstance(error, DependencyDown) else "kafka"
        return not isinstance(error, PartlyDown) and self._outage_wait.wait_until_up(name)

    def _dead_letter(self, record: BatchRecord[Any]) -> dead_letter.DeadLetter:
        assert isinstance(record.outcome, Failed)  # noqa: S101 (only failed records are dead)
        failure = dead_letter.failure_of(
            record.outcome.error,
            job=self._job,
            record=record.record,
            now_ms=self._policy.now_ms,
            task_id=self._task_id,
            unreadable=record.unreadable,
        )
        return dead_letter.DeadLetter(
            record=record.record, failure=failure, topic=self._ctx.settings.failed_topic(self._job)
        )

    def _count(self, batch: Batch[Any], dead: Sequence[BatchRecord[Any]], *, unconfirmed: int) -> dict[str, int]:
        errors = [record.outcome.error for record in dead if isinstance(record.outcome, Failed)]
        counts = {
            "done": _number(batch, Done),
            "skipped": _number(batch, Skip),
            "again": _number(batch, Failed) - len(dead),
            "dead": len(dead),
        }
        for name, amount in counts.items():
            count(_OUTCOME_COUNTERS[name], amount, job=self._job)
        count("records-bug", sum(not isinstance(error, LernError) for error in errors), job=self._job)
        ignored = sum(isinstance(error, RuleViolation) and error.ignored for error in errors)
        count("ignored-event-count", ignored, job=self._job)
        documented = ROWS[self._job].counters
        count(documented.failed, len(dead) - ignored, job=self._job)
        count(documented.skipped, counts["skipped"], job=self._job)
        if documented.total:
            count(documented.total, sum(not record.delivered_before for record in batch), job=self._job)
        waiting = unconfirmed + sum(_is_waiting(record) for record in batch)
        return {**counts, "waiting": waiting} if waiting else counts


def log_done(counts: Mapping[str, int], again: Sequence[tuple[Record, BaseException]]) -> None:
    """Say that a message ended; what goes `again`, why, and where the first of it came from.

    At DEBUG where each of its records has a line of its own, or only waits: there may be thousands, once a minute each.
    """
    waiting = counts.get("waiting", 0)
    own_lines = counts.get("skipped", 0) + counts.get("dead", 0) + waiting
    causes = Counter(f"{code_of(error)}: {error_text(error)}" for _, error in again).most_common(_CAUSES)
    fields = {"because": [f"{number} x {text}" for text, number in causes], **log_fields(again[0][0])} if again else {}
    level = logging.DEBUG if own_lines and own_lines == sum(counts.values()) - waiting else logging.INFO
    _log.log(level, "message_done", **counts, **fields)


_OUTCOME_COUNTERS: dict[str, CounterName] = {
    "done": "records-done",
    "skipped": "records-skipped",
    "again": "records-again",
    "dead": "records-dead",
}


def _number(records: Iterable[BatchRecord[Any]], kind: type) -> int:
    return sum(isinstance(record.outcome, kind) for record in records)


def _is_waiting(record: BatchRecord[Any]) -> bool:
    error = record.outcome.error if isinstance(record.outcome, Failed) else None
    return isinstance(error, PartlyDown) and not error.asked
