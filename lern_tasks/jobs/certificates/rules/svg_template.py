"""A certificate's picture from its SVG template, as the address of an image (`data:image/svg+xml,...`).

See docs/jobs/collection_certificate_generator.md, "Document". Places in a template: `${recipientName}`,
`${courseName:-what to show when there is none}`.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.parsers import expat
from xml.sax.saxutils import escape

# As the Flink job writes them, whatever the locale of this process.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_PREFIX = "data:image/svg+xml,"
_PLACE = re.compile(r"\$\{([^${}:]+)(?::-([^{}]*))?\}")
_ENCODED = str.maketrans({"<": "%3C", ">": "%3E", "#": "%23", "%": "%25", '"': "'", "\n": "", "\r": "", "\t": ""})

# Between these a line break separates what must not grow together; at a tag's edge it is only layout.
_SEPARATING = re.compile(r"(?<=[^\s<>])[\r\n\t]+(?=[^\s<>])")
_QUOTED = re.compile('"[^"<]*"')

# Characters that no XML document may contain, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(value: str) -> str:
    """`value` as it must stand in XML, in a text or in an attribute; characters that XML does not know are left out."""
    return escape(_NOT_XML.sub("", value), {'"': "&quot;", "'": "&apos;"})


class _Declares(Exception):
    """The document declares entities or rules of its own."""


def svg_fault(text: str) -> str:
    """What keeps a text from being an SVG, in words; empty for nothing.

    Read as XML that brings no declarations of its own and fetches nothing. A DOCTYPE that only names the standard, as
    drawing programs write it, does neither.
    """
    parser = expat.ParserCreate("utf-8")
    elements: list[str] = []

    def doctype(_name: str, _system: str | None, _public: str | None, declares: int) -> None:
        if declares:
            raise _Declares

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda name, _attributes: elements.append(name) if not elements else None
    try:
        # Line breaks before it go when the picture is made.
        parser.Parse(text.lstrip(), True)
    except _Declares:
        return "it declares entities of its own"
    except expat.ExpatError as error:
        return f"it is no XML (line {error.lineno})"
    return "" if elements[0].rpartition(":")[2] == "svg" else "it is another kind of XML"


def template_values(certificate: Mapping[str, Any]) -> dict[str, str | None]:
    """What the places of a template stand for; None for what the certificate does not say."""
    badge, recipient = certificate["badge"], certificate["recipient"]
    signatories = [*certificate["signatory"], {}, {}]
    return {
        "certificateName": badge["name"],
        "certificateDescription": badge.get("description"),
        "courseName": certificate.get("evidence", {}).get("name", ""),
        "issuedDate": _day(certificate["issuedOn"]),
        "recipientId": recipient["identity"],
        "recipientName": recipient["name"],
        "signatory0Image": signatories[0].get("image", ""),
        "signatory0Designation": signatories[0].get("designation", ""),
        "signatory1Image": signatories[1].get("image", ""),
        "signatory1Designation": signatories[1].get("designation", ""),
        "expiryDate": certificate["expires"],
        "issuerName": badge["issuer"]["name"],
    }


def svg_address(template: str, values: Mapping[str, str | None], qr_code: bytes) -> str:
    """The picture as an address that shows it; `qr_code` is a PNG.

    Of a place that has no value the default remains, or nothing; places that are not known are left as they are.
    """
    encoded = {name: None if value is None else _encoded(value) for name, value in values.items()}
    encoded["qrCodeImage"] = f"data:image/png;base64,{base64.b64encode(qr_code).decode()}"

    def fill(place: re.Match[str]) -> str:
        value, default = encoded.get(place[1]), place[2]
        if value is not None:
            return value
        return default if default is not None else "" if place[1] in encoded else place[0]

    # All double quotes become single ones, so the single ones between them must not end an attribute.
    text = _QUOTED.sub(lambda quoted: quoted[0].replace("'", "&apos;"), template)
    return _PREFIX + _PLACE.sub(fill, _SEPARATING.sub(" ", text).translate(_ENCODED))


def _encoded(value: str) -> str:
    # As Java's URLEncoder, with %20 for a space.
    return quote(xml_text(value), safe="*").replace("~", "%7E")


def _day(instant: str) -> str:
    moment = datetime.fromisoformat(instant)
    return f"{moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year}"
