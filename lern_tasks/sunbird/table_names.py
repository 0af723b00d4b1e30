"""Which job uses which tables, under the names that its settings give them. See docs/architecture.md, "Stores"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lern_tasks.catalogue import EVENT_JOBS, ROWS, EventJob, topic_name
from lern_tasks.settings import Settings
from lern_tasks.settings.jobs import JobSettings
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


_NAMED_BY: Mapping[str, Sequence[str]] = {
    "content_consumption": ["lms_cassandra_content_consumption_table"],
    "enrolments": ["lms_cassandra_user_enrolments_table"],
    "activity_agg": ["lms_cassandra_user_activity_agg_table", "lms_cassandra_activitytable"],
    "assessments": ["lms_cassandra_table"],
    "merge_ledger": ["ledger_table"],
    "course_batch": ["lms_cassandra_course_batch_table"],
    "content_hierarchy": ["lms_cassandra_table"],
    "cert_registry": ["lms_cassandra_certreg_table"],
}
"""The settings that name a table; a job has one of them at most. Tables that are left out have their own name."""

_KEYSPACE_BY: Mapping[str, str] = {
    "merge_ledger": "ledger_keyspace",
    "cert_registry": "lms_cassandra_sbkeyspace",
    "users": "sunbird_cassandra_keyspace",
    "user_organisations": "sunbird_cassandra_keyspace",
    "organisations": "sunbird_cassandra_keyspace",
    "locations": "sunbird_cassandra_keyspace",
    "system_settings": "sunbird_cassandra_keyspace",
}
"""The setting with a table's keyspace, where it is not `lms_cassandra_keyspace`."""

_KEYSPACE_WITH_ENV = {"merge_ledger", "content_hierarchy"}


def for_job(settings: Settings, job: EventJob) -> JobTables:
    """The tables as the settings of `job` name them; `{env}` in a keyspace is filled in.

    What the job uses and has no setting for is named as by the first job that has one.
    """
    row = ROWS[job]
    members = {*row.tables, *(table for beside in row.beside for table in beside.tables)}
    if "enrolments" in members:
        # The copy lies beside them.
        members.add("report_enrolments")
    return replace(JobTables(), **{member: _named(settings, job, member) for member in members})


def used_by(settings: Settings, job: EventJob) -> list[Table]:
    """The tables that events of `job` read or write, under their names."""
    found = for_job(settings, job)
    return [getattr(found, name) for name in ROWS[job].tables]


def users_of_tables(settings: Settings, jobs: Iterable[EventJob]) -> dict[Table, tuple[EventJob, ...]]:
    """Each table that events of `jobs` read or write, with those that do."""
    found: dict[Table, tuple[EventJob, ...]] = {}
    for job in jobs:
        for table in used_by(settings, job):
            found[table] = (*found.get(table, ()), job)
    return found


def needed_tables(settings: Settings) -> list[Table]:
    """Each table that an event job reads or writes, once, under the installation's names."""
    return list(users_of_tables(settings, EVENT_JOBS))


def _named(settings: Settings, job: EventJob, member: str) -> Table:
    table: Table = getattr(JobTables(), member)
    own, setting = _names_it(settings, job, member)
    keyspace = getattr(own, _KEYSPACE_BY.get(member, "lms_cassandra_keyspace"), table.keyspace)
    if member == "content_hierarchy":
        keyspace = keyspace or settings.cassandra.hierarchy_keyspace
    if member in _KEYSPACE_WITH_ENV:
        keyspace = topic_name(keyspace, settings.env).replace("-", "_")
    found = table.renamed(keyspace=keyspace, name=getattr(own, setting) if setting else table.name)
    if not table.types:
        return found
    return replace(found, type_names={name: getattr(own, f"lms_cassandra_{name}udttype") for name in table.types})


def _names_it(settings: Settings, job: EventJob, member: str) -> tuple[JobSettings, str]:
    """The settings that name a table, and the one with its name; empty when it has its own name everywhere."""
    for user in (job, *(user for user in EVENT_JOBS if member in ROWS[user].tables)):
        for setting in _NAMED_BY.get(member, ()):
            if hasattr(settings.job(user), setting):
                return settings.job(user), setting
    return settings.job(job), ""
