"""What nobody should send, for each topic: each must become a dead letter, with its value untouched."""

import copy
import json
from collections.abc import Sequence
from typing import Any

COLLECTION = "application/vnd.ekstep.content-collection"

ANYWHERE: dict[str, bytes | None] = {
    "tombstone": None,
    "empty": b"",
    "no JSON": b'{"edata": {"action": ',
    "text": b'"text"',
    "list": b"[{}]",
    "number": b"1e999",
    "no edata": b'{"eid": "BE_JOB_REQUEST"}',
    "edata null": b'{"edata": null}',
    "edata list": b'{"edata": []}',
    "no UTF-8": b'\xff\xfe{"edata"',
    "UTF-8 cut": '{"edata": "डू"}'.encode()[:-4],
    "NUL bytes": b"\x00" * 50,
    "deep": b"[" * 100_000,
    "deep object": b'{"edata":' * 20_000 + b"1" + b"}" * 20_000,
    "almost 1 MB": b"x" * 990_000,
}
"""Refused by every job."""


def of_topic(suffix: str, good: dict[str, Any]) -> dict[str, bytes | None]:
    """Refused on this topic: `good`, an event that the job takes, with one thing wrong; all of them whole."""
    wrong = {name: changed(good, path, value) for name, path, value in CHANGES[suffix]}
    large = {**changed(good, *REQUIRED[suffix]), "pad": "डू" * 160_000}
    values = {name: json.dumps(event).encode() for name, event in wrong.items()}
    return {**ANYWHERE, **values, "almost 1 MB, well-formed": json.dumps(large, ensure_ascii=False).encode()}


def changed(event: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The event with another value at a dotted path, below `edata` where there is one; `...` removes it."""
    result = copy.deepcopy(event)
    *way, last = path.split(".")
    holder = result.get("edata", result)
    for name in way:
        holder = holder[name]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return result


_TEXTS = (
    ("missing", ...),
    ("null", None),
    ("blank", " "),
    ("number", 5),
    ("list", ["a"]),
)

_IDS = (
    *_TEXTS,
    ("NUL", "a\x00b"),
    ("half a character", "a\ud800"),
    ("too long", "a" * 1_001),
)


def _changed(values: Sequence[tuple[str, Any]], *paths: str) -> list[tuple[str, str, Any]]:
    return [(f"{path} {name}", path, value) for path in paths for name, value in values]


def _ids(*paths: str) -> list[tuple[str, str, Any]]:
    return _changed(_IDS, *paths)


CHANGES: dict[str, list[tuple[str, str, Any]]] = {
    "content.postpublish.request": _ids("identifier"),
    "coursebatch.job.request": [
        *_ids("userId", "courseId", "batchId"),
        ("contents null", "contents", None),
        ("contents object", "contents", {"contentId": "r1", "status": 2}),
        ("contents of texts", "contents", ["r1"]),
        ("content id number", "contents", [{"contentId": 7, "status": 2}]),
        ("content id NUL", "contents", [{"contentId": "a\x00", "status": 2}]),
        ("content id half a character", "contents", [{"contentId": "a\udc00", "status": 2}]),
    ],
    "issue.certificate.request": [
        *_ids("courseId", "batchId"),
        ("users a text", "userIds", "u1"),
        ("user a number", "userIds", [1]),
        ("user null", "userIds", [None]),
        ("user half a character", "userIds", ["\ud800"]),
        ("reissue a text", "reIssue", "true"),
    ],
    "generate.certificate.request": [
        *_ids("userId", "related.courseId", "related.batchId"),
        *_changed(_TEXTS, "name", "svgTemplate", "criteria.narrative", "issuer.url"),
        ("data null", "data", None),
        ("data empty", "data", []),
        ("issuer without url", "issuer", {"name": "X"}),
        ("issuer a text", "issuer", "X"),
        ("criteria null", "criteria", None),
        ("date", "issuedDate", "29.02.2024"),
        *(("tag", "tag", tag) for tag in ("a" * 300, "😀" * 200, "a\x00b")),
        ("template too long", "svgTemplate", "https://cdn.example/" + "a" * 70_000),
        ("key too long", "keys", {"id": "a" * 70_000}),
    ],
    "batch.enrolment.sync.request": _ids("userId", "courseId", "batchId"),
    "lms.user.account.merge": [
        *_ids("fromAccountId", "toAccountId"),
        ("action unknown", "action", "split-accounts"),
    ],
    "telemetry.assess": [
        *_ids("userId", "courseId", "batchId", "contentId", "attemptId"),
        *_changed((("missing", ...), ("text", "yesterday"), ("float", 1.5)), "assessmentTs"),
        ("events a text", "events", "none"),
        ("events of texts", "events", ["q1"]),
        ("answer without item", "events", [{"ets": 1, "edata": {"resvalues": []}}]),
        ("answer without time", "events", [{"edata": {"resvalues": [], "item": {"id": "q", "params": []}}}]),
    ],
}

REQUIRED = {
    "content.postpublish.request": ("identifier", ...),
    "coursebatch.job.request": ("userId", ...),
    "issue.certificate.request": ("courseId", ...),
    "generate.certificate.request": ("issuer", ...),
    "batch.enrolment.sync.request": ("userId", ...),
    "lms.user.account.merge": ("toAccountId", ...),
    "telemetry.assess": ("userId", ...),
}
"""What is left out of the large event."""
