"""Attempts of two learners, scored by processes that die."""

from collections.abc import Sequence
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ASSESSMENTS
from tests.harness.assess_events import TS, answered, attempt, recompute
from tests.harness.attempts import FAILED, JOB, asked, score_row, store_figures
from tests.jobs.crash_scenario import CrashScenario

KEYS = [EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1") for user in ("u1", "u2")]

EVENTS: list[dict[str, Any]] = [
    attempt(answered(score=1), ts=TS, key=KEYS[0]),
    attempt(answered(score=3), ts=TS + 2, key=KEYS[0]),
    attempt(answered(score=2), ts=TS + 1, key=KEYS[0]),
    attempt(answered(score=5), ts=TS, attempt_id="att-2", key=KEYS[0]),
    attempt(answered(score=4), ts=TS, key=KEYS[1]),
    recompute(key=KEYS[1]),
]


class Scoring(CrashScenario):
    """Two learners in one message: three versions of an attempt and another, and an attempt with a recomputation."""

    effects = 18
    backwards = range(1, effects + 1)

    def prepare(self) -> None:
        store_figures(self.chain, completedCount=7.0)

    def send(self) -> None:
        self.chain.send(JOB, *map(self.chain.record, EVENTS))

    def state(self) -> dict[str, Any]:
        rows = [row for key in KEYS for row in self.chain.rows(ASSESSMENTS, (key.user_id, key.course_id, key.batch_id))]
        scores = [score_row(self.chain, key) for key in KEYS]
        return {
            "attempts": [{n: v for n, v in row.items() if n not in ("created_on", "updated_on")} for row in rows],
            "scores": [(row["aggregates"], row["agg_details"], set(row["agg_last_updated"])) for row in scores],
            "asked": set(asked(self.chain)),
            "dead": self.chain.published.to(FAILED),
        }

    def check(self, effects: Sequence[str]) -> None:
        found = self.state()
        assert [row["total_score"] for row in found["attempts"]] == [3.0, 5.0, 4.0]
        assert [len(row["question"]) for row in found["attempts"]] == [1, 1, 1]
        assert [figures for figures, _, _ in found["scores"]] == [
            {"completedCount": 7.0, "score:r1": 5.0, "max_score:r1": 1.0, "attempts_count:r1": 2.0},
            {"score:r1": 4.0, "max_score:r1": 1.0, "attempts_count:r1": 1.0},
        ]
        assert [len(details) for _, details, _ in found["scores"]] == [2, 1]
        assert all(set(figures) == names for figures, _, names in found["scores"])
        assert found["asked"] == {("u1", "att-1"), ("u2", "att-1")}
        assert not found["dead"]
        # A certificate is asked for after the last change.
        assert _last(effects, "RecordingSender.send") > _last(effects, "write user_activity_agg")

    def counted(self, effects: Sequence[str]) -> int:
        assert effects.index("write assessment_aggregator") < effects.index("write user_activity_agg")
        assert effects.index("release locks") < effects.index("RecordingSender.send")
        return super().counted(effects)


def _last(effects: Sequence[str], name: str) -> int:
    return max(index for index, effect in enumerate(effects) if effect == name)
