"""What must hold for every order, repetition, packing and death: docs/jobs/activity_aggregate_updater.md, "Failure"."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.jobs.progress.rules.content_counts import StoredContent
from lern_tasks.sunbird.audit_event import content_audit, enrolment_audit
from lern_tasks.sunbird.course_relations import CourseRelations
from tests.harness.orders import packed
from tests.jobs.progress.rules.progress_model import KEY, Contents, Resources

CONTENTS = ("r1", "r2", "r3", "r4", "r9")
LEAVES = frozenset(CONTENTS[:4])

events = st.lists(st.frozensets(st.sampled_from(CONTENTS), max_size=3), min_size=1, max_size=6)
counters = st.none() | st.integers(min_value=0, max_value=3)
rows = st.dictionaries(
    st.sampled_from(CONTENTS),
    st.builds(StoredContent, status=st.sampled_from([None, 0, 1, 2]), view_count=counters, completed_count=counters),
)


@dataclass(frozen=True)
class Case:
    """A course, what is stored before, and the events that arrive."""

    optional: frozenset[str]
    rows: dict[str, StoredContent]
    events: list[Contents]

    def ctx(self) -> Resources:
        relations = CourseRelations(
            course_id="do_c1",
            leaf_nodes=LEAVES,
            optional_nodes=self.optional,
            ancestors={},
            unit_leaf_nodes={},
            unit_optional_nodes={},
        )
        return Resources(relations=relations, rows=dict(self.rows), status=0)


FLAGS: st.SearchStrategy[bool] = st.booleans()
cases = st.builds(Case, optional=st.frozensets(st.sampled_from(sorted(LEAVES)), max_size=3), rows=rows, events=events)


def run(case: Case, data: st.DataObject) -> Resources:
    """Deliver the events in any order, packed in any way, some more than once, dying at any effect; then once more."""
    ctx = case.ctx()
    unstored: list[str] = sorted(frozenset().union(*case.events))
    waiting: list[tuple[Sequence[Contents], int]] = [
        (message, 0) for message in data.draw(st.permutations(case.events).flatmap(packed), label="messages")
    ]
    waiting += [(message, 0) for message, _ in waiting if data.draw(FLAGS, label="twice")]
    while waiting:
        message, deliveries = waiting.pop(data.draw(st.integers(0, len(waiting) - 1), label="next"))
        dies_after = data.draw(st.none() | st.integers(0, 12), label="dies after") if deliveries < 3 else None
        # The mark of a redelivery may be lost with the broker's memory.
        before = deliveries > 0 and data.draw(FLAGS, label="known as delivered")
        if not ctx.deliver(message, dies_after=dies_after, before=before):
            waiting.append((message, deliveries + 1))
        if data.draw(FLAGS, label="status stored") and unstored:
            ctx.store_completion(unstored.pop())
    for content in unstored:
        ctx.store_completion(content)
    return ctx


@given(case=cases, data=st.data())
@settings(max_examples=150)
def test_counters_grow_once_for_each_content(case: Case, data: st.DataObject) -> None:
    ctx = run(case, data)
    completed = frozenset().union(*case.events)
    nothing = StoredContent(status=None, view_count=None, completed_count=None)
    for content in {*case.rows, *completed}:
        grown = 1 if content in completed else 0
        before, after = case.rows.get(content, nothing).counts, ctx.rows[content].counts
        assert (after.view - before.view, after.completed - before.completed) == (grown, grown)
    assert ctx.markers == completed
    assert ctx.pending == {}


@given(case=cases, data=st.data())
@settings(max_examples=150)
def test_rows_depend_on_what_was_completed_alone(case: Case, data: st.DataObject) -> None:
    ctx = run(case, data)
    plain = case.ctx()
    plain.deliver(case.events)
    assert ctx.status == plain.status
    if plain.status == 2:
        # The row is frozen at the moment of completion; what is done by then beyond the required depends on the order.
        required = LEAVES - case.optional
        assert ctx.progress == len(required)
        assert all(ctx.content_status[content] == 2 for content in required)
    else:
        assert ctx.progress == plain.progress
        assert ctx.content_status == plain.content_status


@given(case=cases, data=st.data())
@settings(max_examples=150)
def test_a_completion_asks_for_a_certificate_and_never_before_its_row_says_so(case: Case, data: st.DataObject) -> None:
    ctx = run(case, data)
    assert set(ctx.status_at_request) <= {2}
    if ctx.status == 2 and any(case.events):
        assert ctx.status_at_request


@given(case=cases, data=st.data())
@settings(max_examples=150)
def test_audits_repeat_but_none_is_lost_or_made_up(case: Case, data: st.DataObject) -> None:
    ctx = run(case, data)
    completion = enrolment_audit(KEY, now_ms=0)["mid"]
    due = set()
    for content in frozenset().union(*case.events):
        counts = case.rows[content].counts if content in case.rows else None
        if counts is None or counts.view == 0:
            due.add(content_audit(KEY, content, "start", now_ms=0)["mid"])
        if counts is None or counts.completed == 0:
            due.add(content_audit(KEY, content, "complete", now_ms=0)["mid"])
    assert set(ctx.audits) - {completion} == due


@given(case=cases)
def test_a_second_delivery_of_everything_changes_nothing(case: Case) -> None:
    ctx = case.ctx()
    ctx.deliver(case.events)
    before = (dict(ctx.rows), ctx.status, ctx.progress, ctx.content_status, list(ctx.audits))
    ctx.deliver(case.events, before=True)
    assert (ctx.rows, ctx.status, ctx.progress, ctx.content_status, ctx.audits) == before
