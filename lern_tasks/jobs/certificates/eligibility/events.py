"""Events of `{env}.issue.certificate.request`. See docs/jobs/collection_cert_pre_processor.md, section "Event"."""

from dataclasses import dataclass

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.sunbird.envelope import action_of, decode, edata, event_time, optional_id, required_id, required_list
from lern_tasks.sunbird.json_text import json_type

ACTION = "issue-certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """Issue the certificates of these users of a batch.

    `old_id`: of a re-issue, the one certificate that it is about; empty for all. `ets`: when the event was made, epoch
    ms, if it says so.
    """

    course_id: str
    batch_id: str
    user_ids: tuple[str, ...]
    reissue: bool
    ets: int | None
    old_id: str = ""


def parse(value: str | None) -> IssueRequest | Skipped:
    """Read the value of a record. Raises InvalidEvent; see the section for what is invalid and what is skipped."""
    event = decode(value)
    data = edata(event)
    if action_of(data).lower() != ACTION:
        return Skipped(reason="another action")
    course_id, batch_id = required_id(data, "courseId"), required_id(data, "batchId")
    listed = required_list(data, "userIds") if data.get("userIds") is not None else []
    if not listed:
        return Skipped(reason="no users")
    users = tuple(dict.fromkeys(required_id({"userIds": user}, "userIds") for user in listed))
    reissue = data.get("reIssue")
    if reissue is not None and not isinstance(reissue, bool):
        raise InvalidEvent(f"edata.reIssue is {json_type(reissue)}; send true or false", "edata.reIssue")
    return IssueRequest(
        course_id=course_id,
        batch_id=batch_id,
        user_ids=users,
        reissue=bool(reissue),
        old_id=optional_id(data, "oldId") or "",
        ets=event_time(event),
    )
