"""Tables of what many enrolments have earned. See docs/administration.md, "What the answers mean"."""

from collections.abc import Mapping
from typing import Any

from lern_tasks.cli.printing import print_table, say

_LATE = "Complete by the present contents, not by their status"
_KEY = ("user_id", "course_id", "batch_id")


def print_issued(result: Mapping[str, Any], group: str) -> None:
    """Print the counts by `group`, the first enrolments, what failed, and the sentence that sums it up."""
    if result.get("groups"):
        print_table((group, "certificates"), result["groups"].items())
    if result.get("first"):
        print_table(("user", "course", "batch", "certificate"), _cells(result["first"], "certificate"), title="First")
    if result.get("late"):
        print_table(("user", "course", "batch"), [[one[name] for name in _KEY] for one in result["late"]], title=_LATE)
    if result.get("failures"):
        print_table(("user", "course", "batch", "error"), _cells(result["failures"], "error"), title="Not evaluated")
    if result.get("reasons"):
        print_table(("user", "course", "batch", "reason"), _cells(result["reasons"], "reason"), title="Earn nothing")
        if result["nothing"] > len(result["reasons"]):
            say(f"... the first {len(result['reasons'])} of {result['nothing']}")
    say(result["message"])


def _cells(entries: list[Mapping[str, str]], last: str) -> list[list[str]]:
    return [[entry[name] for name in (*_KEY, last)] for entry in entries]
