"""Accounts merged by processes that die."""

from collections.abc import Sequence
from typing import Any, ClassVar

from tests.harness.merges import (
    COPIED,
    INACTIVE,
    JOB,
    NEW,
    OLD,
    OWN,
    SHARED,
    account,
    attempted,
    cells,
    merge,
    prepare,
    published,
    reconciled,
    undone,
)
from tests.jobs.crash_scenario import CrashScenario


class Merge(CrashScenario):
    """One merge with all its steps, and what follows it."""

    effects = 43
    left_out = True
    settings: ClassVar = {"LERN_MERGE_USER_COURSES__COPY_ATTEMPTS": "true"}
    backwards = (6, 7, 8, 9, 14, 16, 20, 22, 23)

    def prepare(self) -> None:
        prepare(self.chain)
        attempted(self.chain, OLD, SHARED, "r1", "a1", total_score=2.0)
        attempted(self.chain, NEW, SHARED, "r1", "a2", total_score=1.0)
        self.before = cells(self.chain, OLD)
        self.record = self.chain.record(merge())

    def send(self) -> None:
        self.chain.send(JOB, self.record)

    def state(self) -> dict[str, Any]:
        return {
            "account": account(self.chain, NEW),
            "undone": undone(self.chain),
            "reconciled": set(reconciled(self.chain)),
            "published": set(published(self.chain)),
            "scored": {event["contentId"] for event in self.chain.sent_events("assessment_aggregator")},
            "dead": self.chain.published.to("failed"),
        }

    def check(self, effects: Sequence[str]) -> None:
        del effects
        assert cells(self.chain, OLD) == self.before
        found = self.state()
        assert found["reconciled"] == {SHARED, COPIED, INACTIVE}
        assert found["published"] == {SHARED, COPIED, INACTIVE, OWN}
        assert found["scored"] == {"r1"}
        assert not found["undone"]
        assert not found["dead"]
        figures = found["account"]["figures"][SHARED]["aggregates"]
        assert (figures["completedCount"], figures["score:r1"], figures["attempts_count:r1"]) == (3.0, 2.0, 2.0)
