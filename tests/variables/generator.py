"""The variables of collection_certificate_generator, with the registry."""

from functools import partial
from typing import Any, Final

from lern_tasks.sunbird.table_names import for_job
from tests.harness.course import ROW
from tests.harness.requests import generate
from tests.jobs.certificates.rules.certificates import issued, texts
from tests.variables.case import Case, Idle
from tests.variables.environment import Stage
from tests.variables.observations import body, calls, outcome, tables, topics, waiting

JOB: Final = "collection_certificate_generator"
PREFIX: Final = "LERN_COLLECTION_CERTIFICATE_GENERATOR__"
BOX = {f"{PREFIX}CONTENT_CLOUD_STORAGE_CONTAINER": "box"}
CLOUD = {**BOX, f"{PREFIX}CLOUD_STORAGE_BASE_URL": "https://cloud"}
TEMPLATE = "CLOUD_BASE_PATH/merit.svg"
USER = {"firstName": "Asha", "lastName": "Rao", "maskedPhone": "98****10"}


def enrolled(stage: Stage, *certificates: tuple[str, str]) -> None:
    """A learner who has completed a course, whose batch says by mail that the certificate is there."""
    names = for_job(stage.settings, JOB)
    template = texts(identifier="tpl_0", name="Course Merit", notifyTemplate={"subject": "Certificate"})
    stage.put(names.course_batch, ROW[1:], cert_templates={"tpl_0": template})
    stage.put(names.enrolments, ROW, active=True, status=2, issued_certificates=issued(*certificates))
    stage.platform.add(users={"u1": USER})


def generating(stage: Stage) -> None:
    """A certificate that replaces one of the old registry, with all that follows."""
    enrolled(stage, ("Course Merit", "old-1"))
    data = [{"recipientName": "Øystein aaa", "recipientId": "u1"}]
    stage.deliver(JOB, generate(old_id="old-1", svgTemplate=TEMPLATE, data=data), follow=True)


def generating_unsigned(stage: Stage) -> None:
    """A certificate without signatory."""
    enrolled(stage)
    stage.deliver(JOB, generate(signatoryList=[]))


def issued_types(stage: Stage) -> list[str]:
    """The types of the certificates in the enrolment, whichever way they were made."""
    row: dict[str, Any] = stage.row(for_job(stage.settings, JOB).enrolments, ROW)
    return [element.get("type", "document") for element in row["issued_certificates"]]


def authorizations(stage: Stage) -> list[str]:
    """What the create calls say who asks."""
    return [each.headers["authorization"] for each in stage.requests if "authorization" in each.headers]


def sms_end(stage: Stage) -> list[str]:
    """The last words of the text messages."""
    found = body("/v2/notification", "request")(stage)
    return [request["body"].split("update your ")[1] for request in found if request.get("mode") == "sms"]


_case = partial(Case, JOB)
_batches, _enrolments, _spare = (f"sunbird_courses.{name}" for name in ("course_batch", "user_enrolments", "spare"))
_old = "sunbird.cert_registry"
_url = body("/TrainingCertificate", "templateUrl")
_name = body("/TrainingCertificate", "recipient", "name")

CASES = [
    _case("kafka.output.audit.topic", "{env}.audits", topics, {"dev.audits"}, generating),
    _case("lms-cassandra.keyspace", "other", tables, {"other.course_batch", "other.user_enrolments", _old}, generating),
    _case("lms-cassandra.course_batch.table", "spare", tables, {_spare, _enrolments, _old}, generating),
    _case("lms-cassandra.user_enrolments.table", "spare", tables, {_batches, _spare, _old}, generating),
    _case("lms-cassandra.sbkeyspace", "other", tables, {_batches, _enrolments, "other.cert_registry"}, generating),
    _case("lms-cassandra.certreg.table", "spare", tables, {_batches, _enrolments, "sunbird.spare"}, generating),
    _case("task.rc.badcharlist", "aaa", _name, ["Øystein "], generating),
    _case(
        "service.learner.basePath",
        "$platform/userorg",
        calls("/u1"),
        ["GET /userorg/private/user/v1/read/u1"],
        generating,
    ),
    _case("user_read_api", "/private/user/v5/read", calls("/u1"), ["GET /learner/private/user/v5/read/u1"], generating),
    _case("service.rc.basePath", "$registry/api/v2", calls("/search"), ["POST /api/v2/PublicKey/search"], generating),
    _case("service.rc.entity", "Merit", calls("/Merit"), ["POST /api/v1/Merit"], generating),
    _case("service.rc.rcApiKey", "Bearer key", authorizations, ["Bearer key"], generating),
    _case("enable.suppress.exception", "false", outcome, {"dead": 1}, generating_unsigned),
    _case("es.basePath", "$platform", calls("_doc/old-1"), ["DELETE /certs/_doc/old-1"], generating),
    _case("sunbird_instance_name", "Diksha", sms_end, ["Diksha app."], generating),
    _case("cloud_storage_base_url", "https://cloud", _url, ["https://cloud/box/merit.svg"], generating, BOX),
    _case("content_cloud_storage_container", "box", _url, ["/box/merit.svg"], generating),
    _case("cloud_storage_cname_url", "https://cname", _url, ["https://cname/box/merit.svg"], generating, CLOUD),
    _case("cloud_store_base_path_placeholder", "HERE", _url, [TEMPLATE], generating, CLOUD),
]

IDLE = [
    waiting(JOB, generating),
    Idle(JOB, "service.content.basePath", generating, "the event holds all that a certificate says of its course"),
]
