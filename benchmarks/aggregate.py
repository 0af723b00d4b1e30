"""Aggregation by real workers beside the same statements sent through the driver with nothing around them."""

import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from benchmarks.statements import run_statements
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.task_sender import Sender, derived_id
from lern_tasks.jobs.relations.api import RelationResources, derive
from tests.harness.installation import PROGRESS, Installation, real
from tests.harness.scenario import Scenario, make_course, make_scenario
from tests.harness.waiting import wait_until
from tests.servers.running import Stack

LEARNERS = 2_000
PACKED = 100
PROCESSES = 2


def measure(stack: Stack, directory: Path) -> list[Result]:
    with real(directory, kafka=stack.kafka, cassandra=stack.cassandra, appendfsync="always") as installation:
        course = make_course("bench", templates=())
        scenario = make_scenario(3, learners=LEARNERS, courses=[course], stored_share=0)
        installation.seed(scenario)
        publish(installation, scenario)
        records = _fill(installation, scenario)
        elapsed = _drain(installation, records)
        ceiling = _ceiling(installation, scenario)
    return [
        Result(
            what=f"aggregate, {PACKED} records a message, {PROCESSES} processes",
            measured=records / elapsed,
            ceiling=records / ceiling,
            unit="records/s",
            target="at least 60 % of the same statements through the driver",
        )
    ]


def publish(installation: Installation, scenario: Scenario) -> None:
    for course in scenario.courses:
        relations = derive(course.course_id, json.loads(course.hierarchy()))
        installation.system.ctx.view(RelationResources).relation_cache.replace(course.course_id, relations)


def _fill(installation: Installation, scenario: Scenario) -> int:
    """Put the messages into the queue as the bridge would."""
    sender: Sender = installation.system.ctx.sender
    topic = installation.topic(PROGRESS)
    records = [
        Record(value=json.dumps(event), topic=topic, partition=0, offset=offset, key=key)
        for offset, (key, event) in enumerate(scenario.events())
    ]
    for start in range(0, len(records), PACKED):
        sender.send("activity_aggregate_updater", records[start : start + PACKED], task_id=derived_id("bench", start))
    return len(records)


def _drain(installation: Installation, records: int) -> float:
    """Seconds from the first to the last message; the process start is not counted."""
    client = installation.system.ctx.redis.client("broker")
    queue = "activity-aggregate-updater"
    messages = int(client.llen(queue))
    installation.system.start_worker(queues=queue, concurrency=PROCESSES)
    # The first messages warm up: connections, prepared statements, schema check.
    warm = messages // 10
    wait_until(lambda: client.llen(queue) <= messages - warm, seconds=120, what="the first messages")
    start, left = time.perf_counter(), int(client.llen(queue))
    wait_until(lambda: not client.llen(queue) and not client.hlen("unacked"), seconds=600, what="an empty queue")
    return (time.perf_counter() - start) * messages / left


def _ceiling(installation: Installation, scenario: Scenario) -> float:
    """Seconds for the same reads and writes by as many processes."""
    host, port = installation.env["LERN_CASSANDRA__HOSTS"], int(installation.env["LERN_CASSANDRA__PORT"])
    events: list[Any] = [event["edata"] for _, event in scenario.events()]
    course = scenario.courses[0]
    context = multiprocessing.get_context("spawn")
    ready, go = context.Barrier(PROCESSES + 1), context.Event()
    processes = [
        context.Process(
            target=run_statements,
            args=((host, port), installation.tables.enrolments.keyspace, events[index::PROCESSES], course, PACKED),
            kwargs={"ready": ready, "go": go},
        )
        for index in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    ready.wait(timeout=60)
    start = time.perf_counter()
    go.set()
    for process in processes:
        process.join(timeout=600)
    assert all(process.exitcode == 0 for process in processes)
    return time.perf_counter() - start
