"""What follows an issued certificate: our own events, between our own tasks.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from lern_tasks.errors import InvalidEvent
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import decode, optional_id


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpEvent:
    """A certificate to notify the learner of, or to delete. `completed_on` is `yyyy-MM-dd`."""

    user_id: str
    course_id: str
    batch_id: str
    certificate_id: str
    template_id: str = ""
    course_name: str = ""
    completed_on: str = ""

    @property
    def key(self) -> EnrolmentKey:
        """Whose certificate."""
        return EnrolmentKey(user_id=self.user_id, course_id=self.course_id, batch_id=self.batch_id)

    def to_event(self) -> dict[str, Any]:
        """The event."""
        return asdict(self)

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> Self:
        """Raises InvalidEvent when a field is missing or no text."""
        known = {field.name: event.get(field.name, "") for field in fields(cls)}
        for name, value in known.items():
            is_key = name.endswith("_id") and name != "template_id"
            if not isinstance(value, str) or (is_key and optional_id(event, name, path="") is None):
                raise InvalidEvent(f"{name} is missing; these events are made by the generator", name)
        return cls(**known)


def parse(value: str | None) -> FollowUpEvent:
    """Read the value of a record. Raises InvalidEvent."""
    return FollowUpEvent.from_event(decode(value))
