"""The tasks of all jobs, run in this process: a queue of messages, a store in a file, services on loopback."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import fakeredis

from lern_tasks.catalogue import JobName
from lern_tasks.delivery import resources
from lern_tasks.delivery import task as base
from lern_tasks.delivery.record import Record
from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from lern_tasks.jobs.accounts.merge_user_courses import merge_user_courses
from lern_tasks.jobs.assessments.assessment_aggregator import assessment_aggregator
from lern_tasks.jobs.certificates.eligibility.collection_cert_pre_processor import collection_cert_pre_processor
from lern_tasks.jobs.certificates.follow_up.certificate_notification import certificate_notification
from lern_tasks.jobs.certificates.follow_up.certificate_replacement import certificate_replacement
from lern_tasks.jobs.certificates.follow_up.certificate_user_feed import certificate_user_feed
from lern_tasks.jobs.certificates.issuing.collection_certificate_generator import collection_certificate_generator
from lern_tasks.jobs.progress.activity_aggregate_updater import activity_aggregate_updater
from lern_tasks.jobs.progress.enrolment_reconciliation import enrolment_reconciliation
from lern_tasks.jobs.relations.relation_cache_updater import relation_cache_updater
from lern_tasks.jobs.users.user_cache_updater import user_cache_updater
from lern_tasks.storage.gateway import PutCells, ReplaceCollection
from lern_tasks.storage.table import Table
from tests.harness.crash_injection import Died, Life, make_mortal
from tests.harness.environment import services
from tests.harness.fake_resources import FakeResources, RecordingKafka, RecordingSender, Sent
from tests.harness.processes import settings_of

TASKS: Mapping[JobName, Any] = {
    "relation_cache_updater": relation_cache_updater,
    "activity_aggregate_updater": activity_aggregate_updater,
    "assessment_aggregator": assessment_aggregator,
    "enrolment_reconciliation": enrolment_reconciliation,
    "merge_user_courses": merge_user_courses,
    "collection_cert_pre_processor": collection_cert_pre_processor,
    "collection_certificate_generator": collection_certificate_generator,
    "certificate_notification": certificate_notification,
    "certificate_user_feed": certificate_user_feed,
    "certificate_replacement": certificate_replacement,
    "user_cache_updater": user_cache_updater,
}

CLIENTS = [
    "registry",
    "search",
    "reconciliation_search",
    "content",
    "question_counts",
    "users",
    "recipients",
    "user_profiles",
    "frameworks",
    "notifications",
    "search_index",
    "old_registry",
    "signing",
]
"""Members of a world that hold connections."""

NOW_MS = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A task message and the broker's tag, which a second delivery keeps."""

    sent: Sent
    tag: str


