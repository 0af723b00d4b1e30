"""What the registry is sent, and what is recognised in its answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.certificates.rules.registry_request import (
    RegistryCertificate,
    bad_texts,
    create_body,
    is_same,
    search_filters,
)
from lern_tasks.settings.certificates import CollectionCertificateGeneratorSettings
from tests.jobs.certificates.rules.certificates import ISSUER, KEY, SIGNATORY

KID = "1-25a8c96b-0000-4000-8000-000000000001"
OLD = "1-11111111-0000-4000-8000-000000000009"
URL = "https://obj.dev.sunbirded.org/sunbird-content-staging/content/tpl_7/artifact/merit.svg"
DEFAULT = CollectionCertificateGeneratorSettings().task_rc_badcharlist


def certificate(**fields: Any) -> RegistryCertificate:
    values: dict[str, Any] = {
        "key": KEY,
        "name": "Course Merit",
        "recipient_name": "Asha Rao",
        "course_name": "Fractions 101",
        "template_url": URL,
        "issuer": {**ISSUER, "publicKey": ["1", "2"]},
        "signatories": [SIGNATORY],
        "old_id": OLD,
        **fields,
    }
    return RegistryCertificate(**values)


def body(bad: str = DEFAULT, kid: str = KID, **fields: Any) -> dict[str, Any]:
    return create_body(certificate(**fields), kid=kid, bad_texts=bad_texts(bad))


def test_the_body_of_a_re_issue() -> None:
    assert body() == {
        "certificateLabel": "Course Merit",
        "status": "ACTIVE",
        "templateUrl": URL,
        "training": {"id": "do_9001", "name": "Fractions 101", "type": "Course", "batchId": "0139000000000001"},
        "recipient": {"id": "u-42", "name": "Asha Rao"},
        "issuer": {"url": "https://council.example/", "name": "State Council", "kid": KID},
        "signatory": [SIGNATORY],
        "oldId": OLD,
    }


def test_a_first_issue_has_no_old_id() -> None:
    first = body(old_id="")
    assert "oldId" not in first
    assert first | {"oldId": OLD} == body()


def test_null_members_are_left_out() -> None:
    assert body(signatories=[{**SIGNATORY, "image": None}])["signatory"] == [
        {"name": "R. Iyer", "id": "CEO", "designation": "CEO"}
    ]


@pytest.mark.parametrize("signatories", [[], [{"name": "", "id": "", "designation": "", "image": ""}]])
def test_incomplete_signatories_go_as_they_are(signatories: list[Any]) -> None:
    assert body(signatories=signatories)["signatory"] == signatories


def test_the_default_list_means_four_texts_in_values() -> None:
    assert bad_texts(DEFAULT) == ["\\aaa", "\\x00", "Ø", "Ý"]


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Øystein", "ystein"),
        ("Ýmir Ø", "mir "),
        (r"a\x00b", "ab"),
        (r"a\aaab", "ab"),
        ("a\0b", "ab"),
        (r"C:\temp", r"C:\temp"),
        ('quote " and \\', 'quote " and \\'),
        ("x00 aaa", "x00 aaa"),
        ("Ö Y गणित 🎓", "Ö Y गणित 🎓"),
    ],
)
def test_bad_texts_are_removed_from_values(value: str, sent: str) -> None:
    made = body(name=value, recipient_name=value, course_name=value, signatories=[{**SIGNATORY, "name": value}])
    assert made["certificateLabel"] == sent
    assert made["recipient"]["name"] == sent
    assert made["training"]["name"] == sent
    assert made["signatory"][0]["name"] == sent
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize(
    ("setting", "texts"),
    [
        ("", []),
        (",,", []),
        (" , \t", []),
        ("\\", []),
        ("\\\\", []),
        ("Ø", ["Ø"]),
        ("Ø, Ý ,Ø", ["Ø", "Ý"]),
        ("a,abc,ab", ["abc", "ab", "a"]),
        (DEFAULT + ",\\", ["\\aaa", "\\x00", "Ø", "Ý"]),
    ],
)
def test_the_setting(setting: str, texts: list[str]) -> None:
    assert bad_texts(setting) == texts


def test_letters_may_stay() -> None:
    assert bad_texts(DEFAULT, keep_letters=True) == ["\\aaa", "\\x00"]


@pytest.mark.parametrize("broken", ["Class 5\nMaths", "Class 5\r\nMaths", "Class 5\n\tMaths"])
def test_a_line_break_in_a_name_is_a_blank(broken: str) -> None:
    made = body(name=broken, recipient_name=broken, course_name=broken, issuer={**ISSUER, "name": broken})
    names = [made["certificateLabel"]] + [made[part]["name"] for part in ("training", "recipient", "issuer")]
    assert names == ["Class 5 Maths"] * 4


def test_another_list_replaces_the_default() -> None:
    assert body(bad="#", name="#1 Øystein")["certificateLabel"] == "1 Øystein"


texts = st.text(st.sampled_from("ab\\x0ØÝ\0é\"'"))


@given(name=texts, recipient=texts, signatory=texts)
def test_no_bad_text_that_stood_alone_is_left_and_ids_stay(name: str, recipient: str, signatory: str) -> None:
    made = body(name=name, recipient_name=recipient, signatories=[{**SIGNATORY, "name": signatory}])
    for value in (made["certificateLabel"], made["recipient"]["name"], made["signatory"][0]["name"]):
        assert not set(value) & {"Ø", "Ý", "\0"}
    assert (made["recipient"]["id"], made["training"]["id"]) == ("u-42", "do_9001")
    assert set(made["signatory"][0]) == set(SIGNATORY)


def test_the_search_for_a_first_issue_asks_for_learner_and_batch() -> None:
    assert search_filters(certificate(old_id="")) == {
        "recipient.id": {"eq": "u-42"},
        "training.batchId": {"eq": "0139000000000001"},
    }


def test_the_search_for_a_re_issue_asks_for_what_it_replaces() -> None:
    assert search_filters(certificate()) == {"oldId": {"eq": OLD}}


def entity(old_id: str = "", **members: Any) -> dict[str, Any]:
    """What the registry has of the certificate: the body, and what it adds itself."""
    stored = body(old_id=old_id)
    stored["recipient"] = {**stored["recipient"], "osid": "1-r"}
    return {**stored, "osid": "1-9", "osOwner": ["anonymous"], "osCreatedAt": "2024-03-01T10:00:00.123Z", **members}


def test_the_same_certificate() -> None:
    assert is_same(entity(), body(old_id=""))
    assert is_same(entity(OLD), body())
    assert is_same(entity(oldId=None), body(old_id=""))
    assert is_same(entity(templateUrl="https://other.example/x.svg"), body(old_id=""))


def test_a_name_with_bad_texts_is_recognised_by_what_was_sent() -> None:
    sent = body(old_id="", name="Øystein's Merit")
    assert is_same(entity(certificateLabel="ystein's Merit"), sent)


@pytest.mark.parametrize(
    "members",
    [
        {"certificateLabel": "Participation"},
        {"certificateLabel": None},
        {"recipient": {"id": "u-4"}},
        {"recipient": None},
        {"recipient": "u-42"},
        {"training": {"id": "do_9001", "batchId": "0139000000000002"}},
        {"training": {"id": "do_9002", "batchId": "0139000000000001"}},
        {"training": []},
        {"oldId": OLD},
        {"status": "REVOKED"},
        {"status": "DELETED"},
        {"status": None},
        {"osid": ""},
        {"osid": None},
    ],
)
def test_what_a_loose_search_brings_along_is_not_the_same(members: dict[str, Any]) -> None:
    assert not is_same(entity(**members), body(old_id=""))


def test_a_first_issue_is_not_its_re_issue() -> None:
    assert not is_same(entity(), body())
    assert not is_same(entity("1-other"), body())


def test_an_empty_answer_is_not_the_same() -> None:
    assert not is_same({}, body())
