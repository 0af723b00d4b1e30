"""Everything around the processes of one installation: topics, tables, registry, platform; and what they hold."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from lern_tasks.catalogue import EVENT_JOBS
from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from lern_tasks.demo.servers.kafka import Kafka
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.storage.gateway import Mutation
from lern_tasks.sunbird.table_names import JobTables, for_job, used_by
from tests.harness.broker import messages
from tests.harness.environment import services
from tests.harness.oracle import Expected, expected
from tests.harness.processes import System
from tests.harness.rows import stored_rows
from tests.harness.scenario import Scenario
from tests.harness.seeding import course_rows, learner_rows
from tests.harness.waiting import wait_until
from tests.servers.redis import RedisServer

PROGRESS, ISSUE, GENERATE, PUBLISHED, SYNC, ASSESS, MERGE, USER_AUDIT = (
    "coursebatch.job.request",
    "issue.certificate.request",
    "generate.certificate.request",
    "content.postpublish.request",
    "batch.enrolment.sync.request",
    "telemetry.assess",
    "lms.user.account.merge",
    "telemetry.audit",
)
AUDIT = "telemetry.raw"
FAILED = (
    "activity.agg.failed",
    "enrolment.reconciliation.failed",
    "telemetry.assess.failed",
    "learning.events.failed",
    "issue.certificate.failed",
    "generate.certificate.failed",
    "lern.tasks.failed",
)
INPUTS = (PROGRESS, ISSUE, GENERATE, PUBLISHED, SYNC, ASSESS, MERGE, USER_AUDIT)
TOPICS = (*INPUTS, AUDIT, *FAILED)

PARTITIONS = 2

SHORT_LIMITS = {
    "LERN_TASKS__COUNTDOWN_CAP": "3",
    "LERN_TASKS__PROBE_MIN": "0.2",
    "LERN_TASKS__PROBE_MAX": "1",
    "LERN_TASKS__RETRY_BASE": "0.2",
    "LERN_TASKS__NOT_YET_DELAYS": "[0.5, 1, 2, 3, 3]",
    "LERN_TASKS__LOCK_LEASE": "3",
    "LERN_TASKS__SOFT_SHUTDOWN": "3",
    "LERN_COLLECTION_CERTIFICATE_GENERATOR__INDEX_LAG": "2",
}
"""Waits of seconds instead of minutes, so that what takes an hour at night takes a minute here."""


class Installation:
    """One environment of its own on the given servers."""

    redis_server: RedisServer | None = None

    def __init__(
        self, env_name: str, directory: Path, *, kafka: str, redis: str, store: dict[str, str], settings: dict[str, str]
    ) -> None:
        self.env_name = env_name
        self.kafka = kafka
        self.directory = directory
        self.registry = Registry()
        self.platform = PlatformApi()
        self.registry.start()
        self.platform.start()
        keyspace = f"{self.env_name}_courses"
        in_courses = [job.upper() for job in EVENT_JOBS if job not in ("relation_cache_updater", "user_cache_updater")]
        self.env = {
            "LERN_ENV": self.env_name,
            "LERN_KAFKA__BROKERS": kafka,
            "LERN_REDIS__URL": redis,
            "LERN_FILES__URL": (directory / "files").as_uri(),
            "LERN_MERGE_USER_COURSES__LEDGER_KEYSPACE": f"{self.env_name}_lern",
            "LERN_USER_CACHE_UPDATER__SUNBIRD_CASSANDRA_KEYSPACE": f"{self.env_name}_sunbird",
            "LERN_COLLECTION_CERTIFICATE_GENERATOR__LMS_CASSANDRA_SBKEYSPACE": f"{self.env_name}_sunbird",
            **services(self.registry, self.platform),
            **{f"LERN_{job}__LMS_CASSANDRA_KEYSPACE": keyspace for job in in_courses},
            **store,
            **SHORT_LIMITS,
            **settings,
        }
        self.system = System(directory, self.env)
        self.producer = Producer({"bootstrap.servers": kafka, "linger.ms": 5})
        tables = {table for job in EVENT_JOBS for table in used_by(self.system.settings, job)}
        self.system.ctx.gateway.create(sorted(tables, key=lambda table: table.full_name))

    @property
    def tables(self) -> JobTables:
        """The tables of progress and certificates."""
        return for_job(self.system.settings, "activity_aggregate_updater")

    def topic(self, suffix: str) -> str:
        """The topic's full name."""
        return f"{self.env_name}.{suffix}"

    def produce(self, suffix: str, events: Iterable[tuple[str | None, Any]]) -> int:
        """Produce events, or raw bytes; how many."""
        number = 0
        for key, event in events:
            self.produce_later(suffix, key, event)
            number += 1
        self.flush()
        return number

    def produce_later(self, suffix: str, key: str | None, event: Any) -> None:
        """Produce one event, or raw bytes; `flush` waits for all of them."""
        value = event if isinstance(event, bytes) or event is None else json.dumps(event).encode()
        self.producer.produce(self.topic(suffix), value, key=key)
        self.producer.poll(0)

    def flush(self) -> None:
        """Wait until Kafka has all that was produced."""
        assert self.producer.flush(20) == 0

    def messages(self, suffix: str) -> list[Any]:
        """All messages of a topic, as Kafka gives them."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "reader", "enable.auto.commit": False})
        try:
            found: list[Any] = []
            ends = {}
            for partition in range(PARTITIONS):
                part = TopicPartition(self.topic(suffix), partition, 0)
                low, high = consumer.get_watermark_offsets(part, timeout=10)
                if high > low:
                    ends[partition] = high - low
            consumer.assign([TopicPartition(self.topic(suffix), partition, 0) for partition in ends])
            while len(found) < sum(ends.values()):
                found += [message for message in consumer.consume(1000, 1.0) if message.error() is None]
            return found
        finally:
            consumer.close()

    def events(self, suffix: str) -> list[dict[str, Any]]:
        """All events of a topic."""
        return [json.loads(message.value()) for message in self.messages(suffix)]

    def dead(self) -> list[Any]:
        """All dead letters."""
        return [message for suffix in FAILED for message in self.messages(suffix)]

    def seed(self, scenario: Scenario) -> None:
        """Store what the platform has before the first event: hierarchies, batches, users, enrolments, contents."""
        rows = [course_rows(self.system.settings, course, base=self.platform.url) for course in scenario.courses]
        rows += [learner_rows(self.tables, learner) for learner in scenario.learners]
        self.apply([mutation for each in rows for mutation in each])
        self.platform.add(
            users={
                learner.key.user_id: {"firstName": "Asha", "lastName": f"Rao {number}", "rootOrgId": "org"}
                for number, learner in enumerate(scenario.learners)
            },
            contents={
                course.course_id: {"name": f"Course {course.course_id}", "status": "Live"}
                for course in scenario.courses
            },
        )
        metadata = self.system.ctx.redis.client("metadata")
        for course in scenario.courses:
            if course.exam:
                metadata.set(course.exam, json.dumps({"contentType": "SelfAssess"}))

    def apply(self, mutations: Sequence[Mutation]) -> None:
        """Write rows as others write them."""
        assert not [error for error in self.system.ctx.gateway.apply(mutations) if error]

    def publish(self, scenario: Scenario) -> None:
        """Publish the courses and wait for their relation keys."""
        self.produce(PUBLISHED, [(course.course_id, course.published()) for course in scenario.courses])
        client = self.system.ctx.redis.client("relation_cache")
        for course in scenario.courses:
            leaves = wait_until(
                lambda key=f"{course.course_id}:{course.course_id}:leafnodes": client.smembers(key),  # type: ignore[misc]
                seconds=60,
                what="relation keys",
            )
            assert leaves == set(course.contents)

    def rows(self, scenario: Scenario) -> dict[str, Expected]:
        """The rows of every learner in the oracle's form."""
        assessments = for_job(self.system.settings, "assessment_aggregator").assessments
        return stored_rows(self.system.ctx.gateway, self.tables, assessments, scenario)

    def wait_for(self, scenario: Scenario, *, seconds: float = 120) -> None:
        """Wait until the rows are the oracle's, and say which are not."""
        wanted = expected(scenario)

        def wrong() -> dict[str, Any]:
            rows = self.rows(scenario)
            return {name: (rows[name], wanted[name]) for name in wanted if rows[name] != wanted[name]}

        try:
            wait_until(lambda: not wrong(), seconds=seconds, what="rows equal to the oracle's")
        except AssertionError:
            left = wrong()
            some = dict(list(left.items())[:3])
            logs = self.system.logs()[-8000:]
            raise AssertionError(f"{len(left)} rows differ, for instance {some}\n{logs}") from None

    def wait_idle(self, *, seconds: float = 60) -> None:
        """Wait until no queue holds a message and none is under way."""
        broker = self.system.ctx.redis.client("broker")
        wait_until(lambda: not messages(broker), seconds=seconds, what="empty queues")

    def close(self) -> None:
        """End everything."""
        self.system.stop()
        self.registry.stop()
        self.platform.stop()


