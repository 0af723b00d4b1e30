"""Events of `{env}.batch.enrolment.sync.request`. See docs/jobs/enrolment_reconciliation.md, section "Event"."""

from dataclasses import dataclass

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import Skipped, action_of, decode, edata, enrolment_key

ACTION = "user-enrolment-sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    """Somebody asks to compute this enrolment again from what is stored."""

    key: EnrolmentKey


def parse(value: str | None) -> ReconcileRequest | Skipped:
    """Read the value of a record. Raises InvalidEvent; see the section for what is invalid and what is skipped."""
    data = edata(decode(value))
    if action_of(data).lower() != ACTION:
        return Skipped(reason="another action")
    return ReconcileRequest(key=enrolment_key(data))
