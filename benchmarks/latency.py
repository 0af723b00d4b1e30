"""From produced to row at 50 events a second, by the audit events that follow the rows."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.aggregate import publish
from benchmarks.result import Result
from tests.harness.installation import AUDIT, PROGRESS, Installation, real
from tests.harness.scenario import Learner, finished, make_course, make_scenario
from tests.harness.waiting import wait_until
from tests.servers.running import Stack

EVENTS = 1_000
PER_SECOND = 50
WARM_UP = 100


def measure(stack: Stack, directory: Path) -> list[Result]:
    with real(directory, kafka=stack.kafka, cassandra=stack.cassandra, appendfsync="always") as installation:
        scenario = make_scenario(4, learners=EVENTS, courses=[make_course("lat", templates=())], stored_share=0)
        installation.seed(scenario)
        publish(installation, scenario)
        installation.system.start_worker(queues="activity-aggregate-updater", concurrency=2)
        installation.system.start_bridge("activity_aggregate_updater")
        warm, measured = scenario.learners[:WARM_UP], scenario.learners[WARM_UP:]
        _produce(installation, warm)
        wait_until(lambda: len(installation.messages(AUDIT)) >= 2 * WARM_UP, seconds=60, what="warm processes")
        produced = _produce(installation, measured)
        wait_until(lambda: len(installation.messages(AUDIT)) >= 2 * EVENTS, seconds=60, what="two audit events each")
        seen = {event["actor"]["id"]: event["ets"] / 1000 for event in installation.events(AUDIT)}
    delays = sorted((seen[user] - at) * 1000 for user, at in produced.items())
    return [
        Result(
            what=f"produced to row at {PER_SECOND}/s, {name}",
            measured=delays[int(len(delays) * share)],
            unit="ms",
            target="p99 under 100 ms",
        )
        for name, share in (("median", 0.5), ("p99", 0.99))
    ]


def _produce(installation: Installation, learners: Sequence[Learner]) -> dict[str, float]:
    """One event a learner, evenly spaced; when each was produced, seconds since 1970."""
    produced: dict[str, float] = {}
    start = time.perf_counter()
    for number, learner in enumerate(learners):
        time.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
        produced[learner.key.user_id] = time.time()
        event = json.dumps(finished(learner.key, learner.finished[:1]))
        installation.producer.produce(installation.topic(PROGRESS), event, key=learner.key.user_id)
        installation.producer.poll(0)
    installation.producer.flush(10)
    return produced
