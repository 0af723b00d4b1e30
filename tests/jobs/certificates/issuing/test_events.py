"""Events of the generator's topic: what is valid, and the words in which the rest is refused."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest, parse
from lern_tasks.jobs.certificates.rules.document import Details
from tests.harness.generate_events import ABSENT, EDATA, SVG, event, parsed, refused
from tests.harness.malformed import texts
from tests.jobs.certificates.rules.certificates import ISSUER, KEY, SIGNATORY


def test_the_documented_event() -> None:
    assert parse(event()) == GenerateRequest(
        key=KEY,
        name="Course Merit",
        recipient_name="Asha Rao",
        svg_template=SVG,
        template_id="tpl_7",
        issuer=ISSUER,
        signatories=[SIGNATORY],
        course_name="Fractions 101",
        old_id="",
        issued_on=datetime(2024, 2, 29, tzinfo=UTC),
        incomplete=(),
        details=Details(
            tag="0139000000000001",
            narrative="Course Merit",
            description="",
            logo="",
            valid_from="",
            expiry="",
            signing_key="",
            related=EDATA["related"],
        ),
    )


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("description", "description"),
        ("logo", "logo"),
        ("data.0.validFrom", "valid_from"),
    ],
)
def test_what_a_document_alone_shows(path: str, field: str) -> None:
    assert getattr(parsed(path, "x y").details, field) == "x y"
    assert getattr(parsed(path, None).details, field) == ""
    assert path.replace(".0", "[]") in str(refused(event(path, 5)))


def test_the_key_to_sign_with() -> None:
    assert parsed("keys", {"id": "7"}).details.signing_key == "7"


@pytest.mark.parametrize("value", [ABSENT, None, "", " "])
@pytest.mark.parametrize(
    "path", ["issuedDate", "oldId", "templateId", "courseName", "basePath", "tag", "orgId", "expiry", "keys"]
)
def test_optional_fields_may_be_absent_null_or_blank(path: str, value: Any) -> None:
    if path == "expiry" and value is ABSENT:
        value = None
    if path == "keys":
        value = None if value is ABSENT or value is None else {}
    found = parsed(path, value)
    assert found.key == KEY
    if path == "issuedDate":
        assert found.issued_on is None
    if path == "oldId":
        assert found.old_id == ""


REQUIRED = {
    "name": "edata.name",
    "svgTemplate": "edata.svgTemplate",
    "data": "edata.data",
    "data.0.recipientName": "edata.data[].recipientName",
    "data.0.recipientId": "edata.data[].recipientId",
    "issuer": "edata.issuer",
    "issuer.name": "edata.issuer.name",
    "issuer.url": "edata.issuer.url",
    "criteria": "edata.criteria.narrative",
    "criteria.narrative": "edata.criteria.narrative",
    "userId": "edata.userId",
    "related": "edata.related",
    "related.courseId": "edata.related.courseId",
    "related.batchId": "edata.related.batchId",
}


@pytest.mark.parametrize("value", [ABSENT, None, "", " ", [], {}, 5, True])
@pytest.mark.parametrize("path", REQUIRED)
def test_a_required_field_that_is_missing_null_blank_or_of_another_type_is_named(path: str, value: Any) -> None:
    error = refused(event(path, value))
    assert error.field == REQUIRED[path]
    assert str(error).startswith(f"{error.field} is ")
    assert "; " in str(error), "the message must name a remedy"


@pytest.mark.parametrize("path", ["name", "svgTemplate", "issuer", "issuer.url", "criteria.narrative", "tag"])
def test_a_message_about_the_template_names_it(path: str) -> None:
    value = "batch-1" if path == "tag" else None
    assert "(template tpl_7)" in str(refused(event(path, value)))


def test_a_message_never_quotes_the_learner() -> None:
    for path, value in (("data.0.recipientId", "Asha Rao"), ("data", [{"recipientName": "Asha"}, {}])):
        assert "Asha" not in str(refused(event(path, value)))


@pytest.mark.parametrize(
    "value",
    [
        [{"recipientName": "A", "recipientId": "u-42"}, {"recipientName": "B", "recipientId": "u-43"}],
        ["u-42"],
        [None],
        "Asha",
    ],
)
def test_one_recipient_an_event(value: Any) -> None:
    assert refused(event("data", value)).field.startswith("edata.data")


def test_the_certificate_is_for_the_learner_whose_row_is_written() -> None:
    assert "one event a user" in str(refused(event("data.0.recipientId", "u-43")))


@pytest.mark.parametrize(
    ("value", "incomplete"),
    [
        ([SIGNATORY], ()),
        ([], ("edata.signatoryList",)),
        (ABSENT, ("edata.signatoryList",)),
        (None, ("edata.signatoryList",)),
        (
            [{"name": "", "id": "", "designation": "", "image": ""}],
            tuple(f"edata.signatoryList[0].{name}" for name in ("name", "id", "designation", "image")),
        ),
        ([SIGNATORY, {**SIGNATORY, "image": " "}], ("edata.signatoryList[1].image",)),
        ([{**SIGNATORY, "id": 5}], ("edata.signatoryList[0].id",)),
        (["CEO"], tuple(f"edata.signatoryList[0].{name}" for name in ("name", "id", "designation", "image"))),
    ],
)
def test_what_the_signatories_lack_is_listed_and_left_to_the_setting(value: Any, incomplete: tuple[str, ...]) -> None:
    found = parsed("signatoryList", value)
    assert found.incomplete == incomplete
    assert found.signatories == ([] if value is ABSENT or value is None else value)


@pytest.mark.parametrize("value", [{}, {"name": "CEO"}, "CEO", 5, False])
def test_signatories_that_are_no_list_are_refused_whatever_the_setting(value: Any) -> None:
    assert refused(event("signatoryList", value)).field == "edata.signatoryList"


@pytest.mark.parametrize("path", ["issuedDate", "oldId", "templateId", "courseName", "basePath", "tag", "expiry"])
@pytest.mark.parametrize("value", [5, True, ["x"], {"x": 1}])
def test_optional_fields_of_another_type_are_refused(path: str, value: Any) -> None:
    assert refused(event(path, value)).field == f"edata.{path}"


@pytest.mark.parametrize("path", ["userId", "related.courseId", "related.batchId", "oldId"])
@pytest.mark.parametrize("value", ["a\0b", "x" * 21_001])
def test_ids_must_fit_a_row(path: str, value: str) -> None:
    assert refused(event(path, value)).field == f"edata.{path}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("tag", tag) for tag in ("x" * 129, "😀" * 33, "a\0b", "a\x1bb", "a\\b", "..")),
        *(("svgTemplate", url) for url in (f"https://cdn.example/{'x' * 4_000}", "https://cdn.example/\0.svg")),
        *(("keys", {"id": key}) for key in ("x" * 1_001, "7\0")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_becomes_a_path_or_an_address_is_short_and_without_control_characters(path: str, value: Any) -> None:
    assert refused(event(path, value)).field.startswith(f"edata.{path}")
    assert parsed("tag", "क" * 42).details.tag == "क" * 42


def test_what_is_replaced() -> None:
    assert parsed("oldId", "1-9").old_id == "1-9"


def test_the_first_violation_in_the_documented_order_is_named() -> None:
    order = ["name", "svgTemplate", "data", "issuer", "criteria", "tag", "basePath"]
    data = json.loads(event())
    data["edata"] |= dict.fromkeys(order) | {"tag": "a b", "basePath": "x"}
    for path in order:
        assert refused(json.dumps(data)).field.startswith(f"edata.{path}")
        data["edata"][path] = EDATA[path]
    assert parse(json.dumps(data)).key == KEY


@pytest.mark.parametrize("value", [None, "", "null", "[]", "{", "{}", '{"edata":null}', '{"edata":[]}', '{"edata":{}}'])
def test_what_is_no_event(value: str | None) -> None:
    refused(value)


@given(texts(EDATA, names=[*EDATA, "keys", "expiry"]))
def test_any_text_is_read_or_refused(value: str) -> None:
    try:
        found = parse(value)
    except InvalidEvent:
        return
    assert found.name.strip()
    assert found.recipient_name.strip()


nested = st.sampled_from(["data.0.recipientName", "data.0.recipientId", "issuer.publicKey", "related.courseId"])


@given(path=nested, value=st.none() | st.text() | st.integers() | st.lists(st.text() | st.integers()))
def test_any_nested_value_is_read_or_refused(path: str, value: Any) -> None:
    data = deepcopy(EDATA)
    data["issuer"] = {**ISSUER, "publicKey": []}
    data["keys"] = {"id": "1"}
    holder: Any = data
    *holders, name = (int(part) if part.isdecimal() else part for part in path.split("."))
    for part in holders:
        holder = holder[part]
    holder[name] = value
    try:
        found = parse(json.dumps({"edata": data}))
    except InvalidEvent:
        return
    assert found.recipient_name.strip()
    assert found.key.user_id == "u-42"
