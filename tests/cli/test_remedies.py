"""Each letter's remedy: its cause is set, it comes, the cause is mended, the command that it names is given."""

import re
from pathlib import Path

import pytest

from lern_tasks import errors
from lern_tasks.catalogue import JOBS
from lern_tasks.cli.dead_letters.remedies import remedy
from lern_tasks.delivery.delivery_counter import PoisonMessage
from tests.harness.causes import OF_OTHERS
from tests.harness.certificate_causes import OF_CERTIFICATES
from tests.harness.course import batch, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.letters import FINISHED, Letter, certified, letters, run
from tests.harness.samples import ROOT
from tests.harness.syncs import REQUIRED, store
from tests.harness.without_registry import TEMPLATE, Make

LETTERS = [*OF_OTHERS, *OF_CERTIFICATES]

ELSEWHERE = {"LERN_ERROR", "INVALID_ARGUMENT", "SEND_AGAIN", "LOCK_BUSY", "SETTINGS", "SCHEMA"}
"""No letter has them: they are no record's, or go round without end, or wait as an outage and are told as one."""


def prepared(make_chain: MakeChain, **env: str) -> Chain:
    chain = make_chain(**env)
    publish(chain)
    batch(chain, "Course Merit")
    enrol(chain, status=1)
    store(chain, REQUIRED)
    return chain


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.name)
def test_the_command_that_a_letter_names_mends_it(make_chain: MakeChain, letter: Letter) -> None:
    chain = prepared(make_chain, **letter.env)
    with pytest.MonkeyPatch.context() as patch:
        letter.cause(chain, patch)
        chain.send(letter.to, chain.record(letter.event))
        chain.drain()
    (found,) = [each for each in letters(chain) if each.failure and each.failure.job == letter.job]
    assert found.failure is not None
    assert (found.failure.code, letter.says in found.failure.error) == (letter.code, True), found.failure
    command = remedy(found)
    assert command.startswith(letter.command) if letter.command else not command
    if not command:
        return
    assert not letter.well(chain)
    before = len(letters(chain))
    letter.mend(chain)
    result = run(chain, command)
    assert result.exit_code == 0, result.output
    assert letter.well(chain), result.output
    assert len(letters(chain)) == before


def test_a_message_that_ended_its_workers_is_run_again_when_asked(make_chain: MakeChain) -> None:
    chain = prepared(make_chain)
    for _ in range(4):
        chain.ctx.delivery_counter.increment("tag")
    chain.run("activity_aggregate_updater", chain.record(FINISHED), tag="tag")
    (found,) = letters(chain)
    assert found.failure is not None
    assert found.failure.code == PoisonMessage.code
    assert run(chain, remedy(found)).exit_code == 0
    assert certified(chain)


def test_a_document_whose_template_was_no_picture_is_made_once_it_is_one(make_documents: Make) -> None:
    documents = make_documents()
    chain, address = documents.chain, documents.chain.platform.template_url("merit.svg")
    batch(chain, "Course Merit", url=address)
    chain.platform.add(templates={"merit.svg": "not yet drawn"})
    documents.run(documents.event())
    (found,) = letters(chain)
    assert not documents.elements
    chain.platform.add(templates={"merit.svg": TEMPLATE})
    assert "computed anew" in run(chain, remedy(found)).output
    assert [element["name"] for element in documents.elements] == ["Course Merit"]
    assert len(letters(chain)) == 1


def test_a_letter_that_was_replayed_in_vain_names_a_command_that_replays_it_again(make_chain: MakeChain) -> None:
    chain = prepared(make_chain)
    chain.platform.add(users={"u1": {"rootOrgId": "01"}})
    chain.send("activity_aggregate_updater", chain.record(FINISHED))
    chain.drain()
    (first,) = letters(chain)
    run(chain, remedy(first))
    chain.platform.add(users={"u1": {"rootOrgId": "01", "firstName": "Asha"}})
    assert "1 replayed before" in run(chain, remedy(first)).output
    assert not certified(chain)
    assert "computed anew" in run(chain, remedy(first, replayed=True)).output
    assert certified(chain)


def test_every_job_and_every_code_is_tried() -> None:
    assert {letter.job for letter in LETTERS} == set(JOBS)
    named = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    rules = {
        code
        for file in Path(ROOT / "lern_tasks" / "jobs").rglob("*.py")
        for code in re.findall(r'code="([A-Z_]+)"', file.read_text("utf-8"))
    }
    assert {letter.code for letter in LETTERS} - {"BUG"} == (named | rules) - ELSEWHERE
