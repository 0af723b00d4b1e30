"""The worked example of relations, through the task."""

import json

from lern_tasks.sunbird.tables import CONTENT_HIERARCHY
from tests.harness.course import publish
from tests.harness.in_process import Chain
from tests.jobs.relations.rules.trees import content, course, documented_course, unit

KEYS = {
    "do_c1:do_c1:leafnodes": {"r1", "r2", "r3", "r4"},
    "do_c1:un1:leafnodes": {"r1", "r2"},
    "do_c1:un2:leafnodes": {"r2", "r3", "r4"},
    "do_c1:sb1:leafnodes": {"r3"},
    "do_c1:do_c1:optionalnodes": {"r2", "r4"},
    "do_c1:un1:optionalnodes": {"r2"},
    "do_c1:un2:optionalnodes": {"r4"},
    "do_c1:r1:ancestors": {"un1", "do_c1"},
    "do_c1:r2:ancestors": {"un1", "un2", "do_c1"},
    "do_c1:r3:ancestors": {"sb1", "un2", "do_c1"},
    "do_c1:r4:ancestors": {"un2", "do_c1"},
}


def keys(chain: Chain) -> dict[str, set[str]]:
    """The documented keys; beside them lies our list of them."""
    client = chain.ctx.redis.client("relation_cache")
    names = [name for name in client.keys("*") if not name.endswith(":relation-keys")]
    assert {client.ttl(name) for name in names} <= {-1}
    return {name: client.smembers(name) for name in names}


def event(action: str = "post-publish-process") -> dict[str, object]:
    mime_type = "application/vnd.ekstep.content-collection"
    return {"edata": {"action": action, "identifier": "do_c1", "mimeType": mime_type}}


def test_a_published_course_has_the_documented_keys(chain: Chain) -> None:
    publish(chain, documented_course())
    assert keys(chain) == KEYS
    units = chain.ctx.redis.client("units")
    assert {name: json.loads(units.get(name))["identifier"] for name in units.keys("*")} == {
        "un1": "un1",
        "un2": "un2",
        "sb1": "sb1",
    }


def test_a_second_publication_replaces_the_keys(chain: Chain) -> None:
    publish(chain, documented_course())
    publish(chain, course(unit("un1", content("r1")), leafNodes=["r1"]))
    assert keys(chain) == {
        "do_c1:do_c1:leafnodes": {"r1"},
        "do_c1:un1:leafnodes": {"r1"},
        "do_c1:r1:ancestors": {"un1", "do_c1"},
    }


def test_a_hierarchy_that_is_not_there_yet_is_waited_for(chain: Chain) -> None:
    chain.send("relation_cache_updater", chain.record(event()))
    assert chain.run("relation_cache_updater", chain.record(event()))["again"] == 1
    chain.put(CONTENT_HIERARCHY, ("do_c1",), hierarchy=json.dumps(documented_course()))
    chain.drain()
    assert keys(chain) == KEYS
    assert not chain.published.messages


def test_two_publications_in_one_message_are_one_derivation_and_two_outcomes(chain: Chain) -> None:
    chain.put(CONTENT_HIERARCHY, ("do_c1",), hierarchy=json.dumps(documented_course()))
    counts = chain.run("relation_cache_updater", chain.record(event()), chain.record(event()), chain.record(event("x")))
    assert counts == {"done": 2, "skipped": 1, "again": 0, "dead": 0}


def test_a_hierarchy_that_cannot_be_read_is_a_dead_letter(chain: Chain) -> None:
    chain.put(CONTENT_HIERARCHY, ("do_c1",), hierarchy="{")
    assert chain.run("relation_cache_updater", chain.record(event()))["dead"] == 1
    assert keys(chain) == {}
