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

    `status`: the enrolment's status, None when it is not asked for; `score`: operator to threshold in percent, None for
    no assessment; `user`: fields that the user must have with equal values.
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


@dataclass(frozen=True, slots=True)
class _Reader:
    template_id: str
    texts: Mapping[str, str]

    def wrong(self, field: str, state: str, remedy: str) -> InvalidEvent:
        return InvalidEvent(f"template {self.template_id}: {field} is {state}; {remedy}", f"cert_templates.{field}")

    def text(self, field: str) -> str:
        value = self.texts.get(field)
        if not value or not value.strip():
            raise self.wrong(field, "missing", "add it to the batch's template")
        return value

    def json_value(self, field: str, kind: type, default: Any) -> Any:
        """The JSON in a field; blank text and null count as missing."""
        text = self.texts.get(field)
        if not text or not text.strip():
            return default
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise self.wrong(field, "not JSON", "store the template again") from None
        if value is None:
            return default
        if not isinstance(value, kind):
            wanted = "an object" if kind is dict else "a list"
            raise self.wrong(field, f"not {wanted}", f"store {wanted}")
        return value


def _issuer(reader: _Reader) -> Mapping[str, Any]:
    issuer: dict[str, Any] = reader.json_value("issuer", dict, {})
    for field in ("name", "url"):
        value = issuer.get(field)
        if not isinstance(value, str) or not value.strip():
            raise reader.wrong(f"issuer.{field}", "missing", "a certificate cannot be issued without it")
    return issuer


def _criteria(reader: _Reader) -> Criteria:
    criteria: dict[str, Any] = reader.json_value("criteria", dict, {})
    if not any(name in criteria for name in _CRITERIA):
        raise reader.wrong("criteria", "without enrollment, assessment or user", "say who earns the certificate")
    enrolment = _object(reader, criteria, "enrollment")
    status = enrolment.get("status", 2)
    assessment = _object(reader, criteria, "assessment")
    return Criteria(
        # As before: a status given as text equals none.
        status=(float(status) if _is_number(status) else math.nan) if enrolment else None,
        score=_score(reader, assessment) if assessment else None,
        user=_object(reader, criteria, "user") or _object(reader, criteria, "users"),
    )


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
    thresholds = {"eq": score} if _is_number(score) else score
    if not isinstance(thresholds, dict):
        raise reader.wrong("criteria.assessment.score", "missing", 'store for instance {">=": 60}')
    for operator, threshold in thresholds.items():
        if not _is_number(threshold):
            raise reader.wrong(f"criteria.assessment.score.{operator}", "not a number", "store a number of percent")
    return {operator: float(threshold) for operator, threshold in thresholds.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _additional(reader: _Reader) -> Mapping[str, tuple[str, ...]]:
    groups: dict[str, Any] = reader.json_value("additionalProps", dict, {})
    for group, names in groups.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise reader.wrong(f"additionalProps.{group}", "not a list of texts", "store a list of field names")
    return {group: tuple(names) for group, names in groups.items() if names}


def notify_template(template_id: str, texts: Mapping[str, str]) -> Mapping[str, Any]:
    """How learners are told, empty when the template does not say. Raises InvalidEvent when it is no object."""
    found: dict[str, Any] = _Reader(template_id, texts).json_value("notifyTemplate", dict, {})
    return found
