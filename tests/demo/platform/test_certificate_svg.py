"""Certificates as pictures: they parse, carry the names, and their QR code leads to them."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import cv2
import httpx
import numpy as np
import pytest
import resvg_py
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.demo.platform.certificate_svg import default_template, render
from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from tests.demo.platform.test_registry import BODY

NAMES = ["Asha Rao", "R&D <x> \"quoted\" 'single' ]]> {{id}}", "आशा राव", "nul\x00 and bell\x07", "x" * 300]
CREDENTIAL: dict[str, Any] = {
    "id": "did:sunbird:1-9",
    "issuanceDate": "2024-03-01T10:00:00.123Z",
    "credentialSubject": {"type": "Merit", "recipientName": "Asha", "trainingName": "Fractions"},
    "issuer": {"name": "Council"},
}


def _texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]


def _decode(svg: str) -> str:
    picture = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg)), dtype=np.uint8)
    image = cv2.imdecode(picture, cv2.IMREAD_COLOR)
    assert image is not None
    # OpenCV's other detector misses a few good codes in a hundred.
    text, _, _ = cv2.QRCodeDetectorAruco().detectAndDecode(image)
    return str(text)


@pytest.fixture
def public() -> Iterator[Registry]:
    with Registry(public_url="https://learn.example/verify") as running:
        yield running


def _issue(client: httpx.Client, registry: Registry, **changes: Any) -> str:
    answer = client.post(f"{registry.api_url}/TrainingCertificate", json={**BODY, **changes})
    return str(answer.json()["result"]["TrainingCertificate"]["osid"])


def _picture(client: httpx.Client, registry: Registry, osid: str, **headers: str) -> httpx.Response:
    return client.get(f"{registry.api_url}/TrainingCertificate/{osid}", headers={"Accept": "image/svg+xml", **headers})


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_shows_its_names_and_leads_to_itself(client: httpx.Client, public: Registry, name: str) -> None:
    osid = _issue(client, public, recipient={"id": "u-42", "name": name})
    answer = _picture(client, public, osid)
    assert answer.headers["content-type"] == "image/svg+xml"
    shown = name.replace("\x00", "").replace("\x07", "")
    assert {shown, "Fractions 101", "Course Merit", "State Council"} <= set(_texts(answer.text))
    assert _decode(answer.text) == f"https://learn.example/verify/certs/{osid}"


def test_the_address_of_the_code_shows_the_certificate_until_it_is_withdrawn(
    client: httpx.Client, registry: Registry
) -> None:
    osid = _issue(client, registry)
    address = _decode(_picture(client, registry, osid).text)
    assert "Asha Rao" in _texts(client.get(address).text)
    client.delete(f"{registry.api_url}/TrainingCertificate/{osid}")
    assert client.get(address).status_code == 404


def test_a_template_of_the_platform_is_used(client: httpx.Client, registry: Registry, platform: PlatformApi) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><text>{{credentialSubject.recipientName}} did it</text></svg>'
    platform.add(templates={"merit.svg": svg})
    osid = _issue(client, registry, templateUrl=platform.template_url("merit.svg"))
    chosen = _picture(client, registry, osid, template=platform.template_url("merit.svg"))
    assert _texts(chosen.text) == ["Asha Rao did it"]
    assert _texts(client.get(registry.certificate_url(osid)).text) == ["Asha Rao did it"]


@pytest.mark.parametrize("name", ["missing.svg", "broken.svg"])
def test_a_template_that_cannot_be_rendered_is_400_without_a_body(
    client: httpx.Client, registry: Registry, platform: PlatformApi, name: str
) -> None:
    platform.add(templates={"broken.svg": "<svg>{{unknownHelper a b}}</svg>"})
    osid = _issue(client, registry)
    answer = _picture(client, registry, osid, template=platform.template_url(name))
    assert (answer.status_code, answer.content) == (400, b"")


def test_a_template_elsewhere_is_never_fetched(client: httpx.Client, registry: Registry) -> None:
    osid = _issue(client, registry)
    answer = _picture(client, registry, osid, template="http://192.0.2.1/merit.svg")
    assert "Asha Rao" in _texts(answer.text)


def test_as_a_page_the_picture_is_in_it_and_as_pdf_there_is_none(client: httpx.Client, registry: Registry) -> None:
    address = f"{registry.api_url}/TrainingCertificate/{_issue(client, registry)}"
    page = client.get(address, headers={"Accept": "text/html"})
    assert page.text.startswith("<!DOCTYPE html>")
    assert "Asha Rao" in page.text
    assert client.get(address, headers={"Accept": "application/pdf"}).status_code == 400


@given(st.text(max_size=60))
def test_any_name_gives_xml(name: str) -> None:
    subject = {"type": name, "recipientName": name, "trainingName": name}
    ET.fromstring(render(default_template(), {**CREDENTIAL, "credentialSubject": subject}, "https://x.example/1"))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ('{{dateFormat issuanceDate "DD MMMM YYYY"}}', "01 March 2024"),
        ('{{ dateFormat issuanceDate "D MMM YY HH:mm:ss" }}', "1 Mar 24 10:00:00"),
        ('{{dateFormat missing "DD"}}', ""),
        ("{{fontSize credentialSubject.recipientName 44 900}}", "44.0"),
        ("{{fontSize credentialSubject.recipientName 44 28}}", "12.5"),
        ("{{{ id }}}", "did:sunbird:1-9"),
        ("{{missing.path}}", ""),
        ("{{issuer.name.first}}", ""),
    ],
)
def test_places(place: str, text: str) -> None:
    assert render(place, CREDENTIAL, "x") == text


@pytest.mark.parametrize("place", ["{{}}", "{{a b c d e}}", '{{dateFormat credentialSubject.type "DD"}}', '{{a "b}}'])
def test_places_that_are_not_understood(place: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        render(place, CREDENTIAL, "x")
