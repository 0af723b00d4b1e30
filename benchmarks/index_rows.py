"""The rows of users, as an installation has them."""

import json
from collections.abc import Iterator
from typing import Any

SCHOOLS = 30_000
"""Those of a state: each is asked for when the first of its users comes."""

PLACES = ("state", "district", "block", "cluster")

USER_COLUMNS = "id, userid, firstname, lastname, email, phone, rootorgid, framework, updateddate, profilelocation, "
USER_COLUMNS += "profileusertypes"

FRAMEWORK = {"id": ["k-12"], "board": ["CBSE"], "medium": ["English", "Kannada"], "gradeLevel": ["Class 1", "Class 2"]}

TYPES = json.dumps([{"type": "teacher"}, {"type": "administrator", "subType": "hm"}])


def organisations() -> Iterator[tuple[Any, ...]]:
    yield "root", "Karnataka", "KA", 5
    for number in range(SCHOOLS):
        yield f"school-{number}", f"Government High School {number}", str(29_000_000 + number), 2


def locations() -> Iterator[tuple[Any, ...]]:
    for kind in PLACES:
        for number in range(100):
            yield f"{kind}-{number}", f"{kind} {number}", kind


def users(count: int) -> Iterator[tuple[Any, ...]]:
    for number in range(count):
        places = json.dumps([{"type": kind, "id": f"{kind}-{number % 100}"} for kind in PLACES])
        mail, phone = "q0JxVh0Zk8m1N2b3" * 6, "Zk8m1N2b3q0JxVh0" * 6
        root = "root" if number % 3 else "custodian"
        changed = "2024-05-01 10:00:00:000+0000"
        user = _id(number)
        yield user, user, f"Learner {number}", "Rao", mail, phone, root, FRAMEWORK, changed, places, TYPES


def memberships(count: int) -> Iterator[tuple[Any, ...]]:
    schools = max(1, min(SCHOOLS, count // 10))
    for number in range(count):
        yield _id(number), f"school-{number * 7919 % schools}", False


def _id(number: int) -> str:
    return f"{number:08d}-91c0-4a5e-b7f6-1d2e3f405162"
