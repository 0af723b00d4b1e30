"""A certificate as SVG, from a template with `{{...}}` places. See docs/architecture.md, section "Embedded".

Places: `{{credentialSubject.recipientName}}` and other paths into the credential, `{{qrCode}}` (a PNG as data address),
`{{dateFormat issuanceDate "DD MMMM YYYY"}}`, and `{{fontSize credentialSubject.recipientName 44 780}}`: the size, at
most 44, at which the text is not wider than 780.
"""

import re
import shlex
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any
from xml.sax.saxutils import escape

import segno

_PLACE = re.compile(r"\{\{\{?\s*(.*?)\s*\}?\}\}", re.DOTALL)
# Characters that no XML document may contain, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE_PART = re.compile("YYYY|YY|MMMM|MMM|MM|DD|D|HH|mm|ss")
# A wide letter of a serif face takes about this share of its size.
_LETTER_WIDTH = 0.56


def default_template() -> str:
    """The template that comes with this package."""
    return files("lern_tasks.demo.platform").joinpath("certificate.svg").read_text("utf-8")


def render(template: str, credential: Mapping[str, Any], address: str) -> str:
    """Fill a template.

    Args:
        template: the SVG text.
        credential: the verifiable credential; a place that it does not have becomes empty.
        address: what the QR code says: where the certificate can be seen.

    Raises:
        ValueError: for a place that cannot be understood, or an address too long for a QR code.
    """
    code = segno.make(address, error="m").png_data_uri(scale=8, border=4)

    def fill(place: re.Match[str]) -> str:
        value = code if place[1] == "qrCode" else _value(shlex.split(place[1]), credential)
        return escape(_NOT_XML.sub("", value), {'"': "&quot;", "'": "&apos;"})

    return _PLACE.sub(fill, template)


def _value(words: list[str], credential: Mapping[str, Any]) -> str:
    match words:
        case [path]:
            return _text_at(credential, path)
        case ["dateFormat", path, pattern]:
            return _date(_text_at(credential, path), pattern)
        case ["fontSize", path, largest, width]:
            letters = max(1, len(_text_at(credential, path)))
            return f"{min(float(largest), float(width) / (letters * _LETTER_WIDTH)):.1f}"
    raise ValueError(f"the template has a place that is not understood: {' '.join(words)!r}")


def _text_at(credential: Mapping[str, Any], path: str) -> str:
    value: Any = credential
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return "" if value is None else str(value)


def _date(text: str, pattern: str) -> str:
    if not text:
        return ""
    moment = datetime.fromisoformat(text)
    parts = {
        "YYYY": f"{moment.year:04d}",
        "YY": f"{moment.year % 100:02d}",
        "MMMM": f"{moment:%B}",
        "MMM": f"{moment:%b}",
        "MM": f"{moment.month:02d}",
        "DD": f"{moment.day:02d}",
        "D": str(moment.day),
        "HH": f"{moment.hour:02d}",
        "mm": f"{moment.minute:02d}",
        "ss": f"{moment.second:02d}",
    }
    return _DATE_PART.sub(lambda part: parts[part[0]], pattern)
