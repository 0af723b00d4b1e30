"""The variables of assessment_aggregator."""

import json
from functools import partial
from typing import Any, Final

from lern_tasks.jobs.relations.rules.hierarchy import derive
from lern_tasks.storage.cassandra.ddl import create_table
from lern_tasks.sunbird.table_names import for_job
from tests.harness.assess_events import answered, attempt
from tests.harness.course import course_tree
from tests.variables.case import Case, Idle
from tests.variables.environment import Stage
from tests.variables.observations import asked, nothing, outcome, requests, tables, topics, waiting
from tests.variables.progress import BY_KAFKA

JOB: Final = "assessment_aggregator"
COUNTED = {"LERN_ASSESSMENT_AGGREGATOR__ASSESSMENT_SKIP_MISSINGRECORDS": "true"}
TWO_ANSWERS = attempt(answered("q1"), answered("q2"))


def attempting(stage: Stage) -> None:
    """A learner answers two questions of a content that has one."""
    stage.ctx.course_relations(JOB).replace("do_c1", derive("do_c1", course_tree()))
    contents = stage.ctx.redis.client("metadata", JOB)
    contents.set("r1", json.dumps({"totalQuestions": 1}))
    stage.deliver(JOB, TWO_ANSWERS)


def unknown(stage: Stage) -> None:
    """The same, of a content whose metadata is not in Redis."""
    stage.platform.add(contents={"r1": {"totalQuestions": 5}})
    stage.deliver(JOB, TWO_ANSWERS)


def details(stage: Stage) -> list[str]:
    """The types of the attempts that the course's row names."""
    row: dict[str, Any] = stage.row(for_job(stage.settings, JOB).activity_agg, ("Course", "do_c1", "u1", "cb:b1"))
    return [json.loads(text)["type"] for text in row["agg_details"]]


def question_column(stage: Stage) -> str:
    """The column of answers, as the table is made and checked."""
    text = create_table(for_job(stage.settings, JOB).assessments)
    return next(part.strip() for part in text.split(",") if part.strip().startswith("question "))


_case = partial(Case, JOB)
_read = "GET /content/content/v3/read/r1"
_attempts, _figures = "sunbird_courses.assessment_aggregator", "sunbird_courses.user_activity_agg"

CASES = [
    _case("kafka.output.certissue.topic", "{env}.requests", topics, {"dev.requests"}, attempting, BY_KAFKA),
    _case(
        "lms-cassandra.keyspace",
        "other",
        tables,
        {"other.assessment_aggregator", "other.user_activity_agg"},
        attempting,
    ),
    _case("lms-cassandra.table", "spare", tables, {"sunbird_courses.spare", _figures}, attempting),
    _case("lms-cassandra.activitytable", "spare", tables, {_attempts, "sunbird_courses.spare"}, attempting),
    _case("lms-cassandra.questionudttype", "answer", question_column, "question list<frozen<answer>>", nothing),
    _case("redis-meta.host", "contents", asked("MGET r1"), {"contents:6379/5"}, attempting, COUNTED),
    _case("redis-meta.port", "7000", asked("MGET r1"), {"localhost:7000/5"}, attempting, COUNTED),
    _case("redis.database.contentCache.id", "6", asked("MGET r1"), {"localhost:6379/6"}, attempting, COUNTED),
    _case("redis.database.relationCache.id", "11", asked("do_c1:leafnodes"), {"localhost:6379/11"}, attempting),
    _case("assessment.skip.missingRecords", "true", outcome, {"dead": 1}, attempting),
    _case("user.activity.agg.type", "attempts", details, ["attempts"], attempting),
    _case("content.read.api", "$platform/content/content/v3/read", requests, [_read], unknown, COUNTED),
]

IDLE = [
    waiting(JOB, attempting),
    Idle(
        JOB, "lms-cassandra.enrolmentstable", attempting, "the Flink job names the table and never reads it; nor do we"
    ),
]
