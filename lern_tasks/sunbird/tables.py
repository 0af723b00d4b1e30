"""The tables that the jobs use, each declared once. See docs/architecture.md, "Stores".

Prepared CQL, the SQLite layout, the development schema and the schema check come from these declarations. Columns that
no job reads or writes are left out: an installation may have them or not.
"""

from collections.abc import Mapping

from lern_tasks.storage.table import ColumnType, Table

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
        "progress": "int",
        "viewcount": "int",
        "completedcount": "int",
        "completionpercentage": "float",
        "datetime": "timestamp",
        "last_access_time": "timestamp",
        "last_completed_time": "timestamp",
        "last_updated_time": "timestamp",
        "lastaccesstime": "text",
        "lastcompletedtime": "text",
        "lastupdatedtime": "text",
        "progressdetails": "text",
    },
    optional=frozenset(
        {
            "progress",
            "completionpercentage",
            "datetime",
            "last_access_time",
            "last_completed_time",
            "last_updated_time",
            "lastaccesstime",
            "lastcompletedtime",
            "lastupdatedtime",
            "progressdetails",
        }
    ),
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
        "certificates": "list<frozen<map<text, text>>>",
        "certstatus": "int",
        "completedon": "timestamp",
        "completionpercentage": "int",
        "contentstatus": "map<text, int>",
        "datetime": "timestamp",
        "enrolled_date": "timestamp",
        "enrolleddate": "text",
        "issued_certificates": "list<frozen<map<text, text>>>",
        "lastcontentaccesstime": "timestamp",
        "lastreadcontentid": "text",
        "lastreadcontentstatus": "int",
        "progress": "int",
        "status": "int",
    },
    optional=frozenset(
        {
            "addedby",
            "certificates",
            "certstatus",
            "completionpercentage",
            "enrolled_date",
            "enrolleddate",
            "lastcontentaccesstime",
            "lastreadcontentid",
            "lastreadcontentstatus",
        }
    ),
)

REPORT_ENROLMENTS = Table(
    keyspace="sunbird_courses",
    name="report_user_enrolments",
    partition=("batchid",),
    clustering=("courseid", "userid"),
    columns={"batchid": "text", "courseid": "text", "userid": "text"},
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
        "agg_details": "list<text>",
        "agg_last_updated": "map<text, timestamp>",
    },
)

QUESTION: Mapping[str, ColumnType] = {
    "id": "text",
    "assess_ts": "timestamp",
    "max_score": "double",
    "score": "double",
    "type": "text",
    "title": "text",
    "resvalues": "list<frozen<map<text, text>>>",
    "params": "list<frozen<map<text, text>>>",
    "description": "text",
    "duration": "decimal",
}
"""An answered question."""

ASSESSMENTS = Table(
    keyspace="sunbird_courses",
    name="assessment_aggregator",
    partition=("user_id", "course_id"),
    clustering=("batch_id", "content_id", "attempt_id"),
    other_keys=((("course_id",), ("batch_id", "user_id", "content_id", "attempt_id")),),
    columns={
        "user_id": "text",
        "course_id": "text",
        "batch_id": "text",
        "content_id": "text",
        "attempt_id": "text",
        "created_on": "timestamp",
        "grand_total": "text",
        "last_attempted_on": "timestamp",
        "question": "list<frozen<question>>",
        "total_max_score": "double",
        "total_score": "double",
        "updated_on": "timestamp",
    },
    types={"question": QUESTION},
)

MERGE_LEDGER = Table(
    keyspace="lern_tasks",
    name="merge_ledger",
    partition=("from_id", "to_id"),
    clustering=("course_id", "batch_id", "content_id"),
    columns={
        "from_id": "text",
        "to_id": "text",
        "course_id": "text",
        "batch_id": "text",
        "content_id": "text",
        "added_views": "int",
        "added_completions": "int",
        "intended_views": "int",
        "intended_completions": "int",
        "done": "boolean",
        "enrolment_copied": "boolean",
    },
    ours=True,
)
"""Ours: `lern tables create` makes it. What was added to an account from another, so that it is added once.

`enrolment_copied` stands in the row without content id: false while the enrolment's row is being copied.
"""

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


USERS = Table(
    keyspace="sunbird",
    name="user",
    partition=("id",),
    columns={
        "id": "text",
        "userid": "text",
        "firstname": "text",
        "lastname": "text",
        "email": "text",
        "phone": "text",
        "rootorgid": "text",
        "framework": "map<text, frozen<list<text>>>",
        "updateddate": "text",
        "profilelocation": "text",
        "profileusertypes": "text",
    },
)

USER_ORGANISATIONS = Table(
    keyspace="sunbird",
    name="user_organisation",
    partition=("userid",),
    clustering=("organisationid",),
    columns={"userid": "text", "organisationid": "text", "isdeleted": "boolean"},
)

ORGANISATIONS = Table(
    keyspace="sunbird",
    name="organisation",
    partition=("id",),
    columns={"id": "text", "orgname": "text", "externalid": "text", "organisationtype": "int"},
)

LOCATIONS = Table(
    keyspace="sunbird",
    name="location",
    partition=("id",),
    columns={"id": "text", "name": "text", "type": "text"},
)

SYSTEM_SETTINGS = Table(
    keyspace="sunbird",
    name="system_settings",
    partition=("id",),
    columns={"id": "text", "value": "text"},
)
