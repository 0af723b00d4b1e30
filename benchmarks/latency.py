"""From produced to row at 50 events a second, by the audit events that follow the rows."""

import json
import time
from pathlib import Path

from benchmarks.aggregate import publish
from benchmarks.result import Result
from tests.flow.course import finished, make_course, make_scenario
from tests.flow.installation import AUDIT, PROGRESS, real
from tests.stack.running import Stack
from tests.waiting import wait_until

EVENTS = 1_000
PER_SECOND = 50
WARM_UP = 100


def measure(stack: Stack, directory: Path) -> list[Result]:
    with real(directory, kafka=stack.kafka, cassandra=stack.cassandra) as installation:
        scenario = make_scenario(4, learners=EVENTS, courses=[make_course("lat", templates=())], stored_share=0)
        installation.seed(scenario)
        publish(installation, scenario)
        installation.system.start_worker(queues="activity-aggregate-updater", concurrency=2)
        installation.system.start_bridge("activity_aggregate_updater")
        produced: dict[str, float] = {}
        start = time.perf_counter()
        for number, learner in enumerate(scenario.learners):
            time.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
            produced[learner.key.user_id] = time.time()
            installation.producer.produce(
                installation.topic(PROGRESS),
                json.dumps(finished(learner.key, learner.finished[:1])),
                key=learner.key.user_id,
            )
            installation.producer.poll(0)
        installation.producer.flush(10)
        wait_until(lambda: len(installation.messages(AUDIT)) >= EVENTS, seconds=60, what="an audit event each")
        seen = {event["actor"]["id"]: event["ets"] / 1000 for event in installation.events(AUDIT)}
    delays = sorted((seen[user] - at) * 1000 for user, at in list(produced.items())[WARM_UP:])
    return [
        Result(
            what=f"produced to row at {PER_SECOND}/s, {name}",
            measured=delays[int(len(delays) * share)],
            unit="ms",
            target="p99 under 100 ms",
        )
        for name, share in (("median", 0.5), ("p99", 0.99))
    ]
