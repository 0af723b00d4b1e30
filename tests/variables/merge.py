"""The variables of merge_user_courses."""

from functools import partial
from typing import Any, Final

from lern_tasks.sunbird.table_names import for_job
from tests.harness.merges import NEW, OLD, merge
from tests.variables.case import Case
from tests.variables.environment import Stage
from tests.variables.observations import tables, topics, waiting

JOB: Final = "merge_user_courses"
PLACE = ("do_c1", "b1")
EARLY, LATE = "2023-11-14", "2023-11-15"
"""Days in another form than the usual one."""


def merging(stage: Stage) -> None:
    """Both accounts have a content of one batch; the old account's date is the later one."""
    names = for_job(stage.settings, JOB)
    for user, day in ((NEW, EARLY), (OLD, LATE)):
        stage.put(names.enrolments, (user, *PLACE), active=True, status=1)
        stage.put(names.content_consumption, (user, *PLACE, "r1"), status=2, lastaccesstime=day)
        stage.put(names.activity_agg, ("Course", "do_c1", user, "cb:b1"), aggregates={"completedCount": 1.0})
    stage.deliver(JOB, merge())


def last_access(stage: Stage) -> str:
    """When the merged content was seen last: a date that cannot be read gives way."""
    row: dict[str, Any] = stage.row(for_job(stage.settings, JOB).content_consumption, (NEW, *PLACE, "r1"))
    text: str = row["lastaccesstime"]
    return text


_case = partial(Case, JOB)
_contents, _enrolments, _figures, _spare = (
    f"sunbird_courses.{name}" for name in ("user_content_consumption", "user_enrolments", "user_activity_agg", "spare")
)
_other = {"other.user_content_consumption", "other.user_enrolments", "other.user_activity_agg"}
_ledger = "lern_tasks.merge_ledger"
_topic = "kafka.output.course.batch.updater.topic"

CASES = [
    _case(_topic, "{env}.syncs", topics, {"dev.syncs"}, merging),
    _case("lms-cassandra.keyspace", "other", tables, {*_other, _ledger}, merging),
    _case(
        "lms-cassandra.content_consumption.table", "spare", tables, {_spare, _enrolments, _figures, _ledger}, merging
    ),
    _case("lms-cassandra.user_enrolments.table", "spare", tables, {_contents, _spare, _figures, _ledger}, merging),
    _case("lms-cassandra.user_activity_agg.table", "spare", tables, {_contents, _enrolments, _spare, _ledger}, merging),
    _case("course.date.format", "yyyy-MM-dd", last_access, LATE, merging),
]

IDLE = [waiting(JOB, merging)]
