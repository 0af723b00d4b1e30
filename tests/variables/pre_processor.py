"""The variables of collection_cert_pre_processor."""

from functools import partial
from typing import Any, Final

from lern_tasks.sunbird.table_names import for_job
from tests.harness.course import ROW
from tests.harness.requests import issue
from tests.jobs.certificates.rules.certificates import texts
from tests.variables.case import Case, Idle
from tests.variables.environment import Stage
from tests.variables.observations import calls, handed, outcome, tables, topics, waiting

JOB: Final = "collection_cert_pre_processor"
NEXT: Final = "collection_certificate_generator"
BY_KAFKA = {"LERN_COLLECTION_CERTIFICATE_GENERATOR__HAND_OFF": "kafka"}
BOX = {"LERN_COLLECTION_CERT_PRE_PROCESSOR__CONTENT_CLOUD_STORAGE_CONTAINER": "box"}
CLOUD = {**BOX, "LERN_COLLECTION_CERT_PRE_PROCESSOR__CLOUD_STORAGE_BASE_URL": "https://cloud"}
USER = {"firstName": "Asha", "lastName": "Rao", "rootOrgId": "0123456789"}


def issuing(stage: Stage, **columns: Any) -> None:
    """A learner has completed a course, whose certificate asks for 60 percent of a quiz or a self-assessment."""
    names = for_job(stage.settings, JOB)
    template = texts(
        identifier="tpl_0",
        name="Course Merit",
        criteria={"enrollment": {"status": 2}, "assessment": {"score": {">=": 60}}},
        additionalProps={"assessment": ["score"]},
    )
    stage.put(names.course_batch, ROW[1:], cert_templates={"tpl_0": template})
    stage.put(names.enrolments, ROW, active=True, status=2)
    figures = {"score:quiz": 9.0, "max_score:quiz": 10.0, "score:test": 8.0, "max_score:test": 10.0, **columns}
    stage.put(names.activity_agg, ("Course", "do_c1", "u1", "cb:b1"), aggregates=figures)
    contents = {
        "do_c1": {"name": "Fractions 101"},
        "quiz": {"contentType": "Quiz"},
        "test": {"contentType": "SelfAssess"},
    }
    stage.platform.add(users={"u1": USER}, contents=contents)
    stage.deliver(JOB, issue("u1"))


def issuing_with_a_gap(stage: Stage) -> None:
    """The same; of one more content nobody knows what it is."""
    issuing(stage, **{"score:gone": 1.0, "max_score:gone": 1.0})


_case = partial(Case, JOB)
_batches, _enrolments, _figures, _spare = (
    f"sunbird_courses.{name}" for name in ("course_batch", "user_enrolments", "user_activity_agg", "spare")
)
_other = {"other.course_batch", "other.user_enrolments", "other.user_activity_agg"}
_template = handed(NEXT, "svgTemplate")
_path = "content/tpl_7/artifact/merit.svg"
_score = handed(NEXT, "related", "assessment", "score")

CASES = [
    _case("kafka.output.topic", "{env}.requests", topics, {"dev.requests"}, issuing, BY_KAFKA),
    _case("lms-cassandra.keyspace", "other", tables, _other, issuing),
    _case("lms-cassandra.course_batch.table", "spare", tables, {_spare, _enrolments, _figures}, issuing),
    _case("lms-cassandra.user_enrolments.table", "spare", tables, {_batches, _spare, _figures}, issuing),
    _case("lms-cassandra.user_activity_agg.table", "spare", tables, {_batches, _enrolments, _spare}, issuing),
    _case("cert_domain_url", "https://certs", handed(NEXT, "basePath"), ["https://certs/certs"], issuing),
    _case("user_read_api", "/private/user/v5/read", calls("/u1"), ["GET /learner/private/user/v5/read/u1"], issuing),
    _case("content_read_api", "/content/v3/read", calls("/quiz"), ["GET /content/content/v3/read/quiz"], issuing),
    _case("service.content.basePath", "$platform/else", calls("/quiz"), ["GET /else/content/v4/read/quiz"], issuing),
    _case(
        "service.learner.basePath", "$platform/userorg", calls("/u1"), ["GET /userorg/private/user/v1/read/u1"], issuing
    ),
    _case("assessment.metrics.supported.contenttype", '["Quiz"]', _score, [{"quiz": 90.0}], issuing),
    _case("enable.suppress.exception", "false", outcome, {"dead": 1}, issuing_with_a_gap),
    _case("cloud_storage_base_url", "https://cloud", _template, [f"https://cloud/box/{_path}"], issuing, BOX),
    _case("content_cloud_storage_container", "box", _template, [f"/box/{_path}"], issuing),
    _case("cloud_storage_cname_url", "https://cname", _template, [f"https://cname/box/{_path}"], issuing, CLOUD),
    _case("cloud_store_base_path_placeholder", "HERE", _template, [f"CLOUD_BASE_PATH/{_path}"], issuing, CLOUD),
]

IDLE = [
    waiting(JOB, issuing),
    Idle(JOB, "lms-cassandra.assessment_aggregator.table", issuing, "the Flink job never reads it: scores are figures"),
]
