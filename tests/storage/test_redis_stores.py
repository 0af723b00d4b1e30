"""Locks, markers, counters, intents and relation keys: the same on fakeredis and on a real Redis."""

import threading

from lern_tasks.connections.redis import Client
from lern_tasks.delivery.dead_letter import DeadLetter, Failure
from lern_tasks.delivery.delivery_counter import DeliveryCounter
from lern_tasks.delivery.equal_letters import EqualLetters, letter_key
from lern_tasks.delivery.idempotency import IdempotencyKeys
from lern_tasks.delivery.locks import Locks
from lern_tasks.delivery.record import Record
from lern_tasks.jobs.certificates.issuing.issue_intents import Intent, Intents
from lern_tasks.jobs.progress.dedup_markers import DedupMarkers, Seen
from lern_tasks.jobs.progress.rules.content_counts import Counts, PendingCounts
from lern_tasks.jobs.relations.relation_cache import RelationCache
from lern_tasks.jobs.relations.rules.hierarchy import Relations
from lern_tasks.sunbird.content_metadata import Metadata
from tests.harness.waiting import wait_until


def test_only_one_takes_a_lock_and_the_rest_is_taken_in_the_same_call(client: Client) -> None:
    one, other = Locks(client, lease=10), Locks(client, lease=10)
    mine = one.acquire(["a", "b"])
    assert set(mine.tokens) == {"a", "b"}
    theirs = other.acquire(["b", "c"])
    assert set(theirs.tokens) == {"c"}
    assert theirs.tokens["c"] > mine.tokens["a"]
    assert mine.release() == frozenset()
    assert set(other.acquire(["a", "b"]).tokens) == {"a", "b"}


def test_tokens_rise_strictly_and_are_microseconds_of_the_server(client: Client) -> None:
    locks = Locks(client, lease=10)
    tokens = [locks.acquire([f"k{number}"]).tokens[f"k{number}"] for number in range(50)]
    assert tokens == sorted(set(tokens))
    seconds, _ = client.time()
    assert abs(tokens[-1] / 1_000_000 - seconds) < 5


def test_a_lock_lost_meanwhile_is_reported_at_release_and_not_taken_from_its_new_owner(client: Client) -> None:
    late, owner = Locks(client, lease=0.06), Locks(client, lease=10)
    holding = late.acquire(["a"])
    late._held.clear()  # as when the process was stopped: nothing is renewed
    wait_until(lambda: owner.acquire(["a"]).tokens, seconds=5, what="the lease ends")
    assert holding.release() == frozenset({"a"})
    assert not late.acquire(["a"]).tokens


def test_a_held_lock_is_renewed_beyond_its_lease(client: Client) -> None:
    locks = Locks(client, lease=0.3)
    holding = locks.acquire(["a"])
    gone = threading.Event()
    assert not gone.wait(1.0)
    assert not Locks(client, lease=1).acquire(["a"]).tokens
    assert holding.release() == frozenset()


def test_rounds_wait_for_busy_locks_without_holding_others(client: Client) -> None:
    locks, other = Locks(client, lease=10), Locks(client, lease=10)
    busy = other.acquire(["b"])
    seen: list[set[str]] = []
    for holding in locks.acquire_in_batches(["a", "b"], wait=5):
        seen.append(set(holding.tokens))
        if len(seen) == 1:
            assert other.acquire(["a"]).tokens == {}
            holding.release()
            busy.release()
    assert seen == [{"a"}, {"b"}]


def test_rounds_leave_out_what_stays_busy(client: Client) -> None:
    Locks(client, lease=10).acquire(["b"])
    covered = [set(holding.tokens) for holding in Locks(client, lease=10).acquire_in_batches(["a", "b"], wait=0.1)]
    assert covered == [{"a"}]


def test_locks_are_taken_together_or_not_at_all(client: Client) -> None:
    locks, other = Locks(client, lease=10), Locks(client, lease=10)
    busy = other.acquire(["b"])
    assert locks.acquire_all(["a", "b"], wait=0) is None
    assert set(other.acquire(["a"]).tokens) == {"a"}
    busy.release()
    assert locks.acquire_all(["a", "b"], wait=0) is None
    found = locks.acquire_all(["b", "c"], wait=0)
    assert found is not None
    assert set(found.tokens) == {"b", "c"}
    assert len(set(found.tokens.values())) == 1
    assert found.release() == frozenset()


def test_pending_counts_are_there_until_the_marker_is_set(client: Client) -> None:
    seen = DedupMarkers(client, expiry=100, pending_ttl=1000)
    pending = PendingCounts(base=Counts(view=1, completed=0), intended=Counts(view=2, completed=1))
    seen.write_ahead({"C1": pending})
    assert seen.read(["C1", "C2"]) == Seen(pending={"C1": pending})
    assert client.ttl("lern:pending:C1") <= 100
    seen.mark(["C1"])
    assert seen.read(["C1", "C2"]) == Seen(marked=frozenset({"C1"}))
    assert client.get("C1") == ""
    assert 0 < client.ttl("C1") <= 100
    assert not client.exists("lern:pending:C1")


