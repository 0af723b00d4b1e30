"""`lern doctor`: reaches every dependency and says what to do. See docs/operations.md, "When something fails"."""

import queue
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

import click

from lern_tasks import catalogue, settings
from lern_tasks.cli.doctor.all import checks
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, problem
from lern_tasks.cli.effective import masked
from lern_tasks.cli.printing import print_json, print_table, say
from lern_tasks.errors import SettingsError
from lern_tasks.settings import Settings

_TIMEOUT = 30.0
"""Seconds for all checks, which run at once: each has shorter time limits of its own."""

_NOTHING_STARTS = "no process starts with it"


def _known(_ctx: click.Context, _param: click.Parameter, names: tuple[str, ...]) -> Jobs:
    """The jobs of that name, spelt with dashes or underscores, in our order; all without any."""
    wanted = {name.lower().replace("-", "_"): name for name in names}
    unknown = [name for job, name in wanted.items() if job not in catalogue.EVENT_JOBS]
    if unknown:
        there = ", ".join(catalogue.EVENT_JOBS)
        raise click.BadParameter(f"there is no job {unknown[0]!r} with a topic; there are: {there}")
    return tuple(job for job in catalogue.EVENT_JOBS if not wanted or job in wanted)


@click.command("doctor")
@click.option(
    "--job", "jobs", multiple=True, metavar="NAME", callback=_known, help="Only what this job needs; may be repeated."
)
@click.option("--timeout", type=click.FloatRange(1), default=_TIMEOUT, show_default=True, help="Seconds to wait.")
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, jobs: Jobs, timeout: float, strict: bool, as_json: bool) -> None:
    """Reach every dependency, check what must hold, and say what to do. Exit status 1 if there is a problem.

    An installation that runs some of the jobs, the others still in Flink, names those: --job NAME --job NAME.
    """
    try:
        values = settings.load()
    except SettingsError as error:
        to_do = "correct the environment; `lern settings` lists all"
        findings = [problem("settings", masked(str(error)), to_do, why=_NOTHING_STARTS)]
    else:
        findings = examine(values, checks(values, jobs), timeout)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    if any(finding.level == "problem" or (strict and finding.level == "warning") for finding in findings):
        sys.exit(1)


def examine(values: Settings, checks: Sequence[Check], timeout: float) -> list[Finding]:
    """The findings of all checks, grouped by job; a check that fails or hangs is a finding and disturbs no other."""
    answers: queue.SimpleQueue[tuple[int, list[Finding]]] = queue.SimpleQueue()
    for index, check in enumerate(checks):
        # Daemons: a check that hangs in a library does not keep the command from ending.
        threading.Thread(
            target=lambda i=index, c=check: answers.put((i, _run(c, values))), name=check.name, daemon=True
        ).start()
    found: dict[int, list[Finding]] = {}
    deadline = time.monotonic() + timeout
    while len(found) < len(checks):
        try:
            index, findings = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[index] = findings
    late = f"no answer within {timeout:g} s"
    return _grouped(
        _completed(finding, check)
        for index, check in enumerate(checks)
        for finding in found.get(index, [problem(check.name, late, "see whether it is reachable from this machine")])
    )


def _run(check: Check, values: Settings) -> list[Finding]:
    try:
        return list(check.look(values))
    except Exception as error:
        result = masked(f"{type(error).__name__}: {error}")
        return [problem(check.name, result, "see whether it runs and its settings are right")]


def _completed(finding: Finding, check: Check) -> Finding:
    """With what holds for all findings of its check."""
    why = "" if finding.level == "ok" else finding.why or check.why
    return replace(finding, why=why, jobs=finding.jobs or check.jobs)


def _grouped(findings: Iterable[Finding]) -> list[Finding]:
    """First what every job needs, then by the first job that needs it, and by the others."""
    once: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        once.setdefault((finding.check, finding.level, finding.result), []).append(finding)
    return sorted(map(_joined, once.values()), key=lambda finding: [*map(catalogue.EVENT_JOBS.index, finding.jobs)])


def _joined(equal: Sequence[Finding]) -> Finding:
    """One finding for all that found the same, with everything that they say of it."""
    named = {job for finding in equal for job in finding.jobs}
    return replace(
        equal[0],
        why="; ".join(dict.fromkeys(finding.why for finding in equal if finding.why)),
        to_do="; ".join(dict.fromkeys(finding.to_do for finding in equal if finding.to_do)),
        jobs=tuple(job for job in catalogue.EVENT_JOBS if job in named) if all(f.jobs for f in equal) else (),
    )


def _show(findings: Sequence[Finding]) -> None:
    for jobs in dict.fromkeys(finding.jobs for finding in findings):
        rows = [
            (f.check, f.level, f"{f.result}: {f.why}" if f.why else f.result, f.to_do)
            for f in findings
            if f.jobs == jobs
        ]
        print_table(("", "", "", ""), rows, title=", ".join(jobs) or "every job")
    say(_summary(findings))


def _summary(findings: Sequence[Finding]) -> str:
    """The last line: how many there are, and which to look at first."""
    problems, warnings = ([f for f in findings if f.level == level] for level in ("problem", "warning"))
    first = next(iter([*problems, *warnings]), None)
    counts = ", ".join(_number(found, word) for found, word in ((problems, "problem"), (warnings, "warning")))
    return f"{counts}; first: {first.check}: {first.result}" if first else counts


def _number(found: Sequence[Finding], word: str) -> str:
    return f"{len(found)} {word}" if len(found) == 1 else f"{len(found)} {word}s"
