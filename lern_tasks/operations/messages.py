"""The member `message` of results: what was found and done, in words.

See docs/administration.md, "What the answers mean".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_NAMED = 20
"""Contents named in a sentence; the result has all."""

_COMPLETE = 2
_STATUS = {None: "not begun", 0: "not begun", 1: "in progress", _COMPLETE: "complete"}
_NOTHING = "Nothing was written."


def no_enrolment(key: EnrolmentKey) -> str:
    """The enrolment does not exist."""
    return f"There is no enrolment of user {key.user_id} in batch {key.batch_id} of course {key.course_id}. {_NOTHING}"


def no_batch(course_id: str, batch_id: str) -> str:
    """The batch does not exist."""
    return f"There is no batch {batch_id} of course {course_id}. {_NOTHING}"


def reconciled(figures: Mapping[str, Any]) -> str:
    """What was found of an enrolment and what was done."""
    return " ".join([_progress(figures), *_state(figures), *_certificate(figures)])


def _progress(figures: Mapping[str, Any]) -> str:
    if figures["retired"]:
        return f"The course is retired: progress is not computed any more. The enrolment {_is(figures)}."
    if not figures["contents"]:
        return (
            f"No contents are stored for this enrolment, so there is nothing to compute. The enrolment {_is(figures)}."
        )
    done = f"{figures['completed']} of {figures['required']} required contents are done"
    return f"{done}{_open(figures['open'])}. The enrolment {_is(figures)}."


def _open(contents: Sequence[str]) -> str:
    if not contents:
        return ""
    more = f" and {len(contents) - _NAMED} more" if len(contents) > _NAMED else ""
    return f"; open: {', '.join(contents[:_NAMED])}{more}"


def _is(figures: Mapping[str, Any]) -> str:
    before, after = _status(figures["status_before"]), _status(figures["status_after"])
    return f"is {after}, as before" if before == after else f"was {before} and is {after} now"


def _status(status: int | None) -> str:
    return _STATUS.get(status, f"of status {status}")


def _state(figures: Mapping[str, Any]) -> list[str]:
    return [] if figures["active"] else ["It is not active: the learner has left the batch, and none is asked for."]


def _certificate(figures: Mapping[str, Any]) -> list[str]:
    issued = figures["certificates"]
    has = f"It has {'the certificate' if len(issued) == 1 else 'certificates'}: {', '.join(issued)}." if issued else ""
    if not figures["active"]:
        return [has or "It has no certificate."]
    if figures["status_after"] != _COMPLETE:
        return [has or "It has no certificate, and earns none before it is complete."]
    return [has or "It has no certificate yet.", figures.get("problem") or reissued(figures["templates"])]


def handed_off(enrolments: int) -> str:
    """A batch was handed to reconciliation."""
    if not enrolments:
        return "The batch has no enrolments."
    return f"{enrolments} enrolments were handed to reconciliation, which goes on in the queue `bulk`."


def reissued(templates: list[dict[str, Any]]) -> str:
    """What became of each template."""
    if not templates:
        return "The batch has no SVG template: there is nothing to issue."
    parts = []
    for template in templates:
        name = template["name"] or template["template_id"]
        if not template["earned"]:
            parts.append(f"{name}: not issued, {template['reason']}.")
        elif template["replaces"]:
            parts.append(f"{name}: asked for; it replaces {template['replaces']}.")
        else:
            parts.append(f"{name}: asked for; there was none before.")
    return " ".join(parts)


def inherited(certificates: Sequence[Mapping[str, Any]], source: str) -> str:
    """What became of the certificates of a merged account."""
    if not certificates:
        return f"No certificate is in the rows of both accounts: none names {source}, or all were issued again."
    asked = sum(one["asked"] for one in certificates)
    parts = [f"{len(certificates)} certificates name {source}; {asked} were asked for, in the account's own name."]
    parts += [
        f"{one['name']} of course {one['course_id']}: {one['reason']}." for one in certificates if not one["asked"]
    ]
    return " ".join(parts)


def issued(result: Mapping[str, Any], *, really: bool) -> str:
    """What was found of many enrolments."""
    verb = "were asked for" if really else "would be asked for"
    parts = [
        f"{result['enrolments']} complete enrolments; {result['certificates']} certificates of "
        f"{result['learners']} of them {verb}."
    ]
    if result["failed"]:
        parts.append(f"{result['failed']} could not be evaluated.")
    if result["overdue"]:
        verb = "were handed" if really else "would be handed"
        parts.append(
            f"{result['overdue']} more are complete by the present contents of their course, not by their status, and "
            f"{verb} to reconciliation."
        )
    if result.get("nothing"):
        parts.append(f"{result['nothing']} enrolments earn nothing.")
    if result["broken"]:
        parts.append(f"Templates that are wrong: {'; '.join(result['broken'].values())}.")
    if not really and (result["certificates"] or result["overdue"]):
        parts.append("Nothing was sent.")
    return " ".join(parts)
