"""The documented sample events, as they are documented, one folder a topic; under `invalid/` those that are no JSON."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from lern_tasks.catalogue import EVENT_JOBS, EventJob
from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.eligibility import events as collection_cert_pre_processor
from lern_tasks.jobs.certificates.eligibility.events import IssueRequest
from lern_tasks.jobs.certificates.issuing import events as collection_certificate_generator
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate, generate_event, issue_event
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import decode
from tests.harness.samples import SAMPLES, parser_of, samples_of, topic_of
from tests.jobs.certificates.rules.certificates import KEY, template

TOPICS = {topic_of(job): job for job in EVENT_JOBS}


def found(pattern: str) -> list[Any]:
    files = sorted(SAMPLES.glob(pattern))
    return [pytest.param(file, id=str(file.relative_to(SAMPLES))) for file in files]


@pytest.mark.parametrize("file", found("*/*.json"))
def test_a_documented_sample_is_a_json_object_of_a_topic_that_is_read(file: Path) -> None:
    assert decode(file.read_text(encoding="utf-8"))
    assert file.parent.name in TOPICS


@pytest.mark.parametrize("job", EVENT_JOBS)
def test_a_documented_sample_is_work_for_its_job(job: EventJob) -> None:
    """That there is one for each job is shown by tests/test_catalogue.py."""
    for file in samples_of(job):
        assert not isinstance(parser_of(job)(file.read_text(encoding="utf-8")), Skipped)


@pytest.mark.parametrize("file", found("*/invalid/*.json"))
def test_an_invalid_sample_is_refused(file: Path) -> None:
    with pytest.raises(InvalidEvent, match="not JSON that can be read"):
        parser_of(TOPICS[file.parts[-3]])(file.read_text(encoding="utf-8"))


def test_there_are_invalid_samples() -> None:
    assert list(SAMPLES.glob("issue.certificate.request/invalid/*.json"))


@pytest.mark.parametrize("reissue", [False, True])
def test_the_pre_processor_takes_what_the_jobs_before_it_send(reissue: bool) -> None:
    sent = msgspec.json.encode(issue_event(KEY, now_ms=1_700_000_000_000, reissue=reissue)).decode()
    assert collection_cert_pre_processor.parse(sent) == IssueRequest(
        course_id="do_9001",
        batch_id="0139000000000001",
        user_ids=("u-42",),
        reissue=reissue,
        ets=1_700_000_000_000,
    )


@pytest.mark.parametrize("old_id", ["", "c1"])
def test_the_generator_takes_what_the_pre_processor_sends(old_id: str) -> None:
    earned = EligibleCertificate(
        key=KEY,
        template=template(additionalProps={"user": ["firstName"], "course": ["name"], "assessment": ["score"]}),
        old_id=old_id,
        completed_ms=1_709_164_800_000,
        user={"firstName": "Asha", "lastName": "Rao", "rootOrgId": None},
        course_name=r"Say \"hi\"",
        percent={"do_1": 75.0},
        enrolment={"completedOn": 1_709_164_800_000},
    )
    storage = CloudStorage(placeholder="CLOUD_BASE_PATH", base="https://c.example/b")
    event = generate_event(earned, storage, cert_base="http://localhost/certs", now_ms=1)
    request = collection_certificate_generator.parse(msgspec.json.encode(event).decode())
    assert request.key == KEY
    assert (request.name, request.recipient_name, request.old_id) == ("Course Merit", "Asha Rao", old_id)
    assert request.svg_template == "https://c.example/b/content/tpl_7/artifact/merit.svg"
    assert request.course_name == 'Say "hi"'
    assert request.issued_on is not None
    assert request.issued_on.date().isoformat() == "2024-02-29"
    assert request.incomplete == ()


def test_the_documented_generate_event_names_the_learner_that_is_written() -> None:
    text = (SAMPLES / "generate.certificate.request" / "documented.json").read_text(encoding="utf-8")
    assert collection_certificate_generator.parse(text).key == EnrolmentKey(
        user_id="user001", course_id="do_11309999837886054415", batch_id="0131000245281587206"
    )
