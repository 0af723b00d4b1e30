"""The variables of the jobs that compute progress."""

from collections.abc import Iterable
from functools import cache, partial
from typing import Any, Final

from lern_tasks.catalogue import ProgressJob
from lern_tasks.jobs.progress.dedup_markers import marker
from lern_tasks.jobs.relations.rules.hierarchy import derive
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job
from tests.harness.course import KEY, ROW, course_tree
from tests.harness.scenario import finished
from tests.harness.syncs import sync
from tests.variables.case import Case, Scene
from tests.variables.environment import Stage
from tests.variables.observations import asked, largest_batch, requests, tables, topics, waiting

AGGREGATOR: Final = "activity_aggregate_updater"
RECONCILIATION: Final = "enrolment_reconciliation"
BY_KAFKA = {"LERN_COLLECTION_CERT_PRE_PROCESSOR__HAND_OFF": "kafka"}
REQUIRED = ("r1", "r2", "r3")
MARKER = marker(KEY, "r1")
RETIRED = EnrolmentKey(user_id="u1", course_id="do_retired", batch_id="b1")


def learn(stage: Stage, job: ProgressJob, key: EnrolmentKey = KEY, contents: Iterable[str] = REQUIRED) -> None:
    """Let `job` know that contents are completed: by an event, or by their rows and a sync."""
    if job == AGGREGATOR:
        stage.deliver(job, finished(key, list(contents)))
        return
    for content in contents:
        row = (key.user_id, key.course_id, key.batch_id, content)
        stage.put(for_job(stage.settings, job).content_consumption, row, status=2)
    stage.deliver(job, sync(key))


def enrolled(stage: Stage, job: ProgressJob, **cells: Any) -> None:
    """A course with two units, and an enrolment in it."""
    stage.ctx.course_relations(job).replace("do_c1", derive("do_c1", course_tree()))
    stage.put(for_job(stage.settings, job).enrolments, ROW, **{"active": True, "status": 0, **cells})


@cache
def completing(job: ProgressJob) -> Scene:
    """A learner completes the course."""

    def scene(stage: Stage) -> None:
        enrolled(stage, job)
        learn(stage, job)

    return scene


@cache
def completed(job: ProgressJob) -> Scene:
    """A learner who had completed it, when less was asked for, goes on."""

    def scene(stage: Stage) -> None:
        enrolled(stage, job, status=2, progress=1)
        learn(stage, job)

    return scene


@cache
def retired(job: ProgressJob) -> Scene:
    """Two messages about a course that has no leaf nodes any more."""

    def scene(stage: Stage) -> None:
        stage.platform.add(contents={RETIRED.course_id: {"status": "Retired"}})
        learn(stage, job, RETIRED, ["r1"])
        learn(stage, job, RETIRED, ["r2"])

    return scene


def repeating(stage: Stage) -> None:
    """The same event twice."""
    completing(AGGREGATOR)(stage)
    learn(stage, AGGREGATOR)


def collections(job: ProgressJob, stage: Stage) -> set[str]:
    """The course and the units that have figures."""
    table = for_job(stage.settings, job).activity_agg
    return {name for name in ("do_c1", "un1", "un2") if stage.row(table, ("Course", name, "u1", "cb:b1"))}


def progress(job: ProgressJob, stage: Stage) -> int:
    """Of the enrolment."""
    count: int = stage.row(for_job(stage.settings, job).enrolments, ROW)["progress"]
    return count


def views(stage: Stage) -> int:
    """How often the first content was counted."""
    table = for_job(stage.settings, AGGREGATOR).content_consumption
    count: int = stage.row(table, (*ROW, "r1"))["viewcount"]
    return count


def searches(stage: Stage) -> int:
    """How often the search was asked."""
    return len(stage.platform_requests("/v3/search"))


def marker_expiry(stage: Stage) -> set[str]:
    """Seconds after which a marker goes, as Redis is told."""
    commands = [command for _, command in stage.notes.commands if command.startswith(f"SET {MARKER} ")]
    return {command.rpartition(" EX ")[2] for command in commands}


def both(job: ProgressJob) -> list[Case]:
    """What both jobs have."""
    case = partial(Case, job)
    scene, old, gone = completing(job), completed(job), retired(job)
    spare = "sunbird_courses.spare"
    contents, enrolments, figures = (
        f"sunbird_courses.{name}" for name in ("user_content_consumption", "user_enrolments", "user_activity_agg")
    )
    elsewhere = {"other.user_content_consumption", "other.user_enrolments", "other.user_activity_agg"}
    audits = {"dev.audits"}
    requested = {"dev.telemetry.raw", "dev.requests"}
    return [
        case("kafka.audit.topic", "{env}.audits", topics, audits, scene),
        case("kafka.certissue.topic", "{env}.requests", topics, requested, scene, BY_KAFKA),
        case("lms-cassandra.keyspace", "other", tables, elsewhere, scene),
        case("lms-cassandra.content_consumption.table", "spare", tables, {spare, enrolments, figures}, scene),
        case("lms-cassandra.user_enrolments.table", "spare", tables, {contents, spare, figures}, scene),
        case("lms-cassandra.user_activity_agg.table", "spare", tables, {contents, enrolments, spare}, scene),
        case("redis.database.relationCache.id", "11", asked("do_c1:leafnodes"), {"localhost:6379/11"}, scene),
        case("threshold.batch.write.size", "1", largest_batch, 1, scene),
        case("activity.module.aggs.enabled", "false", partial(collections, job), {"do_c1"}, scene),
        case("activity.filter.processed.enrolments", "false", partial(progress, job), 3, old),
        case("activity.collection.status.cache.expiry", "0", searches, 2, gone),
        case("service.search.basePath", "$platform/another", requests, ["POST /another/v3/search"], gone),
    ]


_case = partial(Case, AGGREGATOR)
_scene = completing(AGGREGATOR)

CASES = [
    *both(AGGREGATOR),
    *both(RECONCILIATION),
    _case("dedup-redis.host", "markers", asked(MARKER), {"markers:6379/13"}, _scene),
    _case("dedup-redis.port", "7000", asked(MARKER), {"localhost:7000/13"}, _scene),
    _case("dedup-redis.database.index", "3", asked(MARKER), {"localhost:6379/3"}, _scene),
    _case("dedup-redis.database.expiry", "60", marker_expiry, {"60"}, _scene),
    _case("activity.input.dedup.enabled", "false", views, 2, repeating),
]

IDLE = [waiting(AGGREGATOR, _scene), waiting(RECONCILIATION, completing(RECONCILIATION))]
