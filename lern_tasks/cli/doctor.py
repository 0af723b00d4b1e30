"""`lern doctor`: reaches every dependency and says what to do. See docs/operations.md, "When something fails"."""

import queue
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from lern_tasks import settings
from lern_tasks.cli.checks import cassandra, kafka, redis, services
from lern_tasks.cli.checks import settings as settings_check
from lern_tasks.cli.checks.finding import Check, Finding, problem
from lern_tasks.cli.effective import masked
from lern_tasks.cli.printing import print_json, print_table
from lern_tasks.errors import SettingsError
from lern_tasks.settings import Settings

_TIMEOUT = 30.0
"""Seconds for all checks, which run at once: each has shorter time limits of its own."""


@click.command("doctor")
@click.option("--timeout", type=click.FloatRange(1), default=_TIMEOUT, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, timeout: float, as_json: bool) -> None:
    """Reach every dependency, check what must hold, and say what to do. Exit status 1 if something is to be done."""
    try:
        values = settings.load()
    except SettingsError as error:
        findings = [problem("settings", masked(str(error)), "correct the environment; `lern settings` lists all")]
    else:
        findings = examine(values, _all_checks(), timeout)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(("check", "", "result", "what to do"), [(f.check, f.level, f.result, f.to_do) for f in findings])
    if any(finding.level != "ok" for finding in findings):
        sys.exit(1)


def examine(values: Settings, checks: Sequence[tuple[str, Check]], timeout: float) -> list[Finding]:
    """The findings of all checks, in their order; a check that fails or hangs is a finding and disturbs no other."""
    answers: queue.SimpleQueue[tuple[int, list[Finding]]] = queue.SimpleQueue()
    for index, (name, check) in enumerate(checks):
        # Daemons: a check that hangs in a library does not keep the command from ending.
        threading.Thread(
            target=lambda i=index, n=name, c=check: answers.put((i, _run(n, c, values))), daemon=True
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
    return [
        finding
        for index, (name, _) in enumerate(checks)
        for finding in found.get(index, [problem(name, late, "see whether it is reachable from this machine")])
    ]


def _answer(
    answers: "queue.SimpleQueue[tuple[int, list[Finding]]]", index: int, name: str, check: Check, values: Settings
) -> None:
    answers.put((index, _run(name, check, values)))


def _run(name: str, check: Check, values: Settings) -> list[Finding]:
    try:
        return list(check(values))
    except Exception as error:
        return [
            problem(name, masked(f"{type(error).__name__}: {error}"), "see whether it runs and its settings are right")
        ]


def _all_checks() -> list[tuple[str, Check]]:
    return [
        ("settings", settings_check.check),
        ("kafka", kafka.check),
        *redis.checks(),
        *cassandra.checks(),
        *services.checks(),
    ]
