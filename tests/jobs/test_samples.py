"""The documented sample events, as they are documented, one folder a topic; under `invalid/` those that are no JSON."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.assessments import events as assessment_aggregator
from lern_tasks.jobs.certificates.eligibility import events as collection_cert_pre_processor
from lern_tasks.jobs.certificates.eligibility.events import IssueRequest
from lern_tasks.jobs.certificates.issuing import events as collection_certificate_generator
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate, generate_event, issue_event
from lern_tasks.jobs.progress import events as activity_aggregate_updater
from lern_tasks.jobs.relations import events as relation_cache_updater
from lern_tasks.jobs.users import events as user_cache_updater
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import decode
from tests.jobs.certificates.rules.certificates import KEY, template

SAMPLES = Path(__file__).parents[1] / "samples"

PARSERS: dict[str, Callable[[str | None], Any]] = {
    "content.postpublish.request": relation_cache_updater.parse,
    "telemetry.assess": assessment_aggregator.parse,
    "coursebatch.job.request": activity_aggregate_updater.parse,
    "batch.enrolment.sync.request": activity_aggregate_updater.parse_reconcile,
    "issue.certificate.request": collection_cert_pre_processor.parse,
    "generate.certificate.request": collection_certificate_generator.parse,
    "telemetry.audit": user_cache_updater.parse,
}


def found(pattern: str) -> list[Any]:
    files = sorted(SAMPLES.glob(pattern))
    return [pytest.param(file, id=str(file.relative_to(SAMPLES))) for file in files]


@pytest.mark.parametrize("file", found("*/*.json"))
def test_a_documented_sample_is_a_json_object(file: Path) -> None:
    assert decode(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("topic", PARSERS)
def test_a_documented_sample_is_work_for_its_job(topic: str) -> None:
    files = list((SAMPLES / topic).glob("*.json"))
    assert files
    for file in files:
        assert not isinstance(PARSERS[topic](file.read_text(encoding="utf-8")), Skipped)


@pytest.mark.parametrize("file", found("*/invalid/*.json"))
def test_an_invalid_sample_is_refused(file: Path) -> None:
    with pytest.raises(InvalidEvent, match="not JSON that can be read"):
        PARSERS[file.parts[-3]](file.read_text(encoding="utf-8"))


def test_there_are_samples() -> None:
    assert set(PARSERS) <= {file.parent.name for file in SAMPLES.glob("*/*.json")}
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
