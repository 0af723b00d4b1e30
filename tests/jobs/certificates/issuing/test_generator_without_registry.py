"""Certificates without the registry: what is written where, and what becomes of a request that cannot be met."""

from typing import Any
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
import resvg_py

from lern_tasks.jobs.certificates.issuing.issue_intents import Intent
from lern_tasks.jobs.certificates.rules.issue import intent_key
from lern_tasks.sunbird.tables import CERT_REGISTRY
from tests.harness import golden
from tests.harness.course import KEY, enrol
from tests.harness.without_registry import BASE, JOB, PREFIX, SVG, Documents, Make, svg_of
from tests.jobs.certificates.rules.certificates import issued

FAILED = "generate.certificate.failed"


@pytest.fixture
def certs(make_documents: Make) -> Documents:
    return make_documents()


def test_a_certificate_is_a_document_a_registration_and_an_element(certs: Documents) -> None:
    enrol(certs.chain, issued_certificates=issued(("Participation", "p1")))
    assert certs.run(certs.event())["done"] == 1
    (added,) = certs.added
    identifier, code = added["id"], added["accessCode"]
    ((name, document),) = certs.files.items()
    assert name == f"b1/{identifier}.json"
    assert added == {
        "id": identifier,
        "jsonUrl": f"{BASE}/b1/{identifier}.json",
        "jsonData": document,
        "accessCode": code,
        "recipientName": "Asha Rao",
        "recipientId": "u1",
        "related": {"batchId": "b1", "courseId": "do_c1", "type": "Course Merit"},
    }
    assert document["id"] == f"{BASE}/b1/{identifier}"
    assert document["badge"]["id"] == f"{BASE}/b1/b1/Badge.json"
    assert document["issuedOn"] == "2024-02-29T00:00:00Z"
    assert "signature" not in document
    assert certs.elements == [
        {"name": "Participation", "identifier": "p1", "token": ""},
        {
            "name": "Course Merit",
            "identifier": identifier,
            "token": code,
            "lastIssuedOn": "2023-11-14T22:13:20.000+0000",
        },
    ]
    assert certs.old.rows[identifier]["accesscode"] == code


def test_what_follows_is_as_with_the_registry(certs: Documents) -> None:
    certs.run(certs.event())
    identifier = certs.elements[0]["identifier"]
    assert certs.chain.events("telemetry.raw") == [golden.certificate_issued(identifier)]
    assert [sent.job for sent in certs.chain.sender.sent] == ["certificate_notification", "certificate_user_feed"]
    assert certs.chain.registry.requests == []


def test_an_event_without_date_is_issued_now(certs: Documents) -> None:
    certs.run(certs.event(issuedDate=None))
    (document,) = certs.files.values()
    assert document["issuedOn"] == "2023-11-14T22:13:20Z"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]


@pytest.mark.parametrize(
    "name", ["Asha Rao", "R&D <x> \"quoted\" 'single' ${qrCodeImage} 100% #1", "आशा राव", "a\x00b"]
)
def test_the_picture_is_xml_and_its_code_leads_to_the_certificate(certs: Documents, name: str) -> None:
    certs.run(certs.event(data=[{"recipientName": name, "recipientId": "u1"}]))
    (document,) = certs.files.values()
    assert document["printUri"].startswith(SVG)
    svg = svg_of(document)
    assert texts(svg) == [
        "Fractions 101",
        name.replace("\x00", ""),
        "has completed",
        "Fractions 101",
        "State Council, 29 February 2024",
        "CEO",
    ]
    picture = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2)), dtype=np.uint8)
    image = cv2.imdecode(picture, cv2.IMREAD_COLOR)
    assert image is not None
    text, _, _ = cv2.QRCodeDetectorAruco().detectAndDecode(image)
    assert text == f"{BASE}/{certs.elements[0]['identifier']}"


def test_a_key_signs_the_document(certs: Documents) -> None:
    certs.run(certs.event(keys={"id": "7"}))
    (document,) = certs.files.values()
    (request,) = certs.old.requests_to("POST", "/enc/sign/7")
    assert document["signature"]["creator"] == f"{BASE}/b1/7_publicKey.json"
    assert document["signature"]["created"] == "2023-11-14T22:13:20.000Z"
    signed = {name: value for name, value in document.items() if name not in ("signature", "printUri")}
    assert request.body == {"entity": signed}


