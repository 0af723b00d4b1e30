"""One run of every job with everything handed on by Kafka: all events that the jobs emit."""

import json
from dataclasses import dataclass

from lern_tasks.catalogue import EVENT_JOBS, EventJob
from tests.harness.course import KEY, batch, consumed, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.mixed_workload import attempt, merged, sync
from tests.harness.scenario import finished


@dataclass(frozen=True, slots=True)
class Emitted:
    """A message on a topic."""

    topic: str
    value: str


def emissions(make_chain: MakeChain) -> list[Emitted]:
    """A learner sits the exam, finishes, asks for a sync and merges accounts; the certificate is issued."""
    chain = make_chain(**{f"LERN_{job.upper()}__HAND_OFF": "kafka" for job in EVENT_JOBS})
    publish(chain)
    batch(chain, "Course Merit")
    enrol(chain)
    consumed(chain, "r1", status=2)
    _run(chain, "assessment_aggregator", attempt(KEY, "r3", 1, score=3, at_ms=1_700_000_000_000))
    _run(chain, "enrolment_reconciliation", sync(KEY))
    _run(chain, "merge_user_courses", merged(KEY.user_id, "u2"))
    old = {"action": "batch-enrolment-sync", "userId": "u2", "courseId": KEY.course_id, "batchId": KEY.batch_id}
    _run(chain, "activity_aggregate_updater", {"eid": "BE_JOB_REQUEST", "edata": old})
    _run(chain, "activity_aggregate_updater", finished(KEY, ["r1", "r2", "r3"]))
    for event in chain.events(".issue.certificate.request"):
        _run(chain, "collection_cert_pre_processor", event)
    for event in chain.events(".generate.certificate.request"):
        _run(chain, "collection_certificate_generator", event)
    return [Emitted(message.topic, (message.value or b"").decode()) for message in chain.published.messages]


def _run(chain: Chain, job: EventJob, event: object) -> None:
    counts = chain.run(job, chain.record(json.dumps(event)), tag=f"tag-{chain.offset}")
    assert not counts["dead"], counts
    assert not counts["again"], counts
