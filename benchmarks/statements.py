"""The statements of aggregation and nothing else: what the driver can do at most."""

from datetime import UTC, datetime
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent
from cassandra.policies import RoundRobinPolicy, TokenAwarePolicy
from cassandra.query import BatchStatement, BatchType, dict_factory

from tests.harness.scenario import Course

IN_FLIGHT = 64


def run_statements(
    node: tuple[str, int],
    keyspace: str,
    events: list[dict[str, Any]],
    course: Course,
    packed: int,
    *,
    ready: Any,
    go: Any,
) -> None:
    """Read and write on `node` what aggregation reads and writes for `events`, `packed` events at a time."""
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(RoundRobinPolicy()),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        row_factory=dict_factory,
    )
    cluster = Cluster(node[:1], port=node[1], execution_profiles={EXEC_PROFILE_DEFAULT: profile}, protocol_version=4)
    session = cluster.connect(keyspace)
    statements = _Statements(session, course)
    ready.wait(timeout=60)
    go.wait(60)
    for start in range(0, len(events), packed):
        part = events[start : start + packed]
        execute_concurrent(session, statements.reads(part), concurrency=IN_FLIGHT)
        execute_concurrent(session, statements.writes(part), concurrency=IN_FLIGHT)
    cluster.shutdown()


class _Statements:
    def __init__(self, session: Any, course: Course) -> None:
        self._course = course
        self._contents = session.prepare(
            "SELECT contentid, status, viewcount, completedcount FROM user_content_consumption "
            "WHERE userid = ? AND courseid = ? AND batchid = ?"
        )
        self._row = session.prepare(
            "SELECT active, status, completedon, issued_certificates FROM user_enrolments "
            "WHERE userid = ? AND courseid = ? AND batchid = ?"
        )
        self._count = session.prepare(
            "UPDATE user_content_consumption USING TIMESTAMP ? SET viewcount = ?, completedcount = ? "
            "WHERE userid = ? AND courseid = ? AND batchid = ? AND contentid = ?"
        )
        where = "WHERE activity_type = ? AND activity_id = ? AND user_id = ? AND context_id = ?"
        self._agg = session.prepare(
            f"UPDATE user_activity_agg USING TIMESTAMP ? SET aggregates = aggregates + ? {where}"
        )
        self._updated = session.prepare(
            f"UPDATE user_activity_agg USING TIMESTAMP ? SET agg_last_updated = agg_last_updated + ? {where}"
        )
        self._progress = session.prepare(
            "UPDATE user_enrolments USING TIMESTAMP ? SET contentstatus = ?, datetime = ?, progress = ?, status = ? "
            "WHERE userid = ? AND courseid = ? AND batchid = ?"
        )

    def reads(self, events: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        keys = list(dict.fromkeys((event["userId"], event["courseId"], event["batchId"]) for event in events))
        return [(statement, key) for key in keys for statement in (self._contents, self._row)]

    def writes(self, events: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        now = datetime.now(UTC)
        token = int(now.timestamp() * 1_000_000)
        return [(statement, ()) for event in events for statement in self._writes_of(event, now, token)]

    def _writes_of(self, event: dict[str, Any], now: datetime, token: int) -> list[Any]:
        key = (event["userId"], event["courseId"], event["batchId"])
        content = event["contents"][0]["contentId"]
        made = [self._count.bind((token, 1, 1, *key, content))]
        for activity in (self._course.course_id, *self._course.units):
            row = ("Course", activity, key[0], f"cb:{key[2]}")
            made.append(
                _together(
                    self._agg.bind((token, {"completedCount": 1.0}, *row)),
                    self._updated.bind((token, {"completedCount": now}, *row)),
                )
            )
        statuses = dict.fromkeys(self._course.contents, 2)
        made.append(self._progress.bind((token, statuses, now, 1, 1, *key)))
        return made


def _together(*statements: Any) -> Any:
    batch = BatchStatement(batch_type=BatchType.UNLOGGED)
    for statement in statements:
        batch.add(statement)
    return batch