def test_an_unsigned_certificate_is_never_issued_for_a_signed_one(certs: Documents) -> None:
    certs.old.switches.sign = "404"
    assert certs.run(certs.event(keys={"id": "7"}))["dead"] == 1
    assert (certs.files, certs.added, certs.elements) == ({}, [], [])


@pytest.mark.parametrize("packed", [False, True])
def test_the_same_event_twice_is_one_certificate(certs: Documents, packed: bool) -> None:
    records = [certs.chain.record(certs.event()), certs.chain.record(certs.event("COURSE MERIT"))]
    for group in [records] if packed else [[record] for record in records]:
        certs.chain.send(JOB, *group)
    certs.chain.drain()
    assert len(certs.elements) == len(certs.files) == len(certs.added) == 1
    assert len(certs.chain.events("telemetry.raw")) == 1


def test_many_certificates_of_one_process(certs: Documents) -> None:
    """The Flink job's storage client worked once in a process."""
    names = [f"Certificate {number}" for number in range(5)]
    assert certs.run(*(certs.event(name) for name in names))["done"] == 5
    assert [element["name"] for element in certs.elements] == names
    assert len(certs.files) == len(certs.old.rows) == 5
    assert len({element["token"] for element in certs.elements}) == 5
    # The template was downloaded once.
    assert len(certs.chain.platform.requests_to("GET", "/templates/merit.svg")) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_reissue_tells_the_registry_what_is_replaced(certs: Documents, times: int) -> None:
    certs.run(certs.event())
    (first,) = certs.elements
    for _ in range(times):
        certs.chain.send(JOB, certs.chain.record(certs.event(oldId=first["identifier"])))
    certs.chain.drain()
    (second,) = certs.elements
    assert second["identifier"] != first["identifier"]
    assert [request.get("oldId") for request in certs.added] == [None, first["identifier"]]
    assert certs.old.rows.keys() == {second["identifier"]}
    assert not list(certs.chain.sender.to("certificate_replacement"))


@pytest.mark.parametrize("mode", ["timeout_after_commit", "drop_after_commit", "500_after_commit"])
@pytest.mark.parametrize("old_id", ["", "c1"])
def test_a_registration_whose_answer_is_lost_is_adopted(make_documents: Make, mode: str, old_id: str) -> None:
    certs = make_documents(LERN_HTTP__READ_TIMEOUT="0.3")
    certs.old.switches.update({"add": mode, "add_times": 1})
    certs.chain.send(JOB, certs.chain.record(certs.event(oldId=old_id)))
    certs.chain.drain()
    (element,) = certs.elements
    assert certs.old.rows.keys() == {element["identifier"]}
    assert certs.old.rows[element["identifier"]]["accesscode"] == element["token"]
    assert certs.files.keys() == {f"b1/{element['identifier']}.json"}
    assert not certs.chain.published.to("failed")


def test_a_registration_that_fails_for_good_leaves_the_old_certificate(make_documents: Make) -> None:
    certs = make_documents(LERN_TASKS__MAX_OUTAGE="300")
    certs.run(certs.event())
    before = certs.elements
    certs.old.switches.add = "500"
    event = certs.event(oldId=before[0]["identifier"])
    certs.chain.send(JOB, certs.chain.record(event))
    certs.chain.drain()
    assert certs.elements == before
    (letter,) = certs.chain.published.to(FAILED)
    assert letter.value == certs.chain.record(event).raw()


def test_another_event_for_what_was_begun_goes_on_with_it(certs: Documents) -> None:
    """The first event died with its process and comes again later; meanwhile the learner's course was synchronised."""
    certs.old.switches.update({"add": "500", "add_times": 1})
    assert certs.run(certs.event())["again"] == 1
    (begun,) = certs.files
    assert certs.run(certs.event())["done"] == 1
    certs.chain.drain()
    assert certs.files.keys() == {begun}
    assert len(certs.elements) == len(certs.old.rows) == 1


