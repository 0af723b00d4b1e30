"""A list of dead letters: a block each, or by cause. See docs/operations.md, "When something fails"."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lern_tasks.cli.dead_letters.stored import StoredDeadLetter
from lern_tasks.cli.printing import say


class Relapses:
    """Which records failed once more: a letter that was replayed has helped when its record has no later one."""

    def __init__(self) -> None:
        self._last: dict[object, tuple[str, str]] = {}

    def watched(self, dead_letters: Iterable[StoredDeadLetter]) -> Iterator[StoredDeadLetter]:
        """The letters, each noted down as it passes: whatever is chosen of them."""
        for dead_letter in dead_letters:
            seen = (dead_letter.failed_at, dead_letter.place)
            self._last[dead_letter.chain] = max(seen, self._last.get(dead_letter.chain, seen))
            yield dead_letter

    def after(self, dead_letter: StoredDeadLetter, replayed: str) -> str | None:
        """The record's letter from after the time `replayed` (ISO 8601, UTC); None when there is none."""
        failed_at, place = self._last[dead_letter.chain]
        return place if place != dead_letter.place and failed_at[:19] >= replayed[:19] else None


def print_letters(rows: Sequence[Mapping[str, Any]]) -> None:
    """A block a letter: no column is wide enough for a topic or a command that somebody will copy."""
    for row in map(_shown, rows):
        say("  ".join(str(row[name]) for name in ("letter", "failed_at", "job", "code") if row[name]))
        for text in (row["error"], row["often"], row["about"], row["replayed"], row["remedy"]):
            if text:
                say(f"    {_one_line(text)}")
        say("")
    say(f"{len(rows)} dead letters")


def print_causes(rows: Sequence[Mapping[str, Any]]) -> None:
    """How many letters each cause has, the commonest first, with one to look at."""
    causes: defaultdict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        causes[row["job"] or "", row["code"], row["error"]].append(row)
    for (job, code, error), letters in sorted(causes.items(), key=lambda entry: -len(entry[1])):
        say(f"{len(letters)} x  {job}  {code}: {_one_line(error)}")
        say(f"    {letters[0]['failed_at']} to {letters[-1]['failed_at']}, for instance {letters[-1]['letter']}")
    say(f"{len(rows)} dead letters, {len(causes)} causes")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (("user", " ".join(row["users"])), ("course", row["course"]), ("batch", row["batch"]))
    about = "  ".join(f"{name} {_one_line(found)}" for name, found in names if found)
    replayed = row["replayed"] and f"replayed {row['replayed']}, {_helped(row['failed_again'])}"
    often = f"came {row['times']} times" if row["times"] > 1 else ""
    return {**row, "about": about, "often": often, "replayed": replayed or ""}


def _helped(failed_again: str | None) -> str:
    return f"and failed again: {failed_again}" if failed_again else "no letter since"


def _one_line(text: object) -> str:
    return " ".join(str(text).split("\n"))
