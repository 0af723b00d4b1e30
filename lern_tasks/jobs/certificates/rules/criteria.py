"""Who is eligible for which template, step by step. See docs/jobs/collection_cert_pre_processor.md, "Rules".

Each step that does not match gives the reason in plain words: the answer to "why has this learner no certificate?".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from lern_tasks.jobs.certificates.rules.template import Template
from lern_tasks.sunbird.certificate_name import name_key


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMatch:
    """The enrolment is not eligible."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentMatch:
    """The enrolment is as the template asks. `old_id`: the certificate to replace, empty for a first issue."""

    old_id: str


_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "EQ": eq,
    "eq": eq,
    "=": eq,
    "ne": ne,
    "!=": ne,
    ">": gt,
    "<": lt,
    ">=": ge,
    "<=": le,
}


def match_enrolment(
    template: Template, row: Mapping[str, Any] | None, *, reissue: bool, only: str = ""
) -> EnrolmentMatch | NoMatch:
    """Whether the enrolment row (`active`, `status`, `issued_certificates`) earns the template.

    `only`: the id of the one certificate that is to be issued again, empty for all.
    A template without an enrolment criterion still needs an active enrolment that has no certificate of its name; its
    status is not asked for.
    """
    if row is None:
        return NoMatch(reason="the learner is not enrolled in this batch")
    if row.get("active") is not True:
        return NoMatch(reason="the enrolment is not active")
    no_status = _no_status(row.get("status"), template.criteria.status)
    if no_status is not None:
        return no_status
    issued = same_name(row.get("issued_certificates") or (), template.name)
    if issued and not reissue:
        return NoMatch(reason="a certificate of this name is issued already")
    old_id = str(issued[0].get("identifier") or "") if issued else ""
    if only and old_id != only:
        return NoMatch(reason="another certificate was to be issued again, or this one was since then")
    return EnrolmentMatch(old_id=old_id)


def _no_status(status: Any, asked: float | None) -> NoMatch | None:
    if asked is None or float(status or 0) == asked:
        return None
    if math.isnan(asked):
        return NoMatch(reason="the status that the template asks for (criteria.enrollment.status) is no number")
    return NoMatch(reason=f"the enrolment's status is {status or 0}, the template asks for {_shown(asked)}")


def same_name(issued: Sequence[Mapping[str, str]], name: str) -> list[Mapping[str, str]]:
    """The issued certificates with this name, ignoring case."""
    return [element for element in issued if name_key(element.get("name") or "") == name_key(name)]


def percentages(figures: Mapping[str, float], supported: Sequence[str]) -> dict[str, float]:
    """Percent by content, for the contents in `supported`; a content without maximum counts against 1.

    `figures` are the entries `score:<content>` and `max_score:<content>`. A maximum of 0 is no score, and so is
    whatever gives no finite number.
    """
    found = {}
    for content in supported:
        score, maximum = figures.get(f"score:{content}"), figures.get(f"max_score:{content}", 1.0)
        if score is not None and maximum and math.isfinite(percent := score * 100 / maximum):
            found[content] = percent
    return found


def scored_contents(figures: Mapping[str, float]) -> list[str]:
    """The contents that have a score."""
    return [content for name in figures if name.startswith("score:") and (content := name.removeprefix("score:"))]


def match_score(template: Template, percent: Mapping[str, float]) -> NoMatch | None:
    """Whether the best of the contents' percentages holds every threshold; no attempt counts as 0."""
    thresholds = template.criteria.score
    if thresholds is None:
        return None
    unknown = [operator for operator in thresholds if operator not in _OPERATORS]
    if unknown or not thresholds:
        found = f"the unknown operator {', '.join(unknown)}" if unknown else "no operator"
        return NoMatch(reason=f"the template's score has {found}; known are {', '.join(_OPERATORS)}")
    best = max(percent.values(), default=0.0)
    if all(_OPERATORS[operator](best, threshold) for operator, threshold in thresholds.items()):
        return None
    score = f"the best score is {_shown(best)} %" if percent else "there is no score, which counts as 0 %"
    asked = ", ".join(f"{operator} {_shown(threshold)}" for operator, threshold in thresholds.items())
    return NoMatch(reason=f"{score}; the template asks for {asked}")


def match_user(template: Template, user: Mapping[str, Any]) -> NoMatch | None:
    """Whether the user has every field that the criteria name, with an equal value. No user never matches."""
    if not user:
        return NoMatch(reason="the user service knows no such user, or the account is blocked")
    for field, value in template.criteria.user.items():
        if field not in user or user[field] != value:
            return NoMatch(reason=f"the user's {field} is not the one that the template asks for")
    return None


def _shown(number: float) -> str:
    """Precise enough that 59.9999 is not shown as the 60 that it misses."""
    return f"{number:.12g}"
