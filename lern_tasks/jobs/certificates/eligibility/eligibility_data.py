"""What the criteria of certificates are tested on, read once a message.

See docs/jobs/collection_cert_pre_processor.md, "Rules".
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from lern_tasks.errors import InvalidEvent, LernError
from lern_tasks.jobs.certificates.batch_templates import Templates
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules import criteria
from lern_tasks.jobs.certificates.rules.template import Template, parse_template
from lern_tasks.logs import logger
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Row, value_of
from lern_tasks.sunbird.activity_aggregates import ActivityAggregates
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.enrolments import Enrolments
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "collection_cert_pre_processor"

_COLUMNS = ("active", "status", "completedon", "issued_certificates")

_log = logger(__name__)


class EligibilityData:
    """The rows, users and names that the enrolments of one message need, each read once and at first use.

    Read for all enrolments together: `templates`, then `enrolment`, and `percentages` when a template asks for a score.
    Read one by one, for those alone that come so far: `user`, `course_name`, and the types of scored contents.
    Methods raise what the read of their key raised: an error of one key does not keep the others from being read.
    """

    def __init__(self, ctx: CertificateResources, keys: Iterable[EnrolmentKey]) -> None:
        self._ctx = ctx
        self._keys = list(dict.fromkeys(keys))
        self._tables = for_job(ctx.settings, JOB)
        self._users: dict[str, Mapping[str, Any]] = {}
        self._names: dict[str, str] = {}
        self._types: dict[str, str] = {}

    def templates(self, key: EnrolmentKey) -> Templates:
        """The stored templates of the batch."""
        return value_of(self._templates[key.course_id, key.batch_id])

    def enrolment(self, key: EnrolmentKey) -> Row | None:
        """The enrolment row, None when there is none."""
        return value_of(self._rows[key])

    def completed_ms(self, key: EnrolmentKey, fallback_ms: int | None) -> int:
        """When the course was completed, epoch ms; else the event's time, else now."""
        completed = (self.enrolment(key) or {}).get("completedon")
        return int(completed.timestamp() * 1000) if completed else fallback_ms or self._ctx.now_ms()

    def columns(self, key: EnrolmentKey, template: Template) -> dict[str, Any]:
        """The columns that the template asks for, by its own names; times as epoch ms."""
        names = template.additional.get("enrollment", ()) if template.criteria.status is not None else ()
        row = self.enrolment(key) or {}
        for name in names:
            if name.lower() not in self._tables.enrolments.columns:
                raise InvalidEvent(
                    f"template {template.template_id}: additionalProps.enrollment names {name}, "
                    f"which is no column of user_enrolments; remove it",
                    "cert_templates.additionalProps",
                )
        return {name: _plain(row.get(name.lower())) for name in names}

    def percentages(self, key: EnrolmentKey) -> dict[str, float]:
        """Percent by content, for contents of a type that counts as an assessment."""
        figures = value_of(self._figures[key])
        contents = criteria.scored_contents(figures)
        for content in contents:
            if figures.get(f"max_score:{content}") == 0:
                _log.warning("score_without_maximum", content_id=content, enrolment=key.text)
        self._read_types(contents)
        supported = self._ctx.settings.collection_cert_pre_processor.assessment_metrics_supported_contenttype
        return criteria.percentages(figures, [content for content in contents if self._types[content] in supported])

    def user(self, user_id: str) -> Mapping[str, Any]:
        """The user's fields; none when the account is blocked."""
        if user_id not in self._users:
            self._users[user_id] = self._ctx.users.read(user_id).fields
        return self._users[user_id]

    def course_name(self, course_id: str) -> str:
        """The course's name: from the cache when it has any metadata, else from the content service."""
        if course_id not in self._names:
            cached = self._ctx.metadata.collection(course_id)
            name = cached.get("name", "") if cached else self._ctx.content.name(course_id)
            self._names[course_id] = name if isinstance(name, str) else ""
        return self._names[course_id]

    @cached_property
    def _templates(self) -> dict[tuple[str, str], Templates | LernError]:
        batches = list(dict.fromkeys((key.course_id, key.batch_id) for key in self._keys))
        return self._ctx.batch_templates(JOB).read(batches)

    @cached_property
    def _rows(self) -> dict[EnrolmentKey, Row | None | LernError]:
        asked = {name.lower() for templates in self._templates.values() for name in _enrolment_names(templates)}
        columns = dict.fromkeys((*_COLUMNS, *sorted(asked & self._tables.enrolments.columns.keys())))
        count("db-read-count", len(self._keys), job=JOB)
        return Enrolments(self._ctx.gateway, self._tables.enrolments).read_rows(self._keys, list(columns))

    @cached_property
    def _figures(self) -> dict[EnrolmentKey, dict[str, float] | LernError]:
        count("db-read-count", len(self._keys), job=JOB)
        return ActivityAggregates(self._ctx.gateway, self._tables.activity_agg).read_figures(self._keys)

    def _read_types(self, contents: Iterable[str]) -> None:
        wanted = [content for content in contents if content not in self._types]
        cached = self._ctx.metadata.contents(wanted)
        for content in wanted:
            found = cached.get(content)
            self._types[content] = str(found.get("contenttype", "")) if found else self._type_of(content)

    def _type_of(self, content: str) -> str:
        """The type of a content without cached metadata; unknown ones are passed over or refused, by setting."""
        kind = self._ctx.content.content_type(content)
        if kind:
            return kind
        if not self._ctx.settings.collection_cert_pre_processor.enable_suppress_exception:
            raise InvalidEvent(
                f"the scored content {content} has no metadata in Redis or the content service; publish it again",
                "contentType",
            )
        count("suppressed-failures", job=JOB)
        _log.warning("content_without_metadata", content_id=content)
        return ""


def _enrolment_names(templates: Templates | LernError) -> Iterable[str]:
    """Names of columns that templates ask for; a template that cannot be read is refused where it is evaluated."""
    if isinstance(templates, LernError):
        return
    for template_id, texts in templates.items():
        if "enrollment" in (texts.get("additionalProps") or ""):
            yield from _names(template_id, texts)


def _names(template_id: str, texts: Mapping[str, str]) -> Iterable[str]:
    try:
        return parse_template(template_id, texts).additional.get("enrollment", ())
    except InvalidEvent:
        return ()


def _plain(value: Any) -> Any:
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
