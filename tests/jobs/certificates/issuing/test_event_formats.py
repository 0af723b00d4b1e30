"""Tags, addresses, keys and dates of the generator's events: which forms are valid."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lern_tasks.jobs.certificates.issuing.events import parse
from tests.harness.generate_events import event, parsed, refused
from tests.jobs.certificates.rules.certificates import ISSUER, KEY


@pytest.mark.parametrize("tag", ["0139000000000001", "batch_1", "Batch1", "दल", "", "  "])
def test_tags_of_letters_digits_and_underscores(tag: str) -> None:
    assert parsed("tag", tag).key == KEY


@pytest.mark.parametrize(
    "tag", ["batch-1", "a b", "a\tb", "\na", *(f"a{sign}b" for sign in "!@#$%^&*()+=,.?/\":;'{}|<>-")]
)
def test_tags_with_special_characters(tag: str) -> None:
    assert refused(event("tag", tag)).field == "edata.tag"


@pytest.mark.parametrize(
    "url", ["https://dev.sunbirded.org/certs", "http://localhost:9000", "HTTP://x.example", "ftp://x", "file:///certs"]
)
def test_base_paths(url: str) -> None:
    assert parsed("basePath", url).key == KEY


@pytest.mark.parametrize(
    "url", ["dev.sunbirded.org/certs", "/certs", "//x/certs", "http://", "gopher://x", "null/certs", "http://[", "x y"]
)
def test_base_paths_that_are_no_url(url: str) -> None:
    assert refused(event("basePath", url)).field == "edata.basePath"


def with_keys(keys: Any, public: Any) -> str:
    data = json.loads(event())
    data["edata"] |= {"keys": keys, "issuer": {**ISSUER, "publicKey": public}}
    return json.dumps(data)


@pytest.mark.parametrize(
    ("keys", "public"),
    [
        (None, ["1"]),
        ({}, ["1"]),
        ({"id": "1"}, None),
        ({"id": "1"}, []),
        ({"id": "1"}, ["2", "1"]),
        ({"id": "1"}, ["https://x.example/keys/1"]),
        ({"id": "1"}, ["https://x.example/keys/1/"]),
        ({"id": "1"}, "1"),
    ],
)
def test_keys(keys: Any, public: Any) -> None:
    assert parse(with_keys(keys, public)).key == KEY


@pytest.mark.parametrize(
    ("keys", "public"),
    [
        ({"id": "1"}, ["2"]),
        ({"id": ""}, []),
        ({"id": None}, []),
        ({"key": "1"}, []),
        ({"id": 1}, [1]),
        ("1", []),
        ([], []),
    ],
)
def test_keys_that_are_not_the_issuers(keys: Any, public: Any) -> None:
    assert refused(with_keys(keys, public)).field == "edata.keys.id"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2024-02-29T23:59:58Z", datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)),
    ],
)
def test_the_day_of_issue(text: str, at: datetime) -> None:
    assert parsed("issuedDate", text).issued_on == at


WRONG_DATES = [
    "2023-02-29",
    "2024-2-29",
    "2024-13-01",
    "29-02-2024",
    "2024-2-29T00:00:00Z",
    "2024-02-29T23:59:58",
    "2024-02-29T23:59:58.000Z",
    "2024-02-29T24:00:00Z",
    "2024-02-29 ",
    "٢٠٢٤-٠٢-٢٩",
    "0000-01-01",
    "today",
]


@pytest.mark.parametrize("text", WRONG_DATES)
def test_days_of_issue_that_are_none(text: str) -> None:
    assert refused(event("issuedDate", text)).field == "edata.issuedDate"


@pytest.mark.parametrize("text", ["2030-01-01T00:00:00Z", "1y", "2D", "1y 6m 10d", "1y  6M", " 1y "])
def test_expiry(text: str) -> None:
    assert parsed("expiry", text).key == KEY


@pytest.mark.parametrize(
    "text", ["2030-01-01", "1y6m", "1", "y", "1w", "1y soon", "-1y", "1.5y", "1 y", "2030-02-30T00:00:00Z"]
)
def test_expiries_that_are_none(text: str) -> None:
    assert refused(event("expiry", text)).field == "edata.expiry"
