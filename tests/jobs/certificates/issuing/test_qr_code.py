"""The QR code of a certificate: readable, by people too."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from lern_tasks.jobs.certificates.issuing.qr_code import qr_code

ADDRESS = "https://dev.sunbirded.org/certs/7a0c0000-0000-5000-8000-00000000000a"


def picture(address: str = ADDRESS, code: str = "A2B3C4") -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(qr_code(address, code), dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def read(image: np.ndarray) -> str:
    # OpenCV's other detector misses a few good codes in a hundred; modules of two pixels are small for both.
    larger = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    return str(cv2.QRCodeDetectorAruco().detectAndDecode(larger)[0])


def test_the_code_leads_to_the_certificate() -> None:
    assert read(picture()) == ADDRESS


@hypothesis(max_examples=20, deadline=None)
@given(st.uuids(), st.from_regex(r"(?:[A-HJ-NP-Z][1-9]){3}", fullmatch=True))
def test_every_code_is_readable(identifier: object, code: str) -> None:
    address = f"https://learn.example/certs/{identifier}"
    assert read(picture(address, code)) == address


def test_the_picture_is_grey_and_of_the_documented_measures() -> None:
    image = picture()
    assert image.ndim == 2
    # A code of version 8, as level H needs for this address: 49 modules and twice 3 around them, 2 pixels each.
    assert image.shape[1] == (49 + 6) * 2 + 2
    dark = np.argwhere(image < 128)
    assert dark[:, 0].min() == dark[:, 1].min() == 1 + 3 * 2


def test_the_access_code_is_below() -> None:
    first, second = picture(code="A2B3C4"), picture(code="Z9Z9Z9")
    code_height = (49 + 3) * 2 + 1
    assert (first[:code_height] == second[:code_height]).all()
    assert (first[code_height:] != second[code_height:]).any()
    assert (first[code_height:] < 128).sum() > 200


def test_it_is_the_same_each_time() -> None:
    assert qr_code(ADDRESS, "A2B3C4") == qr_code(ADDRESS, "A2B3C4")
