"""Templates and enrolments that the tests of certificate rules start from."""

import json
from collections.abc import Mapping
from typing import Any

from lern_tasks.jobs.certificates.rules.template import Template, parse_template
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

KEY = EnrolmentKey(user_id="u-42", course_id="do_9001", batch_id="0139000000000001")

ISSUER = {"name": "State Council", "url": "https://council.example/"}
SIGNATORY = {"name": "R. Iyer", "id": "CEO", "designation": "CEO", "image": "https://cdn.example/sign.png"}
SVG = "CLOUD_BASE_PATH/content/tpl_7/artifact/merit.svg"


def texts(**fields: Any) -> dict[str, str]:
    """A template as the learner service stores it: texts, of which some hold JSON; None leaves a field out."""
    stored = {
        "identifier": "tpl_7",
        "name": "Course Merit",
        "url": SVG,
        "criteria": {"enrollment": {"status": 2}},
        "issuer": ISSUER,
        "signatoryList": [SIGNATORY],
        **fields,
    }
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in stored.items()
        if value is not None
    }


def template(**fields: Any) -> Template:
    return parse_template("tpl_7", texts(**fields))


def row(**columns: Any) -> Mapping[str, Any]:
    """A completed enrolment without certificate."""
    return {"active": True, "status": 2, "completedon": None, "issued_certificates": None, **columns}


def issued(*certificates: tuple[str, str]) -> list[dict[str, str]]:
    """Issued certificates, each given as name and identifier."""
    return [{"name": name, "identifier": identifier, "token": ""} for name, identifier in certificates]
