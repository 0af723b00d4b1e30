import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut, OutMessage, TooLarge
from lern_tasks.delivery.dead_letter import DeadLetter, Failure, from_message, publish, to_message
from lern_tasks.delivery.record import Coordinates, Record
from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, RefusedByService
from lern_tasks.settings.shared import KafkaSettings
from tests.harness.mock_kafka import MockKafka, mock_kafka

TOPIC = "dev.activity.agg.failed"
FAILURE = Failure(
    job="activity_aggregate_updater",
    code="INVALID_EVENT",
    error="edata.userId is missing",
    exception="InvalidEvent",
    attempts=3,
    first_failed_ms=1_700_000_000_001,
    last_failed_ms=1_700_000_060_002,
    task_id="2f0c",
    trace="InvalidEvent\n  lern_tasks/events/progress.py:12 in parse",
)
RECORD = Record(
    value='{"edata": {"name": "Ása"}}',
    topic="dev.coursebatch.job.request",
    partition=3,
    offset=42,
    key="k1",
    timestamp=1_699_999_999_999,
    origin=Coordinates(topic="first", partition=1, offset=7),
)


def dead_letter(record: Record = RECORD, failure: Failure = FAILURE) -> DeadLetter:
    return DeadLetter(record=record, failure=failure, topic=TOPIC)


class LimitedKafka(KafkaOut):
    """Takes messages up to a size, value, key and headers counted, as a broker does."""

    def __init__(self, limit: int) -> None:
        super().__init__(KafkaSettings())
        self.limit = limit
        self.stored: list[OutMessage] = []
        self.flushes = 0

    def publish(self, messages: Sequence[OutMessage]) -> list[LernError | None]:
        self.flushes += 1
        return [self._take(message) for message in messages]

    def _take(self, message: OutMessage) -> LernError | None:
        headers = sum(len(name) + len(content) for name, content in message.headers)
        if len(message.value or b"") + len(message.key or b"") + headers > self.limit:
            return TooLarge("too large")
        self.stored.append(message)
        return None


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path.as_uri())


def test_golden_headers() -> None:
    message = to_message(dead_letter())
    assert message.topic == TOPIC
    assert message.value == '{"edata": {"name": "Ása"}}'.encode()
    assert message.key == b"k1"
    assert message.headers == (
        ("lern-job", b"activity_aggregate_updater"),
        ("lern-code", b"INVALID_EVENT"),
        ("lern-error", b"edata.userId is missing"),
        ("lern-exception", b"InvalidEvent"),
        ("lern-attempts", b"3"),
        ("lern-first-failed", b"2023-11-14T22:13:20.001Z"),
        ("lern-last-failed", b"2023-11-14T22:14:20.002Z"),
        ("lern-topic", b"dev.coursebatch.job.request"),
        ("lern-partition", b"3"),
        ("lern-offset", b"42"),
        ("lern-timestamp", b"1699999999999"),
        ("lern-origin-topic", b"first"),
        ("lern-origin-partition", b"1"),
        ("lern-origin-offset", b"7"),
        ("lern-task-id", b"2f0c"),
        ("lern-trace", b"InvalidEvent\n  lern_tasks/events/progress.py:12 in parse"),
    )


def test_a_record_that_a_task_handed_on_has_no_offset_and_no_empty_headers() -> None:
    failure = Failure(
        job="j", code="c", error="e", exception="x", attempts=1, first_failed_ms=0, last_failed_ms=0, task_id=None
    )
    names = [name for name, _ in to_message(dead_letter(Record(value="{}", topic="t"), failure)).headers]
    absent = {"lern-partition", "lern-offset", "lern-timestamp", "lern-origin-offset", "lern-task-id", "lern-trace"}
    assert not absent & set(names)
    assert "lern-origin-topic" in names


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        Record(value=None, topic="t", partition=0, offset=0, key=None, timestamp=-1),
        Record(value="", topic="t", key=""),
        Record.from_kafka(value=b"\xff\x00", topic="t", partition=1, offset=2, key=b"\xfe", timestamp=2**62),
    ],
)
def test_what_was_published_reads_back_as_the_record_delivered_before(record: Record) -> None:
    message = to_message(dead_letter(record))
    found, failure = from_message(list(message.headers), message.value, message.key)
    assert found == record.next(delivered_before=True)
    assert found.raw() == record.raw()
    assert failure == FAILURE


def test_retry_figures_start_anew() -> None:
    spent = RECORD.next(attempt=5, not_yet=2, first_failed_ms=1, not_before_ms=2)
    message = to_message(dead_letter(spent))
    found, _ = from_message(message.headers, message.value, message.key)
    assert (found.attempt, found.not_yet, found.first_failed_ms, found.not_before_ms) == (0, 0, None, None)


@pytest.mark.parametrize(
    "headers",
    [None, [], [("other", b"x")], [("lern-job", None)], [("lern-topic", b"t")]],
)
def test_a_message_of_another_program_is_an_invalid_event(headers: list[tuple[str, bytes | None]] | None) -> None:
    with pytest.raises(InvalidEvent, match="not a dead letter"):
        from_message(headers, b"{}", None)


