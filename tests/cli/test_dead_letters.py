import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client

from lern_tasks.cli import printing
from lern_tasks.cli.dead_letters import sources
from lern_tasks.connections.kafka import KafkaOut, OutMessage
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.subject import subject_of
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.errors import RefusedByService
from lern_tasks.jobs.relations.refresh_request import _event
from lern_tasks.settings import Settings
from tests.cli.conftest import Lern, bury_spilled, event

TOPIC = "dev.activity.agg.failed"
Bury = Callable[..., None]


def _list(lern_command: Lern, *options: str) -> list[dict[str, Any]]:
    result = lern_command("dead-letters", "list", "--json", *options)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.output)
    return rows


def _messages(redis: Redis, queue: str) -> list[dict[str, Any]]:
    client = redis_client.Redis.from_url(f"{redis.url}/0", decode_responses=True)
    try:
        return [json.loads(str(text)) for text in reversed(client.lrange(queue, 0, -1))]
    finally:
        client.close()


def test_list_says_what_failed_and_shows_nothing_of_the_event_but_ids(lern_command: Lern, bury: Bury) -> None:
    bury(event("u1", name="Asha Rao"))
    (row,) = _list(lern_command)
    assert (row["topic"], row["partition"], row["offset"]) == (TOPIC, 0, 0)
    assert (row["job"], row["code"], row["users"]) == ("activity_aggregate_updater", "INVALID_EVENT", ["u1"])
    assert "courseId is missing" in row["error"]
    assert row["replayed"] is None
    table = lern_command("dead-letters", "list").output
    assert "courseId is missing" in table
    assert "Asha" not in table


def test_a_narrow_terminal_gets_a_block_a_letter(
    lern_command: Lern, bury: Bury, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "_PIPE_WIDTH", 80)
    bury(event("u1", courseId="c1", batchId="b1"))
    shown = lern_command("dead-letters", "list").output.splitlines()
    assert shown[0] == f"{TOPIC}:0:0  2023-11-14T22:13:20Z  activity_aggregate_updater  INVALID_EVENT"
    assert "    user u1  course c1  batch b1" in shown
    assert shown[-1] == "1 dead letters"


def test_letters_are_counted_by_cause(lern_command: Lern, bury: Bury) -> None:
    bury(event("u1"), event("u2"))
    bury(event("u3"), error=RefusedByService("the registry says no"))
    shown = lern_command("dead-letters", "list", "--causes").output
    assert shown.startswith("2 x  activity_aggregate_updater  INVALID_EVENT: courseId is missing")
    assert "1 x  activity_aggregate_updater  REFUSED: the registry says no" in shown
    assert shown.endswith("3 dead letters, 2 causes\n")


def test_a_request_for_the_relation_cache_shows_user_and_course(lern_command: Lern, bury: Bury) -> None:
    waiting = Record(value=event("u1", courseId="do_1", batchId="b1").decode(), topic="t")
    bury(json.dumps(_event("do_1", subject_of(waiting.text), 17)).encode())
    (row,) = _list(lern_command)
    assert (row["users"], row["course"], row["batch"]) == (["u1"], "do_1", "b1")


@pytest.mark.parametrize(("failed_ms", "again"), [(1_600_000_000_000, False), (4_000_000_000_000, True)])
def test_a_replayed_letter_says_whether_its_record_failed_again(
    lern_command: Lern, bury: Bury, failed_ms: int, again: bool
) -> None:
    bury(event("u1"))
    assert lern_command("dead-letters", "replay", "--all").exit_code == 0
    bury(event("u1"), failed_ms=failed_ms)
    row = next(row for row in _list(lern_command) if row["offset"] == 0)
    assert row["failed_again"] == (f"{TOPIC}:0:1" if again else None)
    shown = lern_command("dead-letters", "list").output
    assert ("failed again" in " ".join(shown.split())) is again


def test_list_reads_to_the_end_from_several_fetches(lern_command: Lern, bury: Bury) -> None:
    bury(*(event(f"u{number}", padding="x" * 900) for number in range(2000)))
    rows = _list(lern_command)
    assert [row["offset"] for row in rows] == list(range(2000))


def test_an_empty_installation_has_no_dead_letters(lern_command: Lern, installation: Settings) -> None:
    assert _list(lern_command) == []


