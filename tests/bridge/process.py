"""A bridge as a process of its own, and what a worker would find in the broker."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from lern_tasks.delivery.record import Record
from tests.bridge.kafka import Kafka

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A task message as it waits in the broker."""

    task: str
    task_id: str
    argsrepr: str
    headers: dict[str, Any]
    records: list[Record]


def waiting(url: str, queue: str) -> list[Waiting]:
    """The messages of `queue`, oldest first."""
    with Redis.from_url(url) as client:
        return [_read(raw) for raw in reversed(client.lrange(queue, 0, -1))]


def _read(raw: bytes) -> Waiting:
    message = json.loads(raw)
    headers = message["headers"]
    args, kwargs, _embed = json.loads(base64.b64decode(message["body"]))
    assert kwargs == {}
    (records,) = args
    return Waiting(
        task=headers["task"],
        task_id=headers["id"],
        argsrepr=headers["argsrepr"],
        headers=headers,
        records=[Record.from_wire(record) for record in records],
    )


@dataclass(frozen=True, slots=True)
class Stack:
    """A Kafka and the URL of a broker."""

    kafka: Kafka
    broker_url: str

    def messages(self, job: str = "activity_aggregate_updater") -> list[Waiting]:
        """The messages that wait for `job`, oldest first."""
        return waiting(self.broker_url, self.kafka.route(job).queue)

    def offsets(self) -> list[tuple[int | None, int | None]]:
        """Partition and offset of every record that waits for the aggregate job."""
        return [(record.partition, record.offset) for message in self.messages() for record in message.records]

    def environment(self, **properties: str) -> dict[str, str]:
        """The environment of a bridge process."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LERN_")}
        return {**inherited, **self.kafka.environment(**properties), "LERN_REDIS__BROKER": self.broker_url}


@contextmanager
def bridge(environment: dict[str, str], log: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A bridge process that writes to `log`; ended at the end, if it still runs, the hard way."""
    arguments = arguments or ("--job", "activity_aggregate_updater")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", *arguments], env=environment, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stop(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGTERM) -> int:
    """End the process by a signal and return its exit status."""
    process.send_signal(number)
    return process.wait(timeout=20)
