"""A certificate template as a batch stores it. See docs/jobs/collection_cert_pre_processor.md, "Rules"."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lern_tasks.errors import InvalidEvent

_CRITERIA = ("enrollment", "assessment", "user", "users")
"""`users` is accepted beside `user`: the original's own check asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Who earns the certificate.

    `status`: the enrolment's status, None when it is not asked for, NaN (which nothing equals) when it is no number;
    `score`: operator to threshold in percent, None for no assessment; `user`: fields that the user must have with equal
    values.
    """

    status: float | None
    score: Mapping[str, float] | None
    user: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template that can be issued. `name` is the certificate's identity in an enrolment, whatever its case."""

    template_id: str
    name: str
    url: str
    criteria: Criteria
    issuer: Mapping[str, Any]
    signatories: Sequence[Any]
    additional: Mapping[str, tuple[str, ...]]


def is_svg(texts: Mapping[str, str]) -> bool:
    """Whether the stored template is an SVG: others belong to an older system and are passed over."""
    return ".svg" in (texts.get("url") or "")


def parse_template(template_id: str, texts: Mapping[str, str]) -> Template:
    """Read a stored template. Raises InvalidEvent that names the template, the field and the remedy."""
    reader = _Reader(template_id, texts)
    return Template(
        template_id=template_id,
        name=reader.text("name"),
        url=reader.text("url"),
        criteria=_criteria(reader),
        issuer=_issuer(reader),
        signatories=reader.json_value("signatoryList", list, []),
        additional=_additional(reader),
    )


_KINDS: Mapping[type, str] = {dict: "an object", list: "a list"}

_REMEDIES: Mapping[str, str] = {
    "criteria": 'criteria such as {"enrollment": {"status": 2}}',
    # The learner service stores the signatories as issuer when it is sent an issuer alone.
    "issuer": "issuer and signatoryList both in the request",
    "signatoryList": "signatoryList as a list",
    "additionalProps": "additionalProps as an object of lists",
    "notifyTemplate": "notifyTemplate as an object",
}


@dataclass(frozen=True, slots=True)
class _Reader:
    template_id: str
    texts: Mapping[str, str]

    def wrong(self, field: str, state: str, remedy: str) -> InvalidEvent:
        return InvalidEvent(f"template {self.template_id}: {field} is {state}; {remedy}", f"cert_templates.{field}")

    def text(self, field: str) -> str:
        value = self.texts.get(field)
        if not value or not value.strip():
            raise self.wrong(field, "missing", "add the template to the batch again, with it")
        return value

    def json_value(self, field: str, kind: type, default: Any) -> Any:
        """The JSON in a field; blank text and null count as missing.

        Invalid is also what JSON in UTF-8 cannot carry on: half a character, and numbers without end.
        """
        text = self.texts.get(field)
        if not text or not text.strip():
            return default
        try:
            value = json.loads(text)
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise self.wrong(field, "not JSON that can be read", "add the template to the batch again") from None
        if value is None:
            return default
        if not isinstance(value, kind):
            remedy = f"add the template to the batch again, with {_REMEDIES[field]}"
            raise self.wrong(field, f"not {_KINDS[kind]}", remedy)
        return value


def _issuer(reader: _Reader) -> Mapping[str, Any]:
    issuer: dict[str, Any] = reader.json_value("issuer", dict, {})
    for field in ("name", "url"):
        value = issuer.get(field)
        if not isinstance(value, str) or not value.strip():
            raise reader.wrong(
                f"issuer.{field}", "missing", "no certificate is issued without it: add the template to the batch again"
            )
    return issuer


def _criteria(reader: _Reader) -> Criteria:
    criteria: dict[str, Any] = reader.json_value("criteria", dict, {})
    if not any(name in criteria for name in _CRITERIA):
        raise reader.wrong("criteria", "without enrollment, assessment or user", "say who earns the certificate")
    enrolment = _object(reader, criteria, "enrollment")
    status = enrolment.get("status")
    assessment = _object(reader, criteria, "assessment")
    return Criteria(
        status=_status(status) if enrolment else None,
        score=_score(reader, assessment) if assessment else None,
        user=_object(reader, criteria, "user") or _object(reader, criteria, "users"),
    )


def _status(status: Any) -> float:
    """2 (completed) unless the template says another; as before, a status given as text equals none."""
    number = 2.0 if status is None else _number(status)
    return math.nan if number is None else number


def _object(reader: _Reader, criteria: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = criteria.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise reader.wrong(f"criteria.{name}", "not an object", "store an object")
    return value


def _score(reader: _Reader, assessment: Mapping[str, Any]) -> Mapping[str, float]:
    """Thresholds by operator; a bare number n means `eq` n."""
    score = assessment.get("score")
    bare = _number(score)
    operators = score if bare is None else {"eq": bare}
    if not isinstance(operators, dict):
        state = "missing" if score is None else "neither a number nor an object"
        raise reader.wrong("criteria.assessment.score", state, 'store for instance {">=": 60}')
    thresholds = {}
    for operator, value in operators.items():
        number = _number(value)
        if number is None:
            raise reader.wrong(f"criteria.assessment.score.{operator}", "not a number", "store a number of percent")
        thresholds[operator] = number
    return thresholds


def _number(value: Any) -> float | None:
    """The number; None for what is none, or is greater than can be compared."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _additional(reader: _Reader) -> Mapping[str, tuple[str, ...]]:
    groups: dict[str, Any] = reader.json_value("additionalProps", dict, {})
    wanted = {group: names for group, names in groups.items() if names is not None}
    for group, names in wanted.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise reader.wrong(f"additionalProps.{group}", "not a list of texts", "store a list of field names")
    return {group: tuple(names) for group, names in wanted.items() if names}


def notify_template(template_id: str, texts: Mapping[str, str]) -> Mapping[str, Any]:
    """How learners are notified, empty when the template leaves it out. Raises InvalidEvent when it is no object."""
    found: dict[str, Any] = _Reader(template_id, texts).json_value("notifyTemplate", dict, {})
    return found