class Chain:
    """One environment. `deliver` runs a message; `drain` runs what was sent until nothing is left."""

    def __init__(self, directory: Path, registry: Registry, platform: PlatformApi, **env: str) -> None:
        self.registry = registry
        self.platform = platform
        self.settings = settings_of(
            {
                "LERN_STORE": f"sqlite:{directory / 'store.sqlite'}",
                "LERN_FILES__URL": (directory / "files").as_uri(),
                "LERN_TASKS__PROBE_MIN": "0.01",
                "LERN_TASKS__PROBE_MAX": "0.02",
                **services(registry, platform),
                **env,
            }
        )
        self.directory = directory
        self.redis_server = fakeredis.FakeServer()
        self.published = RecordingKafka()
        self.sender = RecordingSender()
        self.time_ms = NOW_MS
        self.life = Life()
        self.offset = 0
        self._queue: deque[Message] = deque()
        self._taken = 0
        self._old: list[FakeResources] = []
        self.ctx = self.new_ctx(self.life)

    def new_ctx(self, life: Life | None = None, *, backwards: bool = False, lapsed: bool = True) -> FakeResources:
        """Another process of this environment; the locks of one that died, or was stopped, are past their lease."""
        self.life = life or Life()
        ctx = FakeResources(self.settings, self.directory)
        ctx.redis._server = self.redis_server  # type: ignore[attr-defined]
        ctx.sender = ctx.sent = self.sender  # type: ignore[assignment]
        ctx.kafka = ctx.published = self.published  # type: ignore[assignment]
        self._old.append(ctx)
        for lock in ctx.redis.client("state").scan_iter("lern:lock:*") if lapsed else ():
            ctx.redis.client("state").delete(lock)
        gateway = ctx.gateway
        make_mortal(ctx, self.life, backwards=backwards)
        gateway.create([])
        self.ctx = ctx
        return ctx

    def run(self, job: JobName, *records: Record, task_id: str = "id", tag: str = "tag") -> dict[str, int]:
        """Run the task of `job` on one message; the counts by outcome."""
        task, found = TASKS[job], {}
        self.ctx.time_ms = self.time_ms

        def recorded(*args: Any, **options: Any) -> dict[str, int]:
            found.update(run_message(*args, **options))
            return found

        run_message = base.run_message
        task.push_request(id=task_id, properties={"delivery_tag": tag})
        try:
            with patch.object(resources, "_resources", self.ctx), patch.object(base, "run_message", recorded):
                task.run([record.to_wire() for record in records])
        except base.DeadRecords:
            assert found["dead"]
        finally:
            task.pop_request()
        return found

    def send(self, job: JobName, *records: Record) -> None:
        """Put a message into the queue, as the bridge does."""
        self.sender.send(job, records, task_id=f"sent-{len(self.sender.sent)}")

    def drain(self, *lives: int, backwards: bool = False) -> list[str]:
        """Run messages until none is left, and give the effects; the processes die before the effects `lives`.

        A message whose process died is delivered again after the others, with its tag.
        """
        ends = list(lives)
        effects: list[str] = []
        self.new_ctx(Life(ends.pop(0) if ends else None), backwards=backwards)
        while self._collect():
            message = self._queue.popleft()
            try:
                self.time_ms += int((message.sent.countdown or 0) * 1000)
                self.run(message.sent.job, *message.sent.records, task_id=message.sent.task_id, tag=message.tag)
                self.life.effect("acknowledge")
            except Died:
                self._queue.append(message)
                effects += self.life.effects
                self.new_ctx(Life(ends.pop(0) if ends else None), backwards=backwards)
        return effects + self.life.effects

    def _collect(self) -> int:
        for sent in self.sender.sent[self._taken :]:
            self._queue.append(Message(sent, f"tag-{self._taken}"))
            self._taken += 1
        return len(self._queue)

    def record(self, event: Any, *, topic: str = "dev.test", **changes: Any) -> Record:
        """The record of an event, at the next offset."""
        self.offset += 1
        value = event if isinstance(event, str) or event is None else json.dumps(event)
        return Record(value=value, topic=topic, partition=0, offset=self.offset, key="k").next(**changes)

    def put(self, table: Table, key: Sequence[str], **cells: Any) -> None:
        """Write cells as others write them; collections are replaced."""
        mutations = [
            ReplaceCollection(table=table, key=tuple(key), column=name, value=value)
            if isinstance(value, list | dict)
            else PutCells(table=table, key=tuple(key), cells={name: value})
            for name, value in cells.items()
        ]
        assert not [error for error in self.store.apply(mutations) if error]

    def row(self, table: Table, key: Sequence[str]) -> dict[str, Any]:
        """What a row holds; empty when it is not there."""
        (found,) = self.store.get_many(table, [tuple(key)], list(table.columns)).values()
        return {} if found is None else {name: value for name, value in found.items() if value is not None}

    def rows(self, table: Table, prefix: Sequence[str]) -> list[dict[str, Any]]:
        """The rows under a prefix of the key."""
        (found,) = self.store.select_many(table, [tuple(prefix)], list(table.columns)).values()
        return [{name: value for name, value in row.items() if value is not None} for row in found]

    @property
    def store(self) -> Any:
        """The tables, without counting."""
        return self.ctx.gateway._of  # type: ignore[attr-defined]

    def events(self, topic_end: str) -> list[dict[str, Any]]:
        """The events published to a topic."""
        return [json.loads(message.value or b"") for message in self.published.to(topic_end)]

    def sent_events(self, job: JobName) -> list[dict[str, Any]]:
        """The events sent to a task."""
        return [json.loads(record.value or "") for sent in self.sender.to(job) for record in sent.records]

    def close(self) -> None:
        """Close files and connections."""
        for ctx in self._old:
            ctx.gateway.close()
            for name in CLIENTS:
                if name in vars(ctx):
                    getattr(ctx, name).close()
