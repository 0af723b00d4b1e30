"""The events that ask for certificates, field by field."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.jobs.certificates.rules.requests import (
    EligibleCertificate,
    business_key,
    clean_course_name,
    generate_event,
    issue_event,
    recipient_name,
)
from tests.harness.generate_events import EDATA
from tests.jobs.certificates.rules.certificates import KEY, template

STORAGE = CloudStorage(placeholder="CLOUD_BASE_PATH", base="https://obj.dev.sunbirded.org/sunbird-content-staging")
USER = {"firstName": "Asha", "lastName": "Rao", "rootOrgId": "0123456789"}
COMPLETED_MS = 1_709_164_800_000
NOW_MS = 1_709_164_900_000
BASE = {"batchId": "0139000000000001", "courseId": "do_9001", "type": "Course Merit"}


def earned(additional: dict[str, Any] | None = None, **fields: Any) -> EligibleCertificate:
    values: dict[str, Any] = {
        "key": KEY,
        "template": template(additionalProps=additional),
        "old_id": "",
        "completed_ms": COMPLETED_MS,
        "user": USER,
        "course_name": "Fractions 101",
        "percent": None,
        "enrolment": {},
        **fields,
    }
    return EligibleCertificate(**values)


def generated(entry: EligibleCertificate) -> dict[str, Any]:
    return generate_event(entry, STORAGE, cert_base="https://dev.sunbirded.org/certs", now_ms=NOW_MS)


def edata(entry: EligibleCertificate) -> Any:
    return generated(entry)["edata"]


def test_the_issue_event() -> None:
    event = issue_event(KEY, now_ms=1_700_000_000_000)
    prefix, ets, uuid = event.pop("mid").split(".")
    assert (prefix, ets, str(UUID(uuid))) == ("LP", "1700000000000", uuid)
    assert event == {
        "eid": "BE_JOB_REQUEST",
        "ets": 1_700_000_000_000,
        "actor": {"id": "Course Certificate Generator", "type": "System"},
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
        "object": {"id": "0139000000000001_do_9001", "type": "CourseCertificateGeneration"},
        "edata": {
            "userIds": ["u-42"],
            "action": "issue-certificate",
            "iteration": 1,
            "trigger": "auto-issue",
            "batchId": "0139000000000001",
            "courseId": "do_9001",
            "reIssue": False,
        },
    }


def test_a_re_issue_says_so() -> None:
    assert issue_event(KEY, now_ms=1, reissue=True)["edata"]["reIssue"] is True


def test_the_generate_event() -> None:
    event = generated(
        earned(
            {"enrollment": ["completedOn"], "assessment": ["score"]},
            enrolment={"completedOn": COMPLETED_MS},
            percent={"do_1": 75.0},
        )
    )
    prefix, uuid = event.pop("mid").split(".")
    assert (prefix, str(UUID(uuid))) == ("LMS", uuid)
    assert event == {
        "actor": {"id": "Certificate Generator", "type": "System"},
        "eid": "BE_JOB_REQUEST",
        "edata": {
            **EDATA,
            "related": {
                **BASE,
                "enrollment": {"completedOn": COMPLETED_MS},
                "assessment": {"score": {"do_1": 75.0}},
            },
        },
        "ets": NOW_MS,
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.learning.platform"}},
        "object": {"id": "u-42", "type": "GenerateCertificate"},
    }
    assert json.loads(msgspec.json.encode(event)) == event


@pytest.mark.parametrize(
    ("user", "org"), [({"firstName": "A"}, ""), ({"firstName": "A", "rootOrgId": None}, None), (USER, "0123456789")]
)
def test_the_organisation(user: dict[str, Any], org: str | None) -> None:
    assert edata(earned(user=user))["orgId"] == org


def test_what_is_replaced_travels_as_old_id() -> None:
    assert edata(earned(old_id="c1"))["oldId"] == "c1"


def test_no_signatories_is_an_empty_list() -> None:
    assert edata(earned(template=template(signatoryList=None)))["signatoryList"] == []


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("CLOUD_BASE_PATH/a.svg", f"{STORAGE.base}/a.svg"),
        ("CLOUD_BASE_PATH/a.svg?x=CLOUD_BASE_PATH", f"{STORAGE.base}/a.svg?x={STORAGE.base}"),
        ("https://elsewhere.example/a.svg", "https://elsewhere.example/a.svg"),
    ],
)
def test_every_placeholder_of_the_url_is_replaced(url: str, sent: str) -> None:
    assert edata(earned(template=template(url=url)))["svgTemplate"] == sent


def test_without_a_placeholder_urls_stay_as_they_are() -> None:
    assert CloudStorage(placeholder="", base="https://x").opened("https://a/b.svg") == "https://a/b.svg"


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2024, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC), "2024-02-29"),
        (datetime(2024, 3, 1, tzinfo=UTC), "2024-03-01"),
        (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01"),
    ],
)
def test_the_day_of_issue_is_that_of_utc(at: datetime, day: str) -> None:
    assert edata(earned(completed_ms=int(at.timestamp() * 1000)))["issuedDate"] == day


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"firstName": "Asha", "lastName": "Rao"}, "Asha Rao"),
        ({"firstName": "Manju", "lastName": "null"}, "Manju"),
        ({"firstName": "Manju", "lastName": "NULL"}, "Manju"),
        ({"firstName": None, "lastName": "Rao"}, "Rao"),
        ({"firstName": " Asha ", "lastName": " "}, "Asha"),
        ({"firstName": "", "lastName": "Rao"}, "Rao"),
        ({"firstName": "Nullah"}, "Nullah"),
        ({"firstName": "Øystein", "lastName": "राव"}, "Øystein राव"),
        ({"firstName": 5, "lastName": ["x"]}, ""),
        ({"firstName": "null", "lastName": None}, ""),
        ({}, ""),
    ],
)
def test_recipient_name(user: dict[str, Any], name: str) -> None:
    assert recipient_name(user) == name


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("Fractions 101", "Fractions 101"),
        (r"Say \"hi\"", 'Say "hi"'),
        (r"It\'s", "It's"),
        (r"a\\b", r"a\b"),
        (r"a\tb\nc\rd\fe\bf", "abcdef"),
        ("a\tb\x00c\x1fd", "abcd"),
        ("a\x7fb", "a\x7fb"),
        (r"\101\60\0601", "A001"),
        (r"\400", " 0"),
        (r"\377", "ÿ"),
        (r"\18", "8"),
        (r"\d and \9", r"\d and \9"),
        (r"\u0041", r"\u0041"),
        ("ends in \\", "ends in \\"),
        ("गणित", "गणित"),
        ("", ""),
    ],
)
def test_course_name(stored: str, name: str) -> None:
    assert clean_course_name(stored) == name


@given(st.text())
def test_any_course_name_is_read_and_keeps_no_control_character(stored: str) -> None:
    assert not re.search(r"[\x00-\x1f]", clean_course_name(stored))


LOCATIONS = [
    {"type": "state", "name": "Assam"},
    {"type": "block", "name": "B1"},
    {"type": "district"},
    "not an object",
]


@pytest.mark.parametrize(
    ("additional", "fields", "added"),
    [
        pytest.param(None, {}, {}, id="nothing asked for"),
        pytest.param(
            {"location": ["state", "district", "cluster"]},
            {"user": {**USER, "userLocations": LOCATIONS}},
            {"location": {"state": "Assam", "district": None}},
            id="only locations asked for and there",
        ),
        pytest.param({"location": ["state"]}, {"user": {**USER, "userLocations": []}}, {}, id="no location"),
        pytest.param({"location": ["state"]}, {"user": {**USER, "userLocations": None}}, {}, id="null locations"),
        pytest.param({"location": ["state"]}, {}, {}, id="user without locations"),
        pytest.param(
            {"enrollment": ["completedOn", "datetime"]},
            {"enrolment": {"completedOn": 1, "datetime": None}},
            {"enrollment": {"completedOn": 1, "datetime": None}},
            id="a null column stays null",
        ),
        pytest.param({"assessment": ["score"]}, {"percent": None}, {}, id="no assessment criterion"),
        pytest.param({"assessment": ["score"]}, {"percent": {}}, {"assessment": {"score": {}}}, id="no attempt"),
        pytest.param({"assessment": ["max"]}, {"percent": {"do_1": 75.0}}, {}, id="score not asked for"),
        pytest.param({"user": ["firstName", "absent"]}, {}, {"firstName": "Asha"}, id="fields that the user has"),
        pytest.param({"course": ["name"]}, {}, {"course": {"name": "Fractions 101"}}, id="course"),
        pytest.param({"course": ["whatever"]}, {}, {"course": {"name": "Fractions 101"}}, id="course, by any word"),
        pytest.param({"course": []}, {}, {}, id="course, by none"),
        pytest.param(
            {"user": ["location", "course"], "location": ["state"], "course": ["name"]},
            {"user": {"location": "mine", "course": "mine", "userLocations": LOCATIONS}},
            {"location": "mine", "course": {"name": "Fractions 101"}},
            id="later groups win",
        ),
        pytest.param(
            {"user": ["batchId", "courseId", "type"]},
            {"user": {"batchId": "x", "courseId": "x", "type": "x"}},
            {},
            id="batch, course and type cannot be overwritten",
        ),
    ],
)
def test_related(additional: dict[str, Any] | None, fields: dict[str, Any], added: dict[str, Any]) -> None:
    assert edata(earned(additional, **fields))["related"] == {**BASE, **added}


def test_the_course_name_is_clean_wherever_it_stands() -> None:
    data = edata(earned({"course": ["name"]}, course_name=r"A\tB \d"))
    assert (data["courseName"], data["related"]["course"]["name"]) == (r"AB \d", r"AB \d")


def test_the_business_key_is_the_certificate_and_not_the_event() -> None:
    first = business_key(earned())
    assert first == business_key(earned(template=template(name="COURSE merit"), completed_ms=5, course_name="Other"))
    assert first != business_key(earned(old_id="c1"))
    assert first != business_key(earned(template=template(name="Participation")))
    assert generated(earned())["mid"] == generated(earned(course_name="Other"))["mid"]
    assert generated(earned())["mid"] != generated(earned(old_id="c1"))["mid"]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
user_fields = st.sampled_from(["firstName", "lastName", "rootOrgId", "userLocations", "framework", "type", "batchId"])


@given(user=st.dictionaries(user_fields, values), name=st.text(), asked=st.lists(user_fields))
def test_whatever_the_user_service_says_the_ids_are_those_of_the_enrolment(
    user: dict[str, Any], name: str, asked: list[str]
) -> None:
    event = generated(earned({"user": asked, "location": ["state"]}, user=user, course_name=name))
    assert {field: event["edata"]["related"][field] for field in BASE} == BASE
    assert event["edata"]["data"][0]["recipientId"] == event["edata"]["userId"] == "u-42"
    assert msgspec.json.decode(msgspec.json.encode(event))["edata"]["name"] == "Course Merit"
