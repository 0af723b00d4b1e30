"""The QR code of a certificate with its access code below it.

See docs/jobs/collection_certificate_generator.md, "Document". The measures are the Flink job's; its font, Verdana, may
not be passed on, so it is the drawing library's own.
"""

import io

import segno
from PIL import Image, ImageDraw, ImageFont

_MODULE = 2
"""Pixels a module."""
_QUIET = 3
"""Modules left white around the code."""
_MARGIN = 1
"""Pixels left white around the whole picture."""
_GAP = 3
"""Pixels between code and text; the rest of the quiet zone below is taken away."""
_SIZE = 16
"""Points of the text."""
_TRACKING = 0.2
"""Space between two characters, in sizes of the text."""

_WHITE, _BLACK = 255, 0


def qr_code(address: str, access_code: str) -> bytes:
    """A PNG in grey scale. The code survives the loss of 30 % of it (level H)."""
    code = _code(address)
    text = _text(access_code)
    code = code.crop((0, 0, code.width, code.height - _QUIET * _MODULE + _GAP))
    width = max(code.width, text.width)
    picture = Image.new("L", (width + 2 * _MARGIN, code.height + text.height + 2 * _MARGIN), _WHITE)
    picture.paste(code, (_MARGIN + (width - code.width) // 2, _MARGIN))
    picture.paste(text, (_MARGIN + (width - text.width) // 2, _MARGIN + code.height))
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def _code(address: str) -> Image.Image:
    written = io.BytesIO()
    segno.make_qr(address, error="h", boost_error=False).save(written, kind="png", scale=_MODULE, border=_QUIET)
    return Image.open(written).convert("L")


def _text(text: str) -> Image.Image:
    """One character after the other: the library knows no tracking."""
    font = ImageFont.load_default(_SIZE)
    widths = [font.getlength(character) + _TRACKING * _SIZE for character in text]
    ascent, descent = font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (_SIZE, 0)
    picture = Image.new("L", (round(sum(widths)), ascent + descent), _WHITE)
    draw = ImageDraw.Draw(picture)
    left = 0.0
    for character, width in zip(text, widths, strict=True):
        # The stroke makes it bold.
        draw.text((left, 0), character, fill=_BLACK, font=font, stroke_width=0.4)
        left += width
    return picture
