"""After a merge of accounts: what still names the old one is issued again in the new one's name, once."""

import pytest

from lern_tasks.errors import InvalidArgument
from lern_tasks.operations.merged_certificates import reissue_merged
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.course import batch, enrol, publish
from tests.harness.in_process import Chain
from tests.harness.letters import letters, run
from tests.harness.merges import merge
from tests.harness.requests import issue

OLD = EnrolmentKey(user_id="u-old", course_id="do_c1", batch_id="b1")
OTHER = EnrolmentKey(user_id="u-old", course_id="do_c2", batch_id="b2")
COMMAND = "lern reissue u-new --merged-from u-old"


def certificates(chain: Chain, user: str, course: str = "do_c1", of: str = "b1") -> dict[str, str]:
    elements = chain.row(ENROLMENTS, (user, course, of)).get("issued_certificates", [])
    return {element["name"]: element["identifier"] for element in elements}


@pytest.fixture
def merged(chain: Chain) -> Chain:
    """An account with two certificates of one course and one of another was merged into one that has a name."""
    publish(chain)
    for key, names in ((OLD, ("Course Merit", "Participation")), (OTHER, ("Course Merit",))):
        batch(chain, *names, key=key)
        enrol(chain, key, status=2)
        chain.send(
            "collection_cert_pre_processor", chain.record(issue("u-old", courseId=key.course_id, batchId=key.batch_id))
        )
    chain.platform.add(users={"u-new": {"firstName": "Asha", "rootOrgId": "01"}})
    chain.drain()
    chain.send("merge_user_courses", chain.record(merge("u-old", "u-new")))
    chain.drain()
    assert certificates(chain, "u-new") == certificates(chain, "u-old") != {}
    return chain


def owners(chain: Chain) -> list[tuple[str, str]]:
    documents = [stored.document for stored in chain.registry.entities()]
    return sorted((one["recipient"]["id"], one["certificateLabel"]) for one in documents)


def test_each_is_issued_again_in_the_name_of_the_account_that_has_it_now(merged: Chain) -> None:
    before = certificates(merged, "u-old")
    assert {owner for owner, _ in owners(merged)} == {"u-old"}
    result = run(merged, COMMAND)
    assert result.exit_code == 0, result.output
    assert "3 certificates name u-old; 3 were asked for, in the account's own name." in result.output
    assert owners(merged) == [("u-new", "Course Merit"), ("u-new", "Course Merit"), ("u-new", "Participation")]
    assert not set(certificates(merged, "u-new").values()) & set(before.values())
    assert certificates(merged, "u-old") == before
    assert not letters(merged)


def test_a_second_time_nothing_is_left_to_do(merged: Chain) -> None:
    run(merged, COMMAND)
    there = certificates(merged, "u-new")
    again = run(merged, COMMAND)
    assert (again.exit_code, "none names u-old" in again.output) == (1, True)
    assert certificates(merged, "u-new") == there


def test_what_is_not_earned_any_more_stays_and_is_told(merged: Chain) -> None:
    merged.put(ENROLMENTS, ("u-new", "do_c2", "b2"), active=False)
    result = run(merged, COMMAND)
    assert "3 certificates name u-old; 2 were asked for" in result.output
    assert "Course Merit of course do_c2: tpl_0: the enrolment is not active." in result.output
    assert certificates(merged, "u-new", "do_c2", "b2") == certificates(merged, "u-old", "do_c2", "b2")


def test_a_death_anywhere_loses_none_and_doubles_none(merged: Chain) -> None:
    tasks = LongTasks(merged, reissue_merged)
    tasks.start("lern.reissue_merged", user_id="u-new", merged_from="u-old")
    tasks.drain(3, 4, 5, 6)
    merged.drain()
    assert owners(merged) == [("u-new", "Course Merit"), ("u-new", "Course Merit"), ("u-new", "Participation")]


def test_one_account_is_no_merge(chain: Chain) -> None:
    with pytest.raises(InvalidArgument, match="merged_from is the same account"):
        LongTasks(chain, reissue_merged).finish("lern.reissue_merged", user_id="u1", merged_from="u1")


def test_the_command_wants_one_of_both(chain: Chain) -> None:
    for words in ("u1", "u1 do_c1", "u1 do_c1 b1 --merged-from u2"):
        assert run(chain, f"lern reissue {words}").exit_code == 2
