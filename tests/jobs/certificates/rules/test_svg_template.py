"""A certificate's picture: what stands in its places, and that it is XML whatever stands there."""

from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.certificates.rules.document import certificate_object
from lern_tasks.jobs.certificates.rules.svg_template import svg_address, svg_fault, template_values
from tests.jobs.certificates.rules.certificate_documents import document

PREFIX = "data:image/svg+xml,"
PNG = b"\x89PNG"
NAME = "<svg xmlns='http://www.w3.org/2000/svg'><text title='${recipientName}'>${recipientName}</text></svg>"


def filled(template: str, **values: str | None) -> str:
    """The picture's XML."""
    address = svg_address(template, values, PNG)
    assert address.startswith(PREFIX)
    return unquote(address.removeprefix(PREFIX))


def test_the_form_of_the_address() -> None:
    template = '<svg width="100%" fill="#fff">\n\t<text>${recipientName}, ${qrCodeImage}</text>\n</svg>'
    assert svg_address(template, {"recipientName": "Asha Rao"}, PNG) == (
        "data:image/svg+xml,%3Csvg width='100%25' fill='%23fff'%3E%3Ctext%3EAsha%20Rao, "
        "data:image/png;base64,iVBORw==%3C/text%3E%3C/svg%3E"
    )


def test_values_are_encoded_as_by_java() -> None:
    assert svg_address("${a}", {"a": "A+b ~*-._/ü%"}, PNG) == f"{PREFIX}A%2Bb%20%7E*-._%2F%C3%BC%25"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("${name}", "Asha"),
        ("${name:-nobody}", "Asha"),
        ("${empty:-nobody}", ""),
        ("${absent:-nobody < all}", "nobody < all"),
        ("${absent:-}", ""),
        ("${absent}", ""),
        ("${unknown}", "${unknown}"),
        ("${unknown:-default}", "default"),
        ("${name}${name}", "AshaAsha"),
        ("$name {name} ${}", "$name {name} ${}"),
        ("100% #1", "100% #1"),
    ],
)
def test_places(template: str, expected: str) -> None:
    assert filled(template, name="Asha", empty="", absent=None) == expected


def test_a_value_is_no_template() -> None:
    assert filled("${name}", name="${other} %7B", other="x") == "${other} %7B"


@pytest.mark.parametrize(
    "template",
    [
        '<svg xmlns="u" style="font-family: Georgia, \'Noto Serif\'">${name}</svg>',
        "<svg xmlns='u' title='a'>It's \"so\" ${name}</svg>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<svg\nwidth="1"\n\theight="2"\n>\n<g\n/></svg>',
        '<svg title="5 > 3 isn\'t 2"/>',
    ],
)
def test_quotes_and_line_breaks_of_a_template_leave_it_xml(template: str) -> None:
    before, after = ET.fromstring(template), ET.fromstring(filled(template, name="x"))
    assert before.attrib == after.attrib
    assert [child.tag for child in before] == [child.tag for child in after]


def test_lines_of_text_do_not_grow_together() -> None:
    assert filled("<text>has\n\tcompleted</text>\n</svg>") == "<text>has completed</text></svg>"


@given(st.text(max_size=60))
def test_any_name_gives_xml_that_shows_it(name: str) -> None:
    # What XML does not know is left out; the rest is there as it was, but for line breaks, which XML makes blanks.
    root = ET.fromstring(filled(NAME, recipientName=name))
    known = [each for each in name if each in "\t\n\r" or (each >= " " and each not in "\ufffe\uffff")]
    shown = "".join(each for each in known if not "\ud800" <= each <= "\udfff")
    assert (root[0].text or "").split() == shown.split()
    assert root[0].attrib["title"].split() == shown.split()


VALUES = {
    "certificateName": "Fractions 101",
    "certificateDescription": None,
    "courseName": "Fractions 101",
    "issuedDate": "29 February 2024",
    "recipientId": "u-42",
    "recipientName": "Asha Rao",
    "signatory0Image": "https://cdn.example/sign.png",
    "signatory0Designation": "CEO",
    "signatory1Image": "",
    "signatory1Designation": "",
    "expiryDate": "",
    "issuerName": "State Council",
}


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, {}),
        ({"course_name": ""}, {"certificateName": "Course Merit", "courseName": ""}),
        ({"description": "well done"}, {"certificateDescription": "well done"}),
        ({"expiry": "2030-01-01T00:00:00Z"}, {"expiryDate": "2030-01-01T00:00:00Z"}),
        ({"signatories": []}, {"signatory0Image": "", "signatory0Designation": ""}),
    ],
)
def test_what_the_places_stand_for(changes: dict[str, Any], differing: dict[str, str]) -> None:
    assert template_values(certificate_object(document(**changes))) == {**VALUES, **differing}


def test_the_second_signatory() -> None:
    second = {"name": "x", "id": "y", "designation": "Dean", "image": "https://cdn.example/2.png"}
    found = template_values(certificate_object(document(signatories=[second, second, second])))
    assert (found["signatory1Image"], found["signatory1Designation"]) == ("https://cdn.example/2.png", "Dean")


@pytest.mark.parametrize(
    "text",
    [
        "<svg/>",
        '\n<?xml version="1.0" encoding="UTF-8"?>\n<!-- by hand --><svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg/>',
        "<svg>" + "<g>" * 50_000 + "</g>" * 50_000 + "</svg>",
    ],
    ids=range(4),
)
def test_what_is_an_svg(text: str) -> None:
    assert svg_fault(text) == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no XML"),
        ("all about <svg", "no XML"),
        ("<svg><g></svg>", "no XML"),
        ("<svg>a & b</svg>", "no XML"),
        ("<html><svg/></html>", "another kind"),
        ("<svgx/>", "another kind"),
        ('<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>', "declares"),
        ('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>', "declares"),
        ('<!DOCTYPE svg SYSTEM "x.dtd" [<!ENTITY % p SYSTEM "http://x/"> %p;]><svg/>', "declares"),
    ],
)
def test_what_is_no_svg(text: str, fault: str) -> None:
    assert fault in svg_fault(text)
