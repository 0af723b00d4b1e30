"""The documented event of the generator's topic, and ways to spoil it."""

import json
from copy import deepcopy
from typing import Any

import pytest

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest, parse
from tests.jobs.certificates.rules.certificates import ISSUER, SIGNATORY

SVG = "https://obj.dev.sunbirded.org/sunbird-content-staging/content/tpl_7/artifact/merit.svg"
EDATA: dict[str, Any] = {
    "issuedDate": "2024-02-29",
    "data": [{"recipientName": "Asha Rao", "recipientId": "u-42"}],
    "criteria": {"narrative": "Course Merit"},
    "svgTemplate": SVG,
    "oldId": "",
    "templateId": "tpl_7",
    "userId": "u-42",
    "orgId": "0123456789",
    "issuer": ISSUER,
    "signatoryList": [SIGNATORY],
    "courseName": "Fractions 101",
    "basePath": "https://dev.sunbirded.org/certs",
    "related": {"batchId": "0139000000000001", "courseId": "do_9001", "type": "Course Merit"},
    "name": "Course Merit",
    "tag": "0139000000000001",
}
ABSENT = object()


def event(path: str = "", value: Any = ABSENT) -> str:
    """The documented event, with the field at `path` below `edata` replaced, or left out."""
    data = deepcopy(EDATA)
    if path:
        *holders, name = (int(part) if part.isdecimal() else part for part in path.split("."))
        holder: Any = data
        for part in holders:
            holder = holder[part]
        if value is ABSENT:
            del holder[name]
        else:
            holder[name] = value
    return json.dumps({"eid": "BE_JOB_REQUEST", "ets": 1_709_164_900_000, "edata": data})


def parsed(path: str, value: Any = ABSENT) -> GenerateRequest:
    return parse(event(path, value))


def refused(value: str | None) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        parse(value)
    return caught.value