def test_outages_are_waited_out(make_documents: Make) -> None:
    certs = make_documents()
    certs.old.refuse_for(0.3)
    assert certs.run(certs.event())["again"] == 1
    certs.chain.drain()
    assert len(certs.old.rows) == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"svgTemplate": "{platform}/templates/none.svg"}, "404"),
        ({"svgTemplate": "CLOUD_BASE_PATH/x.svg"}, "svgTemplate"),
        ({"expiry": "9999y"}, "edata.expiry"),
        ({"data": [{"recipientName": "Asha", "recipientId": "u1", "validFrom": 5}]}, "validFrom"),
        ({"related": {"batchId": "b1", "courseId": "do_c1"}}, "refuses with 400"),
    ],
)
def test_what_cannot_be_issued_is_refused(certs: Documents, fields: dict[str, Any], named: str) -> None:
    url = certs.chain.platform.url
    fields = {
        name: value.replace("{platform}", url) if isinstance(value, str) else value for name, value in fields.items()
    }
    assert certs.run(certs.event(**fields), certs.event("Other"))["dead"] == 1
    (letter,) = certs.chain.published.to(FAILED)
    assert named in dict(letter.headers)["lern-error"].decode()
    assert "Asha" not in dict(letter.headers)["lern-error"].decode()
    assert [element["name"] for element in certs.elements] == ["Other"]


def test_a_template_of_a_foreign_host_is_not_asked_for(make_documents: Make) -> None:
    certs = make_documents(LERN_HTTP__ALLOWED_HOSTS='["cdn.ours.example"]')
    assert certs.run(certs.event())["dead"] == 1
    assert certs.chain.platform.requests_to("GET", "/templates/merit.svg") == []


def test_a_suppressed_signatory_list_is_issued_without(certs: Documents) -> None:
    assert certs.run(certs.event(signatoryList=[]), certs.event("Other", signatoryList=["text"]))["done"] == 2
    assert [document["signatory"] for document in certs.files.values()] == [[], []]


def test_settings_that_are_missing_make_the_events_wait(make_documents: Make) -> None:
    certs = make_documents(**{f"{PREFIX}CERT_CONTAINER_NAME": "", f"{PREFIX}SOFT_TIME_LIMIT": "1"})
    assert certs.run(certs.event())["again"] == 1
    assert certs.elements == certs.added == []
    assert not certs.chain.published.to("failed")


def test_what_the_row_names_otherwise_is_withdrawn_from_the_old_registry_only(make_documents: Make) -> None:
    certs = make_documents()
    enrol(certs.chain, issued_certificates=issued(("Course Merit", "m1")))
    for each in ("c7", "other"):
        certs.chain.put(CERT_REGISTRY, (each,), isrevoked=False)
    key = f"{intent_key(KEY, 'Course Merit', '')}:document"
    certs.chain.ctx.intents.write(key, Intent(since_ms=certs.chain.time_ms, osid="c7"))
    certs.chain.send(JOB, certs.chain.record(certs.event()))
    certs.chain.drain()
    assert certs.chain.row(CERT_REGISTRY, ("c7",)) == {}
    assert certs.chain.row(CERT_REGISTRY, ("other",)) != {}
    assert certs.chain.registry.requests == []
    assert [element["identifier"] for element in certs.elements] == ["m1"]


def test_an_index_that_is_away_does_not_keep_the_row(make_documents: Make) -> None:
    certs = make_documents(**{f"{PREFIX}ES_BASEPATH": "127.0.0.1:9", f"{PREFIX}SOFT_TIME_LIMIT": "1"})
    certs.chain.put(CERT_REGISTRY, ("c7",), isrevoked=False)
    event = {"user_id": "u1", "course_id": "do_c1", "batch_id": "b1", "certificate_id": "c7"}
    assert certs.chain.run("certificate_replacement", certs.chain.record(event))["again"] == 1
    assert certs.chain.row(CERT_REGISTRY, ("c7",)) == {}


def test_the_notes_of_the_two_ways_are_apart(certs: Documents) -> None:
    """The setting was changed after a certificate had been created in the registry, and the process died."""
    certs.chain.ctx.intents.write(intent_key(KEY, "Course Merit", ""), Intent(since_ms=1, osid="1-registry"))
    assert certs.run(certs.event())["done"] == 1
    assert certs.elements[0]["identifier"] != "1-registry"
