"""The administrators' commands with a real worker: what they print, and the rows afterwards."""

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result

from tests.cli.conftest import Lern
from tests.harness.admin_scenario import certificates, open_office, row
from tests.harness.installation import Installation, embedded
from tests.harness.scenario import Scenario
from tests.harness.seeding import course_rows
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.slow

Office = tuple[Installation, Scenario]
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An installation with a worker, and learners whose progress is stale."""
    with embedded(tmp_path_factory.mktemp("office")) as installation:
        installation.system.start_worker()
        yield installation, open_office(installation, learners=4)


@pytest.fixture
def run(lern_command: Lern, office: Office) -> Run:
    return lambda *arguments: lern_command(*arguments, **office[0].env)


def test_an_administrators_morning(office: Office, run: Run) -> None:
    installation, scenario = office
    one, *others = (learner.key for learner in scenario.learners)
    course, batch = one.course_id, one.batch_id

    unknown = run("reconcile", "nobody", course, batch)
    assert unknown.exit_code == 1
    assert unknown.stdout.startswith("There is no enrolment of user nobody")

    mended = run("reconcile", one.user_id, course, batch)
    assert mended.exit_code == 0
    assert mended.stdout.startswith("2 of 2 required contents are done. The enrolment was not begun and is complete")
    assert row(installation, one)["status"] == 2
    wait_until(lambda: certificates(installation, one), seconds=30, what="the certificate")

    whole = run("reconcile", "--course", course, "--batch", batch, "--json")
    assert json.loads(whole.stdout)["result"]["enrolments"] == 4
    wait_until(lambda: all(certificates(installation, key) for key in others), seconds=60, what="all certificates")

    first = row(installation, one)["issued_certificates"][0]["identifier"]
    again = run("reissue", one.user_id, course, batch)
    assert again.exit_code == 0
    assert f"it replaces {first}" in again.stdout
    wait_until(
        lambda: row(installation, one)["issued_certificates"][0]["identifier"] != first,
        seconds=30,
        what="another certificate",
    )

    a_template_is_added_later(office, run)


def a_template_is_added_later(office: Office, run: Run) -> None:
    """The batch misses certificates of it, which the sweep and the dry run name; `--issue` asks for them."""
    installation, scenario = office
    keys = [learner.key for learner in scenario.learners]
    course, batch = keys[0].course_id, keys[0].batch_id
    (of_course,) = scenario.courses
    scenario.courses[0] = type(of_course)(
        course_id=course,
        batch_id=batch,
        units=of_course.units,
        templates=("Course Merit", "Participation"),
    )
    base = installation.platform.url
    installation.apply(course_rows(installation.system.settings, scenario.courses[0], base=base))

    missing = run("missing-certificates", "--since", "2024-01-01")
    assert missing.exit_code == 1
    assert "4 complete enrolments; 4 certificates of 4 of them would be asked for." in missing.stdout
    assert f"{course} {batch}" in missing.stdout

    dry = run("issue-batch", course, batch)
    assert dry.exit_code == 0
    assert "tpl_1 Participation" in dry.stdout
    assert [certificates(installation, key) for key in keys] == [["Course Merit"]] * 4

    assert "4 of them were asked for" in run("issue-batch", course, batch, "--issue").stdout
    for key in keys:
        wait_until(
            lambda key=key: certificates(installation, key) == ["Course Merit", "Participation"],  # type: ignore[misc]
            seconds=60,
            what="the second certificate",
        )
    fixed = run("missing-certificates", "--fix")
    assert fixed.exit_code == 0
    assert "0 certificates of 0 of them were asked for." in fixed.stdout
