"""Arguments that a person typed. See docs/administration.md, "Arguments"."""

from datetime import UTC, datetime

from lern_tasks.errors import InvalidArgument, InvalidEvent
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import optional_id
from lern_tasks.sunbird.json_text import json_type


def text_id(name: str, value: object) -> str:
    """An id: text, not blank. Raises InvalidArgument."""
    try:
        found = optional_id({name: value}, name, path="argument")
    except InvalidEvent as error:
        raise InvalidArgument(str(error)) from None
    if found is None:
        raise InvalidArgument(f"argument.{name} is {'null' if value is None else 'blank'}; send the id as text")
    return found


def enrolment(user_id: object, course_id: object, batch_id: object) -> EnrolmentKey:
    """Whose enrolment. Raises InvalidArgument."""
    return EnrolmentKey(
        user_id=text_id("user_id", user_id),
        course_id=text_id("course_id", course_id),
        batch_id=text_id("batch_id", batch_id),
    )


def flag(name: str, value: object) -> bool:
    """True or false; the text "false" is neither. Raises InvalidArgument."""
    if not isinstance(value, bool):
        raise InvalidArgument(f"argument.{name} is {json_type(value)}; send true or false, without quotes")
    return value


def moment(name: str, value: object) -> datetime:
    """A date, or a date and time; in UTC where it does not say. Raises InvalidArgument."""
    if not isinstance(value, str):
        raise InvalidArgument(f"argument.{name} is {json_type(value)}; send a date such as 2026-01-31")
    try:
        found = datetime.fromisoformat(value.strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument(f"argument.{name} is no date; send one such as 2026-01-31") from None
