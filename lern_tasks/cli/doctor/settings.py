"""Settings that do nothing."""

from collections.abc import Iterator
from functools import partial

from lern_tasks import catalogue
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, warning
from lern_tasks.cli.effective import effective
from lern_tasks.settings import Settings

_NO_EFFECT = "has no effect"
"""How the note of such a setting begins."""


def checks(jobs: Jobs) -> list[Check]:
    """Settings that all jobs share, and those of `jobs`."""
    return [Check(name="settings", look=partial(_check, jobs), why="whoever set it expects something of it")]


def _check(jobs: Jobs, settings: Settings) -> Iterator[Finding]:
    others = set(catalogue.EVENT_JOBS) - set(jobs)
    idle = [
        row
        for row in effective(settings)
        if row.changed and row.note.startswith(_NO_EFFECT) and row.scope not in others
    ]
    for row in idle:
        of = tuple(job for job in jobs if job == row.scope)
        yield warning("settings", f"{row.variable} is set and {row.note}", f"unset {row.variable}", jobs=of)
    if settings.flower.open:
        yield warning(
            "settings",
            "LERN_FLOWER__OPEN lets Flower start without a password",
            "unset it, and start Flower with --basic-auth=USER:PASSWORD",
            why="whoever reaches Flower sees ids of learners and triggers tasks",
        )
    if not idle:
        yield ok("settings", "nothing is set that has no effect")