@contextmanager
def embedded(directory: Path, **settings: str) -> Iterator[Installation]:
    """An installation on the embedded servers."""
    name = env_name()
    topics = {f"{name}.{suffix}": PARTITIONS for suffix in TOPICS}
    with Redis() as redis, Kafka(topics) as kafka:
        installation = Installation(
            name,
            directory,
            kafka=kafka.bootstrap,
            redis=redis.url,
            store={"LERN_STORE": f"sqlite:{directory / 'store.sqlite'}"},
            # What the mock needs to be quick: see lern_tasks/demo/servers/kafka.py.
            settings={
                "LERN_KAFKA__CONSUMER_PROPERTIES": json.dumps(
                    {"fetch.wait.max.ms": "10", "session.timeout.ms": "6000"}
                ),
                **settings,
            },
        )
        try:
            yield installation
        finally:
            installation.close()


@contextmanager
def real(
    directory: Path, *, kafka: str, cassandra: str, appendfsync: str = "no", **settings: str
) -> Iterator[Installation]:
    """An installation on real servers; Redis is one of its own, since queues have the same names everywhere."""
    name = env_name()
    admin = AdminClient({"bootstrap.servers": kafka})
    made = admin.create_topics([NewTopic(f"{name}.{suffix}", PARTITIONS, 1) for suffix in TOPICS])
    for future in made.values():
        future.result(timeout=30)
    host, _, port = cassandra.partition(":")
    redis = RedisServer(directory / "redis", appendfsync=appendfsync)
    redis.start()
    try:
        installation = Installation(
            name,
            directory,
            kafka=kafka,
            redis=redis.address,
            store={"LERN_STORE": "cassandra", "LERN_CASSANDRA__HOSTS": host, "LERN_CASSANDRA__PORT": port},
            settings=settings,
        )
        installation.redis_server = redis
        try:
            yield installation
        finally:
            installation.close()
    finally:
        redis.stop()


def env_name() -> str:
    """The name of an environment that no other test has."""
    return f"t{uuid.uuid4().hex[:8]}"
