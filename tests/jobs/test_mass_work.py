"""Mass work stays behind live learners: what follows from it, and what is tried again, goes by the same queue."""

from tests.harness.course import KEY, batch, consumed, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.mixed_workload import sync


def test_what_follows_from_mass_work_is_mass_work(chain: Chain) -> None:
    publish(chain)
    batch(chain, "Course Merit")
    enrol(chain)
    for content in ("r1", "r2", "r3"):
        consumed(chain, content, status=2)
    chain.send("enrolment_reconciliation", chain.record(sync(KEY), bulk=True))
    chain.drain()
    jobs = {sent.job for sent in chain.sender.sent}
    assert jobs >= {"collection_cert_pre_processor", "collection_certificate_generator", "certificate_user_feed"}
    assert {sent.queue for sent in chain.sender.sent} == {"bulk"}


def test_mass_work_that_is_tried_again_stays_mass_work(make_chain: MakeChain) -> None:
    chain = make_chain()
    enrol(chain)
    consumed(chain, "r1", status=2)
    counts = chain.run("enrolment_reconciliation", chain.record(sync(KEY), bulk=True))
    assert counts["again"] == 1
    again = [sent for sent in chain.sender.sent if sent.job == "enrolment_reconciliation"]
    assert [(sent.queue, [record.bulk for record in sent.records]) for sent in again] == [("bulk", [True])]


def test_live_learners_have_the_queue_of_their_job(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    consumed(chain, "r1", status=2)
    chain.send("enrolment_reconciliation", chain.record(sync(KEY)))
    chain.drain()
    assert {sent.queue for sent in chain.sender.sent} == {None}
