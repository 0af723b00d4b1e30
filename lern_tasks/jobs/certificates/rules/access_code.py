"""The code printed below a certificate's QR code. See docs/jobs/collection_certificate_generator.md, "Document"."""

import hashlib
import json

from lern_tasks.sunbird.certificate_name import name_key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

# Without 0, I and O, which are mistaken for each other on paper.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "123456789"


def access_code(key: EnrolmentKey, name: str, old_id: str, certificate_id: str) -> str:
    """Three times a letter and a digit, the same for the same certificate: a redelivery must not print another one.

    Taken from what the certificate is about and not from its id alone: the QR code shows the id to everybody, and
    whoever has only that must not be able to work out the code.
    """
    what = json.dumps([key.user_id, key.course_id, key.batch_id, name_key(name), old_id, certificate_id])
    number = int.from_bytes(hashlib.sha256(what.encode()).digest())
    code = ""
    for alphabet in (_LETTERS, _DIGITS) * 3:
        number, index = divmod(number, len(alphabet))
        code += alphabet[index]
    return code
