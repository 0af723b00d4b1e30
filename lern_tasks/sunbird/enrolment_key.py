"""Whose progress: the key of an enrolment. See docs/jobs/activity_aggregate_updater.md, section "Event"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class EnrolmentKey:
    """One learner in one batch of one course. Ordered by user, course, batch, so that locks are taken in one order."""

    user_id: str
    course_id: str
    batch_id: str

    @property
    def text(self) -> str:
        """The key as `user:course:batch`, for lock names and log lines."""
        return f"{self.user_id}:{self.course_id}:{self.batch_id}"
