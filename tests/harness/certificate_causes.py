"""Causes of the dead letters of certificates: see causes.py."""

from collections.abc import Mapping
from typing import Any

import pytest

from lern_tasks.errors import DependencyDown, RefusedByService, TransientError, UnknownOutcome
from lern_tasks.jobs.certificates.clients.registry import RegistryClient
from lern_tasks.jobs.certificates.clients.user_service import UserClient
from lern_tasks.jobs.certificates.follow_up.events import FollowUpEvent
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.harness.attempts import store_figures
from tests.harness.course import ROW, batch
from tests.harness.in_process import Chain
from tests.harness.letters import FINISHED, NONE, Letter, Step, certified, raising
from tests.harness.requests import generate, issue
from tests.jobs.certificates.rules.certificates import SIGNATORY, issued

ISSUE = "lern issue-batch do_c1 b1 --issue"
STRICT = {
    "LERN_COLLECTION_CERTIFICATE_GENERATOR__ENABLE_SUPPRESS_EXCEPTION": "false",
    "LERN_COLLECTION_CERT_PRE_PROCESSOR__ENABLE_SUPPRESS_EXCEPTION": "false",
}
ALLOWED = {"LERN_HTTP__ALLOWED_HOSTS": '["cdn.example"]'}
REISSUED = generate(old_id="c1", data=[{"recipientName": " ", "recipientId": "u1"}])


def _template(**fields: Any) -> Step:
    return lambda chain: batch(chain, "Course Merit", **fields)


def _spoilt(**fields: Any) -> Any:
    return lambda chain, _: batch(chain, "Course Merit", **fields)


def _named(**user: Any) -> Step:
    return lambda chain: chain.platform.add(users={"u1": {"rootOrgId": "01", **user}})


def _nameless(chain: Chain, _: object) -> None:
    _named()(chain)


def _switched(**switches: Any) -> Step:
    return lambda chain: chain.registry.switches.update(switches)


def _scored(chain: Chain, _: object) -> None:
    store_figures(chain, score__q1=8.0, max_score__q1=10.0)
    batch(chain, "Course Merit", criteria={"assessment": {"score": {">=": 60}}})


def _created_and_lost(chain: Chain, patch: pytest.MonkeyPatch) -> None:
    """The registry creates, and no answer ever comes."""
    create = RegistryClient.create

    def lost(client: RegistryClient, body: Mapping[str, Any]) -> str:
        if not chain.registry.entities():
            create(client, body)
        chain.time_ms += 100_000_000
        raise UnknownOutcome("no answer")

    patch.setattr(RegistryClient, "create", lost)
    patch.setattr(RegistryClient, "find", _no_answer)


def _no_answer(*_: Any) -> Any:
    raise UnknownOutcome("no answer")


def _has_c1(chain: Chain, _: object) -> None:
    chain.put(ENROLMENTS, ROW, status=2, issued_certificates=issued(("Course Merit", "c1")))


def _has_another(chain: Chain) -> bool:
    return certified(chain) and chain.row(ENROLMENTS, ROW)["issued_certificates"][0]["identifier"] != "c1"


PRE_PROCESSOR = [
    Letter(
        job="collection_cert_pre_processor",
        code="INVALID_EVENT",
        says="template tpl_0: issuer.url is missing",
        event=FINISHED,
        cause=_spoilt(issuer={"name": "X"}),
        mend=_template(),
    ),
    Letter(
        job="collection_cert_pre_processor",
        code="INVALID_EVENT",
        says="no column of user_enrolments",
        event=FINISHED,
        cause=_spoilt(additionalProps={"enrollment": ["nothing"]}),
        mend=_template(),
    ),
    Letter(
        job="collection_cert_pre_processor",
        code="INVALID_EVENT",
        says="has no metadata",
        event=FINISHED,
        env=STRICT,
        cause=_scored,
        mend=lambda chain: chain.platform.add(contents={"q1": {"contentType": "SelfAssess"}}),
    ),
    Letter(
        job="collection_cert_pre_processor",
        code="INVALID_EVENT",
        says="edata.reIssue is text",
        event=issue("u1", reIssue="true"),
        cause=lambda chain, _: chain.put(ENROLMENTS, ROW, status=2),
        command=ISSUE,
    ),
    Letter(
        job="collection_cert_pre_processor",
        code="INVALID_EVENT",
        says="edata.batchId is missing",
        event=issue("u1", batchId=None),
        command=NONE,
    ),
    Letter(
        job="collection_cert_pre_processor",
        code="REFUSED",
        says="users refuses",
        event=FINISHED,
        cause=raising(UserClient, "read", RefusedByService("users refuses with 404")),
    ),
    Letter(
        job="collection_cert_pre_processor",
        code="DEPENDENCY_DOWN",
        says="users does not answer",
        event=FINISHED,
        env={"LERN_COLLECTION_CERT_PRE_PROCESSOR__SOFT_TIME_LIMIT": "0"},
        cause=raising(UserClient, "read", DependencyDown("users")),
    ),
]