def test_malformed_number_is_an_invalid_event() -> None:
    headers = [(name, b"many" if name == "lern-attempts" else v) for name, v in to_message(dead_letter()).headers]
    with pytest.raises(InvalidEvent):
        from_message(headers, b"{}", None)


def test_one_flush_for_all_dead_letters(files: Files) -> None:
    kafka = LimitedKafka(10_000)
    assert publish([dead_letter(), dead_letter()], kafka, files) == [None, None]
    assert kafka.flushes == 1
    assert publish([], kafka, files) == []


def test_a_size_error_first_costs_the_trace(files: Files, tmp_path: Path) -> None:
    big = Failure(**{**{name: getattr(FAILURE, name) for name in FAILURE.__slots__}, "trace": "x" * 900})
    kafka = LimitedKafka(1000)
    assert publish([dead_letter(failure=big), dead_letter()], kafka, files) == [None, None]
    trimmed = kafka.stored[1]
    assert trimmed.value == RECORD.raw()
    assert "lern-trace" not in dict(trimmed.headers)
    assert not list(tmp_path.iterdir())


def test_then_the_value_goes_into_a_file_and_comes_back_whole(files: Files) -> None:
    record = RECORD.next(value="é" * 5000)
    kafka = LimitedKafka(2000)

    assert publish([dead_letter(record), dead_letter()], kafka, files) == [None, None]

    spilled = kafka.stored[1]
    assert spilled.key == b"k1"
    reference = dict(spilled.headers)["lern-value-ref"].decode()
    assert json.loads(spilled.value or b"") == {"lern-value-ref": reference, "bytes": 10_000}
    found, failure = from_message(spilled.headers, spilled.value, spilled.key, files)
    assert found == record.next(delivered_before=True)
    assert failure.error == FAILURE.error


def test_a_long_key_goes_into_a_file_as_well(files: Files) -> None:
    record = RECORD.next(value=None, key="k" * 5000)
    kafka = LimitedKafka(2000)
    assert publish([dead_letter(record)], kafka, files) == [None]
    (spilled,) = kafka.stored
    assert spilled.value is None
    assert spilled.key is None
    assert from_message(spilled.headers, spilled.value, spilled.key, files)[0] == record.next(delivered_before=True)


def test_without_files_the_reference_stands_for_the_value(files: Files) -> None:
    kafka = LimitedKafka(2000)
    publish([dead_letter(RECORD.next(value="x" * 5000))], kafka, files)
    (spilled,) = kafka.stored
    assert from_message(spilled.headers, spilled.value, spilled.key)[0].raw() == spilled.value


def test_the_same_letter_again_writes_no_second_file(files: Files, tmp_path: Path) -> None:
    kafka = LimitedKafka(2000)
    for _ in range(2):
        assert publish([dead_letter(RECORD.next(value="x" * 5000))], kafka, files) == [None]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_the_file_store_away_is_an_outage_for_that_letter_only(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where a folder should be")
    broken = Files((tmp_path / "store").as_uri())
    kafka = LimitedKafka(2000)
    results = publish([dead_letter(RECORD.next(value="x" * 5000)), dead_letter()], kafka, broken)
    assert isinstance(results[0], DependencyDown)
    assert results[0].name == "files"
    assert results[1] is None


def test_what_is_still_too_large_is_reported(files: Files) -> None:
    results = publish([dead_letter(RECORD.next(value="x" * 5000))], LimitedKafka(10), files)
    assert isinstance(results[0], TooLarge)


def test_kafka_away_is_reported_a_letter(files: Files) -> None:
    kafka = KafkaOut(KafkaSettings(brokers="127.0.0.1:1", delivery_timeout=1))
    assert [type(error) for error in publish([dead_letter(), dead_letter()], kafka, files)] == [DependencyDown] * 2
    kafka.close()


def test_a_reference_of_a_lost_file_says_so(files: Files) -> None:
    headers = [*to_message(dead_letter()).headers, ("lern-value-ref", b"gone/x")]
    with pytest.raises(RefusedByService, match="gone/x"):
        from_message(headers, b"{}", None, files)


@pytest.fixture
def cluster() -> Iterator[MockKafka]:
    with mock_kafka() as opened:
        yield opened


def test_over_the_wire(cluster: MockKafka, files: Files) -> None:
    cluster.create(TOPIC)
    kafka = KafkaOut(KafkaSettings(brokers=cluster.bootstrap))
    binary = Record.from_kafka(value=b"\xff\x00{", topic="t", partition=1, offset=2, key=b"\xfe", timestamp=3)

    assert publish([dead_letter(), dead_letter(binary)], kafka, files) == [None, None]

    first, second = cluster.read(TOPIC, 2)
    assert from_message(first.headers(), first.value(), first.key()) == (RECORD.next(delivered_before=True), FAILURE)
    assert second.value() == b"\xff\x00{"
    assert second.key() == b"\xfe"
    kafka.close()
