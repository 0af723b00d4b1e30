"""Kafka for the demo and the tests: librdkafka's mock cluster, which speaks the real protocol on 127.0.0.1.

It keeps 5 MiB or 100,000 batches a partition, in memory, and drops the oldest silently: never for data.
See docs/architecture.md, section "Embedded".
Run it with `python -m lern_tasks.demo.servers.kafka --topics NAME:NUMBER`.
"""

import argparse
from collections.abc import Mapping
from typing import Self

from lern_tasks.demo.servers.kafka_library import Library, MockCluster, find_library
from lern_tasks.demo.servers.kafka_public import PublicCluster
from lern_tasks.demo.servers.parent import (
    add_parent_argument,
    end_quietly_on_signals,
    serve_until_stopped,
    watch_parent,
)


class Kafka:
    """A broker on threads of this process: `with Kafka({"topic": 4}) as kafka: ... kafka.bootstrap`.

    Clients should set `fetch.wait.max.ms` 10, for that is how long an idle fetch takes here, and
    `session.timeout.ms` 2000: a later member joins a group after that time less a second.
    """

    def __init__(self, topics: Mapping[str, int], *, library: Library | None = None) -> None:
        """Start the broker.

        Args:
            topics: partitions by topic. A topic that is not named comes into being, with 4 partitions, at first use.
            library: librdkafka with its C interface; None looks for it, and without one does with the public
                configuration, in which every topic gets 4 partitions and a group's first join takes 3 seconds.

        Raises:
            RuntimeError: if the broker does not start or a topic cannot be created.
        """
        found = library or find_library()
        self._cluster: MockCluster | PublicCluster = (
            PublicCluster(topics) if found is None else MockCluster(found, topics)
        )
        self.bootstrap = self._cluster.bootstrap

    def close(self) -> None:
        """Stop the broker; what it kept is gone."""
        self._cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def parse_topics(text: str) -> dict[str, int]:
    """Read `name:partitions,name:partitions`; without a number a topic has one partition.

    Raises:
        ValueError: for a name that Kafka does not allow, a partition count that is not from 1 to 1000, or a repetition.
    """
    topics: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        name, _, count = part.partition(":")
        legal = name and len(name) <= 249 and all(c.isascii() and (c.isalnum() or c in "._-") for c in name)
        if not legal or name in topics:
            raise ValueError(f"{name!r} is no topic name, or named twice")
        if not (count or "1").isdecimal() or not 1 <= int(count or "1") <= 1000:
            raise ValueError(f"topic {name}: the number of partitions must be from 1 to 1000")
        topics[name] = int(count or "1")
    return topics


def main() -> None:
    """Serve in a process of its own and report `{"bootstrap": "127.0.0.1:port"}`; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m lern_tasks.demo.servers.kafka", description=__doc__)
    parser.add_argument("--topics", type=parse_topics, default={}, help="name:partitions,name:partitions,...")
    add_parent_argument(parser)
    options = parser.parse_args()
    watch_parent(options.parent_pid)
    end_quietly_on_signals()
    kafka = Kafka(options.topics)
    serve_until_stopped({"bootstrap": kafka.bootstrap}, kafka.close)


if __name__ == "__main__":
    main()