def test_equal_letters_are_counted_while_the_first_is_known_and_no_longer(client: Client) -> None:
    equal, letter = EqualLetters(client), dead_letter()
    key = letter_key(letter.failure, letter.record)
    assert key is not None
    assert not equal.came_before(letter)
    equal.published([letter])
    client.expire(key, 50)
    assert [equal.came_before(letter) for _ in range(2)] == [True, True]
    equal.published([letter])
    assert (equal.counts([key, None, "lern:letter:none"]), client.ttl(key)) == ([3, 1, 1], 50)
    equal.forget(key)
    assert not equal.came_before(letter)
    assert not client.exists(key)


def dead_letter() -> DeadLetter:
    value = '{"edata": {"userIds": ["u1"], "courseId": "do_c1", "batchId": "b1"}}'
    failure = Failure(
        job="collection_cert_pre_processor",
        code="INVALID_EVENT",
        error="wrong",
        exception="InvalidEvent",
        attempts=1,
        first_failed_ms=1,
        last_failed_ms=1,
    )
    return DeadLetter(record=Record(value=value, topic="t"), failure=failure, topic="dev.failed")


def test_deliveries_count_up_and_are_forgotten(client: Client) -> None:
    deliveries = DeliveryCounter(client)
    assert [deliveries.increment("t"), deliveries.increment("t")] == [1, 2]
    deliveries.reset("t")
    assert deliveries.increment("t") == 1


def test_intents_and_once(client: Client) -> None:
    intents = Intents(client, ttl=100)
    assert intents.read("k") is None
    intents.write("k", Intent(since_ms=5))
    assert intents.read("k") == Intent(since_ms=5)
    intents.write("k", Intent(since_ms=5, osid="1-a"))
    assert intents.read("k") == Intent(since_ms=5, osid="1-a")
    intents.forget("k")
    assert intents.read("k") is None
    once = IdempotencyKeys(client)
    assert [once.claim("n", expiry=10), once.claim("n", expiry=10)] == [True, False]
    once.release("n")
    assert once.claim("n", expiry=10)


def _relations(**leaves: set[str]) -> Relations:
    return Relations(
        leaf_nodes={name: frozenset(ids) for name, ids in leaves.items()},
        optional_nodes={"c": frozenset({"r2"})} if "un1" in leaves else {},
        ancestors={"r1": frozenset({"un1", "c"})} if "un1" in leaves else {},
        units={"un1": {"identifier": "un1"}} if "un1" in leaves else {},
    )


def test_relations_are_replaced_and_what_is_gone_is_removed(client: Client) -> None:
    cache = RelationCache(client, client)
    assert cache.replace("c", _relations(c={"r1", "r2"}, un1={"r1"})) == 5
    found = cache.read({"c": ["r1"], "d": ["x"]})
    assert found["c"].leaf_nodes == {"r1", "r2"}
    assert found["c"].optional_nodes == {"r2"}
    assert found["c"].ancestors == {"r1": frozenset({"un1", "c"})}
    assert found["c"].unit_leaf_nodes == {"un1": frozenset({"r1"})}
    assert found["d"].leaf_nodes == frozenset()
    assert client.get("un1") == '{"identifier":"un1"}'
    cache.replace("c", _relations(c={"r1"}))
    assert client.smembers("c:c:leafnodes") == {"r1"}
    assert not client.exists("c:c:optionalnodes", "c:un1:leafnodes", "c:r1:ancestors")


def test_the_first_run_removes_optional_flags_that_an_older_writer_left(client: Client) -> None:
    client.sadd("c:c:optionalnodes", "r9")
    RelationCache(client, client).replace("c", _relations(c={"r1"}))
    assert not client.exists("c:c:optionalnodes")


def test_metadata_is_read_by_any_spelling_and_bad_text_is_no_metadata(client: Client) -> None:
    client.set("r1", '{"contentType":"SelfAssess","total_questions":10,"empty":""}')
    client.set("r2", "not json")
    client.set("c", '{"name":"Fractions"}')
    metadata = Metadata(client, client)
    assert metadata.contents(["r1", "r2", "r3"]) == {"r1": {"contenttype": "SelfAssess", "totalquestions": 10}}
    assert metadata.collection("c") == {"name": "Fractions"}
    assert metadata.collection("d") == {}


def test_leaf_nodes_of_many_courses_at_once(client: Client) -> None:
    cache = RelationCache(client, client)
    client.sadd("do_1:do_1:leafnodes", "do_a", "do_b")
    client.sadd("do_1:do_u:leafnodes", "do_c")
    pairs = [("do_1", "do_a"), ("do_1", "do_c"), ("do_2", "do_a"), ("do_1", "do_b")]
    assert cache.are_leaf_nodes(pairs) == dict(zip(pairs, [True, False, None, True], strict=True))
    assert cache.are_leaf_nodes([]) == {}


def test_numbers_of_questions_by_any_spelling_of_their_name(client: Client) -> None:
    stored = {
        "do_1": '{"totalQuestions": 5, "name": "Quiz"}',
        "do_2": '{"total_questions": "7"}',
        "do_3": '{"TOTALQUESTIONS": 3.0}',
        "do_4": '{"totalQuestions": 0}',
        "do_5": '{"totalQuestions": null}',
        "do_6": '{"totalQuestions": "many"}',
        "do_7": "{}",
        "do_8": "no JSON",
    }
    client.mset(stored)
    counts = Metadata(client, client).question_counts([*stored, "do_9"])
    assert counts == {"do_1": 5.0, "do_2": 7.0, "do_3": 3.0}