@pytest.mark.parametrize(
    ("options", "users"),
    [
        ((), ["u1", "u2", "u3"]),
        (("--user", "u2"), ["u2"]),
        (("--course", "c2"), ["u2"]),
        (("--course", "c2", "--batch", "b1"), []),
        (("--batch", "b2"), ["u2"]),
        (("--error", "refused"), ["u3"]),
        (("--error", "COURSEID"), ["u1", "u2"]),
        (("--job", "activity-aggregate-updater"), ["u1", "u2", "u3"]),
        (("--job", "relation_cache_updater"), []),
        (("--since", "2023-11-15T00:00:00Z"), ["u3"]),
        (("--limit", "1"), ["u1"]),
    ],
)
def test_list_is_restricted(lern_command: Lern, bury: Bury, options: tuple[str, ...], users: list[str]) -> None:
    bury(event("u1"), event("u2", courseId="c2", batchId="b2"))
    bury(event("u3"), error=RefusedByService("the registry says no"), failed_ms=1_701_000_000_000)
    assert [row["users"][0] for row in _list(lern_command, *options)] == users


@pytest.mark.parametrize(
    "value",
    [
        b'{"edata": {"userIds": ["u7", "u8"]}}',
        b'{"edata": {"data": [{"recipientId": "u7"}]}}',
        b'{"userId": "u7"}',
        b'{"edata": {"fromAccountId": "u7", "toAccountId": "u8"}}',
    ],
)
def test_user_ids_are_found_in_the_events_of_all_jobs(lern_command: Lern, bury: Bury, value: bytes) -> None:
    bury(value, b"not json", b"[]", b"\xff")
    assert [row["offset"] for row in _list(lern_command, "--user", "u7")] == [0]


def test_a_dead_letter_of_a_flink_job_is_listed_shown_and_not_replayed(
    lern_command: Lern, installation: Settings
) -> None:
    kafka = KafkaOut(installation.kafka)
    assert kafka.publish([OutMessage(topic=TOPIC, value=b'{"userId": "u1", "failInfo": {}}')]) == [None]
    kafka.close()
    (row,) = _list(lern_command)
    assert (row["job"], row["code"]) == (None, "NOT_OURS")
    assert '{"userId": "u1", "failInfo": {}}' in lern_command("dead-letters", "show", TOPIC, "0", "0").output
    assert "1 cannot be replayed" in lern_command("dead-letters", "replay", "--all").output


def test_show_prints_headers_and_the_untouched_value(lern_command: Lern, bury: Bury) -> None:
    value = b'{"edata":  {"userId": "u1", "name": "\xc3\x98ystein"}}'
    bury(value)
    result = lern_command("dead-letters", "show", TOPIC, "0", "0")
    assert result.exit_code == 0
    assert value.decode() in result.output
    assert "lern-topic: dev.coursebatch.job.request" in result.output
    assert "lern-offset: 0" in result.output
    assert "key: u1" in result.output


def test_show_prints_what_is_no_text_as_base64(lern_command: Lern, bury: Bury) -> None:
    bury(b"\xff\xfe\x00")
    shown = json.loads(lern_command("dead-letters", "show", TOPIC, "0", "0", "--json").output)
    assert base64.b64decode(shown["value"]) == b"\xff\xfe\x00"
    assert shown["encoding"] == "base64"


@pytest.mark.parametrize("place", [(TOPIC, "0", "1"), (TOPIC, "1", "0"), ("dev.nothing", "0", "0")])
def test_show_says_what_is_not_there(lern_command: Lern, bury: Bury, place: tuple[str, str, str]) -> None:
    bury(event("u1"))
    result = lern_command("dead-letters", "show", *place)
    assert result.exit_code == 2
    assert place[0] in result.output


def test_a_value_that_was_spilled_is_shown_and_replayed_whole(
    lern_command: Lern, installation: Settings, redis: Redis
) -> None:
    large = event("u1", padding="x" * 100_000)
    bury_spilled(installation, large)
    shown = lern_command("dead-letters", "show", TOPIC, "0", "0")
    assert large.decode() in shown.output
    assert "1 replayed" in lern_command("dead-letters", "replay", "--all").output
    (message,) = _messages(redis, "bulk")
    ((records,), _, _) = json.loads(base64.b64decode(message["body"]))
    assert records[0]["value"].encode() == large


def test_a_spilled_value_whose_file_is_gone_is_said(lern_command: Lern, installation: Settings, tmp_path: Path) -> None:
    bury_spilled(installation, event("u1"))
    shutil.rmtree(tmp_path / "files")
    shown = lern_command("dead-letters", "show", TOPIC, "0", "0")
    assert shown.exit_code == 0
    assert "cannot be fetched" in shown.output
    assert "1 cannot be replayed" in lern_command("dead-letters", "replay", "--all").output


