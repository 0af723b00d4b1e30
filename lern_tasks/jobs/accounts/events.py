"""Events of `{env}.lms.user.account.merge`. See docs/jobs/merge_user_courses.md, section "Event"."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.sunbird.envelope import decode, edata, required_id
from lern_tasks.sunbird.json_text import json_type

ACTION = "merge-user-courses-and-cert"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """The learning history of account `from_id` is to be added to account `to_id`; never the same."""

    from_id: str
    to_id: str


def parse(value: str | None) -> MergeRequest:
    """Read the value of a record. Raises InvalidEvent: nothing on this topic is for another job."""
    data = edata(decode(value))
    _check_action(data)
    request = MergeRequest(from_id=required_id(data, "fromAccountId"), to_id=required_id(data, "toAccountId"))
    if request.from_id == request.to_id:
        raise InvalidEvent(
            "edata.toAccountId is the account of edata.fromAccountId; send the ids of two accounts", "edata.toAccountId"
        )
    return request


def _check_action(data: Mapping[str, Any]) -> None:
    """The known action in upper or lower case, or none."""
    action = data.get("action")
    if action is None:
        return
    if not isinstance(action, str) or action.lower() != ACTION:
        state = "another action" if isinstance(action, str) else json_type(action)
        raise InvalidEvent(f"edata.action is {state}; send {ACTION}, or leave it out", "edata.action")
