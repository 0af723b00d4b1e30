"""The document of a certificate, address by address, and what the old registry is sent."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.certificates.rules.access_code import access_code
from lern_tasks.jobs.certificates.rules.document import certificate_id, certificate_object, register_request, signature
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.jobs.certificates.rules.certificate_documents import BASE, ID, RELATED, TAG, document
from tests.jobs.certificates.rules.certificates import KEY

CONTEXT = f"{BASE}/v1/context.json"
CAUSE = ("dev.generate.certificate.request", 3, 17)


def test_the_document() -> None:
    assert certificate_object(document()) == {
        "@context": CONTEXT,
        "id": f"{BASE}/{TAG}/{ID}",
        "type": ["Assertion", "Extension", "extensions:CertificateExtension"],
        "issuedOn": "2024-02-29T00:00:00Z",
        "expires": "",
        "revoked": False,
        "recipient": {
            "@context": CONTEXT,
            "identity": "u-42",
            "type": ["id"],
            "hashed": False,
            "name": "Asha Rao",
        },
        "badge": {
            "@context": CONTEXT,
            "id": f"{BASE}/{TAG}/{TAG}/Badge.json",
            "type": ["BadgeClass"],
            "name": "Fractions 101",
            "criteria": {"type": ["Criteria"], "narrative": "Course Merit"},
            "issuer": {
                "@context": CONTEXT,
                "id": f"{BASE}/Issuer.json",
                "type": ["Issuer"],
                "name": "State Council",
                "url": "https://council.example/",
                "publicKey": [],
            },
        },
        "evidence": {
            "@context": CONTEXT,
            "id": f"{BASE}/Evidence.json",
            "type": ["Evidence", "Extension", "extensions:TrainingEvidence"],
            "name": "Fractions 101",
        },
        "signatory": [
            {
                "@context": f"{BASE}v1/extensions/SignatoryExtension/context.json",
                "identity": "CEO",
                "type": ["Extension", "extensions:SignatoryExtension"],
                "designation": "CEO",
                "image": "https://cdn.example/sign.png",
                "name": "R. Iyer",
            }
        ],
    }


def test_without_tag_no_address_has_one() -> None:
    for tag in ("", " "):
        entry = document(tag=tag)
        found = certificate_object(entry)
        assert (found["id"], found["badge"]["id"]) == (f"{BASE}/{ID}", f"{BASE}/Badge.json")
        assert entry.file_name == f"{ID}.json"


def test_the_address_of_the_code_has_no_tag() -> None:
    assert document().address == f"{BASE}/{ID}"


def test_without_course_the_badge_has_the_certificates_name_and_there_is_no_evidence() -> None:
    found = certificate_object(document(course_name=""))
    assert found["badge"]["name"] == "Course Merit"
    assert "evidence" not in found


def test_what_the_event_says_besides() -> None:
    found = certificate_object(
        document(description="well done", logo="https://cdn.example/l.png", valid_from="2024-03-01", expiry="1y")
    )
    assert (found["badge"]["description"], found["badge"]["image"]) == ("well done", "https://cdn.example/l.png")
    assert (found["validFrom"], found["expires"]) == ("2024-03-01", "2025-02-28T00:00:00Z")


@pytest.mark.parametrize("signatories", [[], ["text", 5, None]])
def test_an_incomplete_signatory_list_leaves_out_what_is_none(signatories: list[Any]) -> None:
    assert certificate_object(document(signatories=signatories))["signatory"] == []


def test_a_signatory_without_fields_has_none() -> None:
    (found,) = certificate_object(document(signatories=[{"name": "", "image": 5}]))["signatory"]
    assert {"name": ""}.items() <= found.items()
    assert not {"image", "identity", "designation"} & found.keys()


def test_the_signature() -> None:
    assert signature(document(signing_key="7"), "abc", created_ms=1_709_287_200_123) == {
        "type": "LinkedDataSignature2015",
        "creator": f"{BASE}/{TAG}/7_publicKey.json",
        "created": "2024-03-01T10:00:00.123Z",
        "signatureValue": "abc",
    }
    assert signature(document(tag="", signing_key="7"), "abc", created_ms=0)["creator"] == f"{BASE}/7_publicKey.json"


def test_the_request_to_the_registry() -> None:
    request = {
        "id": ID,
        "jsonUrl": f"{BASE}/{TAG}/{ID}.json",
        "jsonData": {"a": 1},
        "accessCode": "A2B3C4",
        "recipientName": "Asha Rao",
        "recipientId": "u-42",
        "related": RELATED,
    }
    assert register_request(document(), {"a": 1}, "A2B3C4") == {"request": request}
    assert register_request(document(old_id="c1"), {"a": 1}, "A2B3C4") == {"request": {**request, "oldId": "c1"}}


def test_an_id_is_of_one_certificate_and_one_cause() -> None:
    other = EnrolmentKey(user_id="u-43", course_id=KEY.course_id, batch_id=KEY.batch_id)
    assert certificate_id(KEY, "Merit", "", CAUSE) == certificate_id(KEY, "MERIT", "", CAUSE)
    found = {
        certificate_id(KEY, "Merit", "", CAUSE),
        certificate_id(KEY, "Merit", "c1", CAUSE),
        certificate_id(KEY, "Participation", "", CAUSE),
        certificate_id(other, "Merit", "", CAUSE),
        certificate_id(KEY, "Merit", "", ("dev.generate.certificate.request", 3, 18)),
    }
    assert len(found) == 5


@given(st.text(), st.text(), st.uuids().map(str))
def test_an_access_code_is_three_times_a_letter_and_a_digit(name: str, old_id: str, identifier: str) -> None:
    code = access_code(KEY, name, old_id, identifier)
    assert re.fullmatch("(?:[A-HJ-NP-Z][1-9]){3}", code)
    assert code == access_code(KEY, name.lower(), old_id, identifier)


def test_codes_are_spread_and_not_worked_out_of_the_id() -> None:
    codes = [access_code(KEY, "Merit", "", str(number)) for number in range(2000)]
    # Ten million codes: two equal ones in two thousand happen once in five times.
    assert len(set(codes)) > 1990
    assert {code[0] for code in codes} == set("ABCDEFGHJKLMNPQRSTUVWXYZ")
    assert {code[5] for code in codes} == set("123456789")
    other = EnrolmentKey(user_id="u-43", course_id=KEY.course_id, batch_id=KEY.batch_id)
    assert access_code(KEY, "Merit", "", ID) != access_code(other, "Merit", "", ID)