def test_replay_sends_the_record_to_its_task_on_the_bulk_queue_once(
    lern_command: Lern, bury: Bury, redis: Redis
) -> None:
    bury(event("u1"), event("u2"))
    first = lern_command("dead-letters", "replay", "--user", "u2")
    assert first.exit_code == 0
    assert "1 replayed" in first.output
    (message,) = _messages(redis, "bulk")
    assert message["headers"]["task"] == "lern.activity_aggregate_updater"
    ((records,), options, _) = json.loads(base64.b64decode(message["body"]))
    assert options == {}
    assert [json.loads(record["value"]) for record in records] == [json.loads(event("u2"))]
    assert (records[0]["topic"], records[0]["partition"], records[0]["offset"]) == ("dev.coursebatch.job.request", 1, 1)
    assert not records[0].get("attempt")

    again = lern_command("dead-letters", "replay", "--all")
    assert "1 replayed before" in again.output
    assert f"replay --letter {TOPIC} 0 1 --again" in lern_command("dead-letters", "show", TOPIC, "0", "1").output
    assert f"replay --letter {TOPIC} 0 0" in lern_command("dead-letters", "list").output
    assert len(_messages(redis, "bulk")) == 2
    assert "2 replayed" in lern_command("dead-letters", "replay", "--all", "--again").output
    assert len(_messages(redis, "bulk")) == 4
    assert [bool(row["replayed"]) for row in _list(lern_command)] == [True, True]


def test_replay_dry_run_sends_and_marks_nothing(lern_command: Lern, bury: Bury, redis: Redis) -> None:
    bury(event("u1"))
    result = lern_command("dead-letters", "replay", "--all", "--dry-run")
    assert "1 would be replayed" in result.output
    assert _messages(redis, "bulk") == []
    assert _list(lern_command)[0]["replayed"] is None


def test_replay_of_one_dead_letter(lern_command: Lern, bury: Bury, redis: Redis) -> None:
    bury(event("u1"), event("u2"), event("u3"))
    result = lern_command("dead-letters", "replay", "--json", "--letter", TOPIC, "0", "1")
    (row,) = json.loads(result.output)
    assert (row["offset"], row["outcome"], row["users"]) == (1, "replayed", ["u2"])


def test_replay_wants_to_be_told_which(lern_command: Lern, bury: Bury) -> None:
    bury(event("u1"))
    result = lern_command("dead-letters", "replay")
    assert result.exit_code == 2
    assert "--all" in result.output


def test_replay_without_broker_marks_nothing(lern_command: Lern, bury: Bury, redis: Redis) -> None:
    bury(event("u1"))
    redis.stop()
    result = lern_command("dead-letters", "replay", "--all")
    assert result.exit_code == 2
    redis.start()
    assert "1 replayed" in lern_command("dead-letters", "replay", "--all").output


def test_list_without_redis_says_that_replays_are_not_known(lern_command: Lern, bury: Bury, redis: Redis) -> None:
    bury(event("u1"))
    redis.stop()
    result = lern_command("dead-letters", "list")
    assert result.exit_code == 0
    assert "not known" in result.output
    assert "courseId is missing" in result.output


def test_dead_letters_saved_to_a_directory_are_read_without_kafka(
    lern_command: Lern, bury: Bury, installation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(event("u1"), b"\xff", event("u3"))
    dead_letters = list(sources.from_topics(installation, [TOPIC]))
    sources.save(tmp_path, dead_letters)
    monkeypatch.setenv("LERN_KAFKA__BROKERS", "127.0.0.1:9")
    monkeypatch.setenv("LERN_REDIS__URL", "redis://127.0.0.1:9")
    assert [row["offset"] for row in _list(lern_command, "--from", str(tmp_path))] == [0, 1, 2]
    assert [row["offset"] for row in _list(lern_command, "--from", str(tmp_path), "--user", "u3")] == [2]
    shown = lern_command("dead-letters", "show", "--from", str(tmp_path), TOPIC, "0", "2")
    assert event("u3").decode() in shown.output


def test_a_directory_without_dead_letters_is_said(lern_command: Lern, tmp_path: Path) -> None:
    result = lern_command("dead-letters", "list", "--from", str(tmp_path))
    assert result.exit_code == 2
    assert sources.FILE_NAME in result.output


def test_a_job_that_does_not_exist_is_named(lern_command: Lern, installation: Settings) -> None:
    result = lern_command("dead-letters", "list", "--job", "agregator")
    assert result.exit_code == 2
    assert "agregator" in result.output
    assert "activity_aggregate_updater" in result.output
