"""What merging two accounts changes in one enrolment. See docs/jobs/merge_user_courses.md, "Rules".

Planning twice from what the first plan left gives an empty plan: by that a merge sees that its rows are there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lern_tasks.jobs.accounts.rules.content import LedgerEntry, MergedContent, Row, merge_content
from lern_tasks.jobs.accounts.rules.text_dates import DateFormat
from lern_tasks.sunbird.certificate_name import name_key

BatchKey = tuple[str, str]
"""Course and batch."""

Attempt = tuple[str, str]
"""Content and attempt."""

COMPLETED_COUNT = "completedCount"
_CERTIFICATES = "issued_certificates"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentHistory:
    """What an account has in one batch of a course.

    `enrolment` is None without a row. `figures` are those of the course, empty without a row.
    """

    enrolment: Row | None = None
    contents: Mapping[str, Row] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    attempts: Mapping[Attempt, Row] = field(default_factory=dict)


NO_HISTORY = EnrolmentHistory()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntries:
    """What the ledger says of one enrolment. `copied`: its row was copied; False: begun, None: never."""

    contents: Mapping[str, LedgerEntry] = field(default_factory=dict)
    copied: bool | None = None


NO_ENTRIES = LedgerEntries()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """What is to be written for one enrolment of the target.

    `contents` are those with cells to write or with an entry that is to be marked as done. `copying`: the enrolment's
    row is being copied, `enrolment` are the columns that it lacks. `completed` is the count to put, None leaves it.
    `attempts` are whole rows; None in them is a column that the row shall not have. `unreadable` are the columns with a
    text that is no date.
    """

    contents: Mapping[str, MergedContent]
    copying: bool
    enrolment: Row
    completed: float | None
    attempts: Mapping[Attempt, Row]
    unreadable: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Nothing is to be done, not even to be marked as done."""
        return not (self.contents or self.copying or self.attempts) and self.completed is None

    @property
    def writes(self) -> bool:
        """Whether a row is to change."""
        changed = any(merged.cells for merged in self.contents.values())
        return changed or bool(self.enrolment or self.attempts) or self.completed is not None

    def intended(self, entries: LedgerEntries) -> LedgerEntries:
        """What the ledger says once the plan is written ahead."""
        written = {content: merged.entry for content, merged in self.contents.items() if merged.entry is not None}
        return LedgerEntries(contents={**entries.contents, **written}, copied=False if self.copying else entries.copied)


def plan_merge(
    source: EnrolmentHistory, target: EnrolmentHistory, entries: LedgerEntries, *, may_copy: bool, dates: DateFormat
) -> MergePlan:
    """Plan what the `source` account's history adds to the `target` account's.

    `may_copy` says whether the target may get the enrolment, when it has none (`blocked_batches`).
    """
    contents = {
        content: merge_content(row, target.contents.get(content), entries.contents.get(content), dates)
        for content, row in source.contents.items()
    }
    copying = _copying(source, target, entries, may_copy=may_copy)
    return MergePlan(
        contents={content: merged for content, merged in contents.items() if merged.cells or merged.entry},
        copying=copying,
        enrolment=_missing(source.enrolment or {}, target.enrolment or {}) if copying else {},
        completed=merged_count(source.figures, target.figures),
        attempts=_newer_attempts(source.attempts, target.attempts),
        unreadable=frozenset(name for merged in contents.values() for name in merged.unreadable),
    )


def blocked_batches(source: Iterable[BatchKey], target: Iterable[BatchKey]) -> frozenset[str]:
    """The batches that the target has under another course: their enrolments are not copied.

    Where the source has the same course and batch, the target's row may be a copy that this merge has just made.
    """
    own = set(source)
    return frozenset(batch for course, batch in target if (course, batch) not in own)


def merged_count(source: Mapping[str, float], target: Mapping[str, float]) -> float | None:
    """The number of completed contents to put: the greater of both, missing is 0. None: nothing to put."""
    if not source:
        return None
    count = max(source.get(COMPLETED_COUNT, 0.0), target.get(COMPLETED_COUNT, 0.0))
    return None if count == target.get(COMPLETED_COUNT) else count


def _copying(source: EnrolmentHistory, target: EnrolmentHistory, entries: LedgerEntries, *, may_copy: bool) -> bool:
    if not source.enrolment or not may_copy:
        return False
    return target.enrolment is None or entries.copied is False


def _missing(source: Row, target: Row) -> dict[str, Any]:
    """The source's columns that the target lacks; certificates that were issued meanwhile stay beside the source's."""
    missing = {name: value for name, value in source.items() if name not in target}
    if _CERTIFICATES in source and _CERTIFICATES in target:
        names = {_name(element) for element in target[_CERTIFICATES]}
        more = [element for element in source[_CERTIFICATES] if _name(element) not in names]
        if more:
            missing[_CERTIFICATES] = [*target[_CERTIFICATES], *more]
    return missing


def _name(element: Mapping[str, str]) -> str:
    return name_key(element.get("name") or "")


def _newer_attempts(source: Mapping[Attempt, Row], target: Mapping[Attempt, Row]) -> dict[Attempt, Row]:
    """The attempts that the target lacks, or has with an earlier time; of equal ones the target's stays."""
    newer: dict[Attempt, Row] = {}
    for attempt, row in source.items():
        there = target.get(attempt)
        if there is None and row:
            newer[attempt] = row
        elif there is not None and row.get("last_attempted_on", _NEVER) > there.get("last_attempted_on", _NEVER):
            newer[attempt] = {**dict.fromkeys(there), **row}
    return newer
