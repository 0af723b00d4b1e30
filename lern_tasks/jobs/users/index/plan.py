"""What a run of the bulk user index is, and what it did so far. See docs/jobs/index_users.md, "Modes"."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from lern_tasks.errors import InvalidArgument

YESTERDAY: Final = "yesterday"
ALL: Final = ("", "full")

_EXAMPLES = 20
"""Users named in the result: enough to find out what is wrong with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPlan:
    """What a run does: index users changed since a date (None: all), refresh all of them, or copy anonymous ones."""

    since: date | None
    refresh: bool
    anonymous: bool


def plan_of(since: object, refresh: object, anonymous: object, *, now_ms: int) -> IndexPlan:
    """The plan of named arguments as a person gives them. Raises InvalidArgument."""
    for name, value in (("refresh", refresh), ("anonymous", anonymous)):
        if not isinstance(value, bool):
            raise InvalidArgument(f"{name} must be true or false")
    dated = since != YESTERDAY and since not in ALL
    if anonymous and (refresh or dated):
        raise InvalidArgument("anonymous copies users without account and nothing else; leave refresh and since out")
    if refresh and dated:
        raise InvalidArgument("refresh takes all users; leave since out")
    everybody = bool(refresh) or bool(anonymous) or since in ALL
    return IndexPlan(
        since=None if everybody else _date(since, now_ms), refresh=bool(refresh), anonymous=bool(anonymous)
    )


def _date(since: object, now_ms: int) -> date:
    if since == YESTERDAY:
        return datetime.fromtimestamp(now_ms / 1000, tz=UTC).date() - timedelta(days=1)
    try:
        return datetime.strptime(str(since), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise InvalidArgument(
            "since must be a date as 2024-05-31, `yesterday`, or `full` (or empty) for all users"
        ) from None


class IndexTally(msgspec.Struct, kw_only=True):
    """What a run is, and what it did so far: the result of the task. `examples` are `id: reason`."""

    since: date | None
    refresh: bool
    anonymous: bool
    started: str
    users: int = 0
    written: int = 0
    not_due: int = 0
    newer: int = 0
    unreadable: int = 0
    misplaced: int = 0
    other_ids: int = 0
    checked: int = 0
    removed: int = 0
    examples: list[str] = []

    def example(self, user_id: str, why: str) -> None:
        """Name a user, unless enough are named."""
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{user_id}: {why}")

    @property
    def plan(self) -> IndexPlan:
        """What the run was begun with."""
        return IndexPlan(since=self.since, refresh=self.refresh, anonymous=self.anonymous)


def tally_of(plan: IndexPlan, *, now_ms: int) -> IndexTally:
    """The tally of a run that begins now."""
    started = datetime.fromtimestamp(now_ms // 1000, tz=UTC).isoformat()
    return IndexTally(since=plan.since, refresh=plan.refresh, anonymous=plan.anonymous, started=started)
