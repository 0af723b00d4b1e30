"""Which job uses which tables, under the names that its settings give them. See docs/architecture.md, "Stores"."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lern_tasks.catalogue import EventJob, topic_name
from lern_tasks.settings import Settings
from lern_tasks.settings.jobs import CourseTablesSettings
from lern_tasks.storage.table import Table
from lern_tasks.sunbird import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTables:
    """The tables under the names that a job's settings give them."""

    content_consumption: Table = tables.CONTENT_CONSUMPTION
    enrolments: Table = tables.ENROLMENTS
    report_enrolments: Table = tables.REPORT_ENROLMENTS
    activity_agg: Table = tables.ACTIVITY_AGG
    assessments: Table = tables.ASSESSMENTS
    merge_ledger: Table = tables.MERGE_LEDGER
    course_batch: Table = tables.COURSE_BATCH
    content_hierarchy: Table = tables.CONTENT_HIERARCHY
    cert_registry: Table = tables.CERT_REGISTRY
    users: Table = tables.USERS
    user_organisations: Table = tables.USER_ORGANISATIONS
    organisations: Table = tables.ORGANISATIONS
    locations: Table = tables.LOCATIONS
    system_settings: Table = tables.SYSTEM_SETTINGS


_COURSE = ("content_consumption", "enrolments", "activity_agg")

_USED: Mapping[EventJob, Sequence[str]] = {
    "relation_cache_updater": ["content_hierarchy"],
    "activity_aggregate_updater": _COURSE,
    "assessment_aggregator": ["assessments", "activity_agg"],
    "enrolment_reconciliation": _COURSE,
    "merge_user_courses": [*_COURSE, "assessments", "merge_ledger"],
    "collection_cert_pre_processor": ["course_batch", "enrolments", "activity_agg"],
    "collection_certificate_generator": ["course_batch", "enrolments", "cert_registry"],
    "user_cache_updater": [],
}


def for_job(settings: Settings, job: EventJob) -> JobTables:
    """The tables as the settings of `job` name them; `{env}` in a keyspace is filled in."""
    return _OF_JOB[job](settings)


def used_by(settings: Settings, job: EventJob) -> list[Table]:
    """The tables that events of `job` read or write, under their names."""
    found = for_job(settings, job)
    return [getattr(found, name) for name in _USED[job]]


def _hierarchies(settings: Settings) -> JobTables:
    own = settings.relation_cache_updater
    keyspace = own.lms_cassandra_keyspace or settings.cassandra.hierarchy_keyspace
    keyspace = topic_name(keyspace, settings.env).replace("-", "_")
    return _renamed({"content_hierarchy": own.lms_cassandra_table}, keyspace)


def _course(own: CourseTablesSettings) -> JobTables:
    names = {
        "content_consumption": own.lms_cassandra_content_consumption_table,
        "enrolments": own.lms_cassandra_user_enrolments_table,
        "activity_agg": own.lms_cassandra_user_activity_agg_table,
        "report_enrolments": tables.REPORT_ENROLMENTS.name,
    }
    return _renamed(names, own.lms_cassandra_keyspace)


def _assessments(settings: Settings) -> JobTables:
    own = settings.assessment_aggregator
    names = {"assessments": own.lms_cassandra_table, "activity_agg": own.lms_cassandra_activitytable}
    found = _renamed(names, own.lms_cassandra_keyspace)
    return replace(
        found, assessments=replace(found.assessments, type_names={"question": own.lms_cassandra_questionudttype})
    )


def _pre_processor(settings: Settings) -> JobTables:
    own = settings.collection_cert_pre_processor
    names = {
        "course_batch": own.lms_cassandra_course_batch_table,
        "enrolments": own.lms_cassandra_user_enrolments_table,
        "activity_agg": own.lms_cassandra_user_activity_agg_table,
        "report_enrolments": tables.REPORT_ENROLMENTS.name,
    }
    return _renamed(names, own.lms_cassandra_keyspace)


def _user_cache(settings: Settings) -> JobTables:
    members = ("users", "user_organisations", "organisations", "locations", "system_settings")
    names = {member: getattr(JobTables(), member).name for member in members}
    return _renamed(names, settings.user_cache_updater.sunbird_cassandra_keyspace)


def _merge(settings: Settings) -> JobTables:
    own = settings.merge_user_courses
    ledger = tables.MERGE_LEDGER.renamed(
        keyspace=topic_name(own.ledger_keyspace, settings.env).replace("-", "_"), name=own.ledger_table
    )
    return replace(_course(own), assessments=_assessments(settings).assessments, merge_ledger=ledger)


def _certificates(settings: Settings) -> JobTables:
    own = settings.collection_certificate_generator
    names = {
        "course_batch": own.lms_cassandra_course_batch_table,
        "enrolments": own.lms_cassandra_user_enrolments_table,
    }
    registry = tables.CERT_REGISTRY.renamed(keyspace=own.lms_cassandra_sbkeyspace, name=own.lms_cassandra_certreg_table)
    return replace(_renamed(names, own.lms_cassandra_keyspace), cert_registry=registry)


def _renamed(names: Mapping[str, str], keyspace: str) -> JobTables:
    defaults = JobTables()
    return replace(
        defaults,
        **{member: getattr(defaults, member).renamed(keyspace=keyspace, name=n) for member, n in names.items()},
    )


_OF_JOB: Mapping[EventJob, Callable[[Settings], JobTables]] = {
    "relation_cache_updater": _hierarchies,
    "activity_aggregate_updater": lambda settings: _course(settings.activity_aggregate_updater),
    "assessment_aggregator": _assessments,
    "enrolment_reconciliation": lambda settings: _course(settings.enrolment_reconciliation),
    "merge_user_courses": _merge,
    "collection_cert_pre_processor": _pre_processor,
    "collection_certificate_generator": _certificates,
    "user_cache_updater": _user_cache,
}