GENERATOR = [
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="set the learner's name in the profile",
        event=FINISHED,
        cause=_nameless,
        mend=_named(firstName="Asha"),
    ),
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="recipientName is missing or blank",
        event=REISSUED,
        cause=_has_c1,
        well=_has_another,
    ),
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="the template needs a signatory",
        event=FINISHED,
        env=STRICT,
        cause=_spoilt(signatoryList=[{**SIGNATORY, "image": ""}]),
        mend=_template(),
    ),
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="LERN_HTTP__ALLOWED_HOSTS",
        event=FINISHED,
        env=ALLOWED,
        cause=_spoilt(url="https://elsewhere.example/merit.svg"),
        mend=_template(url="https://cdn.example/merit.svg"),
    ),
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="edata.issuer.url is missing",
        event=generate(issuer={"name": "X"}),
        cause=lambda chain, _: chain.put(ENROLMENTS, ROW, status=2),
    ),
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="edata.userId is missing",
        event=generate(userId=None),
        cause=lambda chain, _: chain.put(ENROLMENTS, ROW, status=2),
    ),
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="recipientId is not edata.userId",
        event=generate(userId="u2"),
        command=NONE,
    ),
    Letter(
        job="collection_certificate_generator",
        code="INVALID_EVENT",
        says="edata.related.batchId is missing",
        event=generate(related={"courseId": "do_c1"}),
        command=NONE,
    ),
    Letter(
        job="collection_certificate_generator",
        code="REFUSED",
        says="no public key",
        event=FINISHED,
        cause=lambda chain, _: _switched(key_search="empty")(chain),
        mend=_switched(key_search="auto"),
    ),
    Letter(
        job="collection_certificate_generator",
        code="REFUSED",
        says="registry refuses with 400",
        event=FINISHED,
        cause=lambda chain, _: _switched(create="400")(chain),
        mend=_switched(create="200"),
    ),
    Letter(
        job="collection_certificate_generator",
        code="UNKNOWN_OUTCOME",
        says="no answer",
        event=FINISHED,
        cause=_created_and_lost,
    ),
]

NOTIFY = {"subject": "Certificate", "template": "mail"}
TOLD = FollowUpEvent(user_id="u1", course_id="do_c1", batch_id="b1", certificate_id="1-9", template_id="tpl_0")

FOLLOW_UPS = [
    Letter(
        job="certificate_notification",
        code="INVALID_EVENT",
        says="notifyTemplate is not an object",
        event=TOLD.to_event(),
        cause=_spoilt(notifyTemplate="[]"),
        mend=_template(notifyTemplate=NOTIFY),
        well=lambda chain: chain.platform.requests_to("POST", "/v2/notification"),
    ),
    Letter(
        job="certificate_user_feed",
        code="REFUSED",
        says="notifications refuses with 400",
        event=TOLD.to_event(),
        cause=lambda chain, _: chain.platform.switches.update({"feed": "400"}),
        mend=lambda chain: chain.platform.switches.update({"feed": "200"}),
        well=lambda chain: len(chain.platform.requests_to("POST", "/feed/v1/create")) == 2,
    ),
    Letter(
        job="certificate_replacement",
        code="TRANSIENT",
        says="registry answers 500",
        event=TOLD.to_event(),
        cause=raising(RegistryClient, "delete", TransientError("registry answers 500")),
        well=lambda chain: chain.registry.requests_to("DELETE", "/api/v1/TrainingCertificate/1-9"),
    ),
    Letter(
        job="certificate_replacement",
        code="INVALID_EVENT",
        says="certificate_id is missing",
        event={**TOLD.to_event(), "certificate_id": ""},
        command=NONE,
    ),
]
OF_CERTIFICATES = [*PRE_PROCESSOR, *GENERATOR, *FOLLOW_UPS]
"""The letters of the certificates' jobs."""
