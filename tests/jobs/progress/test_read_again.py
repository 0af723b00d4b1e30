"""`lern rewind` after the dedup markers were lost: what was counted is not counted again, what was lost is counted."""

from typing import Any

import pytest

from lern_tasks.delivery.record import Record
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.harness.course import KEY, ROW, batch, consumed, consumption, enrol, publish
from tests.harness.in_process import Chain
from tests.harness.scenario import finished

TOPIC = "dev.coursebatch.job.request"
LIMIT = 100


@pytest.fixture
def ready(chain: Chain) -> Chain:
    publish(chain)
    batch(chain, "Course Merit")
    enrol(chain)
    return chain


def record(chain: Chain, offset: int, *contents: str, **changes: Any) -> Record:
    return chain.record(finished(KEY, list(contents)), topic=TOPIC).next(offset=offset, **changes)


def lose(chain: Chain, *, rewound: bool = True) -> None:
    """Redis is lost, queues and markers; then the topic is rewound."""
    for role in ("state", "dedup"):
        chain.ctx.redis.client(role).flushdb()
    if rewound:
        chain.ctx.markers.read_again_below({(TOPIC, 0): LIMIT})


def views(chain: Chain) -> dict[str, tuple[int, int]]:
    found = {content: consumption(chain, content) for content in ("r1", "r2", "r3")}
    return {name: (row["viewcount"], row["completedcount"]) for name, row in found.items() if "viewcount" in row}


@pytest.mark.parametrize(("rewound", "times"), [(True, 1), (False, 2)])
def test_what_the_rows_show_as_counted_is_not_counted_again(ready: Chain, rewound: bool, times: int) -> None:
    events = [record(ready, 1, "r1"), record(ready, 2, "r2")]
    ready.run("activity_aggregate_updater", *events)
    before = ready.row(ENROLMENTS, ROW)
    lose(ready, rewound=rewound)
    for event in events:
        assert ready.run("activity_aggregate_updater", event)["done"] == 1
    assert views(ready) == {"r1": (times, times), "r2": (times, times)}
    after = ready.row(ENROLMENTS, ROW)
    assert (after["status"], after["progress"]) == (before["status"], before["progress"])


def test_what_was_lost_with_the_broker_is_counted_once(ready: Chain) -> None:
    ready.run("activity_aggregate_updater", record(ready, 1, "r1"))
    consumed(ready, "r2", viewcount=3)
    lose(ready)
    for _ in range(2):
        ready.run("activity_aggregate_updater", record(ready, 2, "r1", "r2"))
    assert views(ready) == {"r1": (1, 1), "r2": (4, 1)}


@pytest.mark.parametrize("packed", [True, False])
def test_what_came_after_is_counted_by_the_rules_of_any_event(ready: Chain, packed: bool) -> None:
    ready.run("activity_aggregate_updater", record(ready, 1, "r1"))
    lose(ready)
    events = [record(ready, 1, "r1"), record(ready, LIMIT, "r1")]
    for message in [events] if packed else [[event] for event in events]:
        ready.run("activity_aggregate_updater", *message)
    assert views(ready) == {"r1": (2, 2)}
    ready.run("activity_aggregate_updater", record(ready, LIMIT + 1, "r1", partition=1))
    assert views(ready) == {"r1": (2, 2)}, "its marker is back"


def test_a_certificate_whose_request_was_lost_is_asked_for_again(ready: Chain) -> None:
    ready.run("activity_aggregate_updater", record(ready, 1, "r1", "r2", "r3"))
    ready.sender.sent.clear()
    lose(ready)
    ready.run("activity_aggregate_updater", record(ready, 1, "r1", "r2", "r3"))
    ready.drain()
    assert [e["name"] for e in ready.row(ENROLMENTS, ROW)["issued_certificates"]] == ["Course Merit"]
    assert set(views(ready).values()) == {(1, 1)}


@pytest.mark.parametrize("death", range(1, 9))
def test_a_death_in_between_counts_what_was_lost_once(ready: Chain, death: int) -> None:
    ready.run("activity_aggregate_updater", record(ready, 1, "r1"))
    lose(ready)
    ready.send("activity_aggregate_updater", record(ready, 2, "r1", "r2"))
    ready.drain(death)
    assert views(ready) == {"r1": (1, 1), "r2": (1, 1)}


def test_a_second_rewind_takes_nothing_back(ready: Chain) -> None:
    lose(ready)
    ready.ctx.markers.read_again_below({(TOPIC, 0): 3, (TOPIC, 1): 7})
    client = ready.ctx.redis.client("dedup")
    assert client.hgetall("lern:read-again") == {f"{TOPIC}:0": str(LIMIT), f"{TOPIC}:1": "7"}
    assert 0 < client.ttl("lern:read-again") <= 30 * 24 * 3600
