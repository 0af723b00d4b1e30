"""The tables that the jobs use, each declared once. See docs/architecture.md, "Stores".

Prepared CQL, the SQLite layout, the development schema and the schema check come from these declarations. Columns that
no job reads or writes are left out: an installation may have them or not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lern_tasks.settings import Settings
from lern_tasks.topics import EventJob, topic_name

ColumnType = Literal[
    "text",
    "int",
    "boolean",
    "timestamp",
    "double",
    "list<text>",
    "map<text, int>",
    "map<text, double>",
    "map<text, timestamp>",
    "list<frozen<map<text, text>>>",
    "map<text, frozen<map<text, text>>>",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its keyspace and name, its key columns in order, and the type of each column that we use."""

    keyspace: str
    name: str
    partition: tuple[str, ...]
    clustering: tuple[str, ...] = ()
    columns: Mapping[str, ColumnType]

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's columns."""
        return (*self.partition, *self.clustering)

    @property
    def full_name(self) -> str:
        """`keyspace.name`."""
        return f"{self.keyspace}.{self.name}"

    def renamed(self, *, keyspace: str, name: str) -> "Table":
        """The same table under the names of an installation."""
        return replace(self, keyspace=keyspace, name=name)

    def is_map(self, column: str) -> bool:
        """Whether the column is a map, whose entries are written one by one."""
        return self.columns[column].startswith("map<")

    def __hash__(self) -> int:
        return hash((self.keyspace, self.name))


CONTENT_CONSUMPTION = Table(
    keyspace="sunbird_courses",
    name="user_content_consumption",
    partition=("userid",),
    clustering=("courseid", "batchid", "contentid"),
    columns={
        "userid": "text",
        "courseid": "text",
        "batchid": "text",
        "contentid": "text",
        "status": "int",
        "viewcount": "int",
        "completedcount": "int",
    },
)

ENROLMENTS = Table(
    keyspace="sunbird_courses",
    name="user_enrolments",
    partition=("userid",),
    clustering=("courseid", "batchid"),
    columns={
        "userid": "text",
        "courseid": "text",
        "batchid": "text",
        "active": "boolean",
        "addedby": "text",
        "certstatus": "int",
        "completedon": "timestamp",
        "completionpercentage": "int",
        "contentstatus": "map<text, int>",
        "datetime": "timestamp",
        "enrolled_date": "timestamp",
        "enrolleddate": "text",
        "issued_certificates": "list<frozen<map<text, text>>>",
        "lastreadcontentid": "text",
        "lastreadcontentstatus": "int",
        "progress": "int",
        "status": "int",
    },
)

ACTIVITY_AGG = Table(
    keyspace="sunbird_courses",
    name="user_activity_agg",
    partition=("activity_type", "activity_id", "user_id"),
    clustering=("context_id",),
    columns={
        "activity_type": "text",
        "activity_id": "text",
        "user_id": "text",
        "context_id": "text",
        "agg": "map<text, int>",
        "aggregates": "map<text, double>",
        "agg_last_updated": "map<text, timestamp>",
    },
)

COURSE_BATCH = Table(
    keyspace="sunbird_courses",
    name="course_batch",
    partition=("courseid",),
    clustering=("batchid",),
    columns={
        "courseid": "text",
        "batchid": "text",
        "cert_templates": "map<text, frozen<map<text, text>>>",
    },
)

CONTENT_HIERARCHY = Table(
    keyspace="dev_hierarchy_store",
    name="content_hierarchy",
    partition=("identifier",),
    columns={"identifier": "text", "hierarchy": "text"},
)

CERT_REGISTRY = Table(
    keyspace="sunbird",
    name="cert_registry",
    partition=("id",),
    columns={"id": "text", "isrevoked": "boolean", "recipient": "text"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTables:
    """The tables under the names that a job's settings give them."""

    content_consumption: Table = CONTENT_CONSUMPTION
    enrolments: Table = ENROLMENTS
    activity_agg: Table = ACTIVITY_AGG
    course_batch: Table = COURSE_BATCH
    content_hierarchy: Table = CONTENT_HIERARCHY
    cert_registry: Table = CERT_REGISTRY


_USED: Mapping[EventJob, Sequence[str]] = {
    "relation_cache_updater": ["content_hierarchy"],
    "activity_aggregate_updater": ["content_consumption", "enrolments", "activity_agg"],
    "collection_cert_pre_processor": ["course_batch", "enrolments", "activity_agg"],
    "collection_certificate_generator": ["course_batch", "enrolments", "cert_registry"],
}


def for_job(settings: Settings, job: EventJob) -> JobTables:
    """The tables as the settings of `job` name them; `{env}` in a keyspace is filled in."""
    match job:
        case "relation_cache_updater":
            hierarchy = settings.relation_cache_updater
            keyspace = hierarchy.lms_cassandra_keyspace or settings.cassandra.hierarchy_keyspace
            return JobTables(
                content_hierarchy=CONTENT_HIERARCHY.renamed(
                    keyspace=topic_name(keyspace, settings.env).replace("-", "_"), name=hierarchy.lms_cassandra_table
                )
            )
        case "activity_aggregate_updater":
            own = settings.activity_aggregate_updater
            names = {
                "content_consumption": own.lms_cassandra_content_consumption_table,
                "enrolments": own.lms_cassandra_user_enrolments_table,
                "activity_agg": own.lms_cassandra_user_activity_agg_table,
            }
            return _renamed(names, own.lms_cassandra_keyspace)
        case "collection_cert_pre_processor":
            pre = settings.collection_cert_pre_processor
            names = {
                "course_batch": pre.lms_cassandra_course_batch_table,
                "enrolments": pre.lms_cassandra_user_enrolments_table,
                "activity_agg": pre.lms_cassandra_user_activity_agg_table,
            }
            return _renamed(names, pre.lms_cassandra_keyspace)
        case _:
            generator = settings.collection_certificate_generator
            names = {
                "course_batch": generator.lms_cassandra_course_batch_table,
                "enrolments": generator.lms_cassandra_user_enrolments_table,
            }
            tables = _renamed(names, generator.lms_cassandra_keyspace)
            registry = CERT_REGISTRY.renamed(
                keyspace=generator.lms_cassandra_sbkeyspace, name=generator.lms_cassandra_certreg_table
            )
            return replace(tables, cert_registry=registry)


def used_by(settings: Settings, job: EventJob) -> list[Table]:
    """The tables that `job` reads or writes, under their names."""
    tables = for_job(settings, job)
    return [getattr(tables, name) for name in _USED[job]]


def _renamed(names: Mapping[str, str], keyspace: str) -> JobTables:
    defaults = JobTables()
    return replace(
        defaults,
        **{member: getattr(defaults, member).renamed(keyspace=keyspace, name=n) for member, n in names.items()},
    )
