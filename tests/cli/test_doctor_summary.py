"""How `lern doctor` ends, and what it sees of bridge, beat and Flower."""

from typing import Any, Final

import pytest

from lern_tasks.cli import group_offsets
from lern_tasks.cli.doctor import bridge, command, workers
from lern_tasks.cli.doctor.finding import Check, ok, problem, warning
from lern_tasks.cli.group_offsets import PartitionPlan
from lern_tasks.settings import Settings
from tests.cli.conftest import Healthy, Lern

JOB: Final = "activity_aggregate_updater"


@pytest.mark.parametrize(
    ("found", "options", "ended"),
    [
        ([ok("a", "fine")], (), (0, "0 problems, 0 warnings")),
        ([warning("a", "slow", "mend")], (), (0, "0 problems, 1 warning; first: a: slow")),
        ([warning("a", "slow", "mend")], ("--strict",), (1, "0 problems, 1 warning; first: a: slow")),
        ([warning("a", "slow", "m"), problem("b", "away", "m")], (), (1, "1 problem, 1 warning; first: b: away")),
    ],
)
def test_status_and_last_line(
    lern_command: Lern, monkeypatch: pytest.MonkeyPatch, found: Any, options: Any, ended: tuple[int, str]
) -> None:
    monkeypatch.setattr(command, "checks", lambda *_: [Check(name="x", look=lambda _: found, why="")])
    result = lern_command("doctor", *options)
    assert (result.exit_code, result.output.splitlines()[-1]) == ended


def test_equal_findings_are_told_once_with_all_that_they_say() -> None:
    checks = [
        Check(name="search", look=lambda _: [problem("search", "http://s: away", "set A")], why="x waits", jobs=(JOB,)),
        Check(
            name="search",
            look=lambda _: [problem("search", "http://s: away", "set B")],
            why="y waits",
            jobs=("enrolment_reconciliation",),
        ),
    ]
    (finding,) = command.examine(Settings(), checks, 30)
    assert (finding.why, finding.to_do) == ("x waits; y waits", "set A; set B")
    assert finding.jobs == (JOB, "enrolment_reconciliation")


def test_the_address_that_was_tried_is_named(healthy: Healthy) -> None:
    url = healthy.registry.api_url
    healthy.registry.stop()
    assert url in healthy.bad()["registry", "collection_certificate_generator"]["result"]


@pytest.mark.parametrize(
    ("members", "end", "told"),
    [
        (1, 17, "has 1 members and is 7 records behind"),
        (0, 17, "nobody reads dev.coursebatch.job.request"),
        (2, 30_010, "is 30,000 records of dev.coursebatch.job.request behind"),
        (None, 17, "cannot be asked"),
    ],
)
def test_who_reads_and_how_far_behind(
    monkeypatch: pytest.MonkeyPatch, members: int | None, end: int, told: str
) -> None:
    monkeypatch.setattr(bridge, "members_of", lambda _s, groups, timeout: dict.fromkeys(groups, members))
    plans = [PartitionPlan(partition=0, committed=10, target=10, end=end)]
    monkeypatch.setattr(bridge, "plan", lambda *_: plans)
    (check,) = bridge.checks((JOB,))
    findings = list(check.look(Settings()))
    assert [told in finding.result for finding in findings] == [True]
    assert (findings[0].level == "ok") is (told.startswith(("has", "cannot")))


def test_an_embedded_kafka_cannot_be_asked(installation: Settings) -> None:
    groups = ["dev-activity-aggregate-group"]
    assert group_offsets.members_of(installation, groups, timeout=0.2) == {groups[0]: None}


def test_a_beat_that_is_gone(healthy: Healthy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_beat_seen", lambda _: False)
    assert healthy.bad()["beat",]["to_do"] == "celery -A lern_tasks beat"


def test_an_open_flower(healthy: Healthy) -> None:
    assert "LERN_FLOWER__OPEN" in healthy.bad(LERN_FLOWER__OPEN="1")["settings",]["result"]
