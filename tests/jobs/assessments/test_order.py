"""Attempts in any order, doubled, alone or packed: the rows are those of a model of a few lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ASSESSMENTS
from tests.harness.assess_events import TS, answered, attempt, recompute
from tests.harness.attempts import JOB, score_row
from tests.harness.fixtures import shared_chain
from tests.harness.in_process import NOW_MS, Chain
from tests.harness.orders import deliveries
from tests.jobs.assessments.rules.attempts import at

USERS = count()


@dataclass(frozen=True)
class Version:
    """One event: the version of an attempt that began `after` ms later; None asks for the scores alone."""

    side: int
    content: str
    attempt: str
    after: int | None

    @property
    def score(self) -> float:
        """Another one for each version, so that it shows which is stored."""
        return float(int(self.attempt[-1]) * 5 + (self.after or 0) * 3) % 7

    def event(self, keys: list[EnrolmentKey]) -> dict[str, Any]:
        key = keys[self.side]
        if self.after is None:
            return recompute(key=key, content=self.content)
        answers = [answered(score=self.score, max_score=7 + self.after)]
        return attempt(*answers, ts=TS + self.after, attempt_id=self.attempt, content=self.content, key=key)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with shared_chain(tmp_path_factory) as chain:
        yield chain


versions = st.builds(
    Version,
    st.integers(0, 1),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(["att-1", "att-2"]),
    st.none() | st.integers(0, 2),
)


def expected(versions: list[Version], side: int) -> dict[str, Any]:
    """The rows of a learner, from all events at once."""
    own = [each for each in versions if each.side == side and each.after is not None]
    latest: dict[tuple[str, str], Version] = {}
    for each in sorted(own, key=lambda version: version.after or 0):
        latest[each.content, each.attempt] = each
    figures: dict[str, float] = {}
    for content in {content for content, _ in latest}:
        attempts = [latest[key] for key in sorted(latest) if key[0] == content]
        best = max(attempts, key=lambda version: version.score)
        figures[f"score:{content}"] = best.score
        figures[f"max_score:{content}"] = 7.0 + (best.after or 0)
        figures[f"attempts_count:{content}"] = float(len(attempts))
    return {
        "attempts": {key: (each.score, at(TS + (each.after or 0))) for key, each in latest.items()},
        "figures": figures,
    }


def found(chain: Chain, key: EnrolmentKey) -> dict[str, Any]:
    rows = chain.rows(ASSESSMENTS, (key.user_id, key.course_id, key.batch_id))
    scores = score_row(chain, key)
    assert len(scores.get("agg_details", [])) == len(rows)
    assert all(row["created_on"] == at(NOW_MS) for row in rows)
    return {
        "attempts": {
            (row["content_id"], row["attempt_id"]): (row["total_score"], row["last_attempted_on"]) for row in rows
        },
        "figures": scores.get("aggregates", {}),
    }


@settings(max_examples=50, deadline=None)
@given(arriving=deliveries(st.lists(versions, min_size=1, max_size=10)), again=st.sets(st.integers(0, 13)))
def test_rows_do_not_depend_on_order_or_packing(shared: Chain, arriving: list[list[Version]], again: set[int]) -> None:
    number = next(USERS)
    keys = [EnrolmentKey(user_id=f"a{number}-{side}", course_id="do_c1", batch_id="b1") for side in (0, 1)]
    told = len(list(shared.sender.to("collection_cert_pre_processor")))
    for index, message in enumerate(arriving):
        records = [shared.record(version.event(keys)) for version in message]
        for delivery in range(2 if index in again else 1):
            tag = f"assess-{number}-{index}-{delivery}"
            counts = shared.run(JOB, *(record.next(delivered_before=delivery > 0) for record in records), tag=tag)
            assert counts["done"] + counts["skipped"] == len(records)
    arrived = [version for message in arriving for version in message]
    assert [found(shared, key) for key in keys] == [expected(arrived, side) for side in (0, 1)]
    sent = list(shared.sender.to("collection_cert_pre_processor"))[told:]
    asked = {record.key for message in sent for record in message.records}
    assert asked == {keys[version.side].user_id for version in arrived}
