"""The table: one row a job. See docs/adding-a-job.md, "The row"."""

from lern_tasks.catalogue.row import Counters, FollowUp, Job, RedisUse, Service, TablesBeside, Tasks

_COURSE = ("content_consumption", "enrolments", "activity_agg")
_PROGRESS_REDIS = (
    RedisUse(role="relation_cache"),
    # Both jobs count the same contents, so both look at the same markers.
    RedisUse(role="dedup", of="activity_aggregate_updater"),
)
_RECONCILE = "lern reconcile {userId} {courseId} {batchId}"
_NO_CERTIFICATE = "no certificate is issued until then; what has been earned waits"


def _follow_up(name: FollowUp) -> Job:
    return Job(
        name=name,
        folder="certificates.follow_up",
        follows="collection_certificate_generator",
        counters=Counters(total=None),
        waits="what follows an issued certificate waits",
    )


JOBS = (
    Job(
        name="relation_cache_updater",
        folder="relations",
        tables=("content_hierarchy",),
        redis=(RedisUse(role="relation_cache"), RedisUse(role="units")),
    ),
    Job(
        name="activity_aggregate_updater",
        folder="progress",
        hands_off_to={"collection_cert_pre_processor": "kafka_certissue_topic", "enrolment_reconciliation": ""},
        tables=_COURSE,
        redis=_PROGRESS_REDIS,
        services=(
            Service(
                name="search",
                client="ProgressResources.search",
                variable="SERVICE_SEARCH_BASEPATH",
                why="whether a course is live is asked there: progress waits for it",
            ),
        ),
        counters=Counters(skipped="skipped-events-count"),
        instead=_RECONCILE,
    ),
    Job(
        name="assessment_aggregator",
        folder="assessments",
        hands_off_to={"collection_cert_pre_processor": "kafka_certissue_topic"},
        tables=("assessments", "activity_agg"),
        redis=(
            RedisUse(role="relation_cache", unless=("leaf_check", "off")),
            RedisUse(role="metadata", unless=("assessment_skip_missingrecords", False)),
        ),
        services=(
            Service(
                name="question count",
                client="AssessmentResources.question_counts",
                variable="CONTENT_READ_API",
                why="with assessment.skip.missingRecords attempts wait for the number of questions",
                unless=("assessment_skip_missingrecords", False),
            ),
        ),
        counters=Counters(failed="failed-event-count"),
    ),
    Job(
        name="enrolment_reconciliation",
        folder="progress",
        hands_off_to={"collection_cert_pre_processor": "kafka_certissue_topic"},
        tables=_COURSE,
        redis=_PROGRESS_REDIS,
        services=(
            Service(
                name="search",
                client="ProgressResources.reconciliation_search",
                variable="SERVICE_SEARCH_BASEPATH",
                why="whether a course is live is asked there: reconciliation waits for it",
            ),
        ),
        counters=Counters(skipped="skipped-events-count"),
        asks=True,
        instead=_RECONCILE,
    ),
    Job(
        name="merge_user_courses",
        folder="accounts",
        hands_off_to={
            "enrolment_reconciliation": "kafka_output_course_batch_updater_topic",
            "assessment_aggregator": "",
        },
        tables=(*_COURSE, "assessments", "merge_ledger"),
    ),
    Job(
        name="collection_cert_pre_processor",
        folder="certificates.eligibility",
        hands_off_to={"collection_certificate_generator": "kafka_output_topic"},
        tables=("course_batch", "enrolments", "activity_agg"),
        beside=(
            TablesBeside(
                check="copy by batch",
                tables=("report_enrolments",),
                why="with LERN_TASKS__USE_REPORT_ENROLMENTS: administrators' tasks read all enrolments instead, "
                "which is slow",
                unless=("tasks.use_report_enrolments", False),
            ),
        ),
        redis=(RedisUse(role="metadata", of=None), RedisUse(role="collection", of=None)),
        services=(
            Service(
                name="content",
                client="CertificateResources.content",
                variable="SERVICE_CONTENT_BASEPATH",
                why="certificates wait for names and types of contents",
            ),
            Service(
                name="users",
                client="CertificateResources.users",
                variable="SERVICE_LEARNER_BASEPATH",
                why="certificates wait for the learner's name",
            ),
        ),
        asks=True,
        instead="lern issue-batch {courseId} {batchId} --issue",
    ),
    Job(
        name="collection_certificate_generator",
        folder="certificates.issuing",
        tables=("course_batch", "enrolments", "cert_registry"),
        services=(
            Service(
                name="users",
                client="CertificateResources.recipients",
                variable="SERVICE_LEARNER_BASEPATH",
                why="mails, text messages and feed entries about certificates wait",
            ),
            Service(
                name="registry",
                client="CertificateResources.registry",
                variable="SERVICE_RC_BASEPATH",
                why=_NO_CERTIFICATE,
                unless=("enable_rc_certificate", False),
                asks=("ping", "key_id"),
                answers="answers, and has a public key",
                remedy="start it, give it a key",
            ),
            Service(
                # Nothing is written into the container: others see what it holds.
                name="certificate files",
                client="CertificateResources.certificate_files",
                variable="CERT_CONTAINER_NAME",
                why=_NO_CERTIFICATE,
                unless=("enable_rc_certificate", True),
                answers="the container of the documents answers",
                remedy="start the store",
                misset="set what it names",
            ),
            Service(
                name="old registry",
                client="CertificateResources.old_registry",
                variable="SERVICE_CERTREG_BASEPATH",
                why=_NO_CERTIFICATE,
                unless=("enable_rc_certificate", True),
            ),
            Service(
                name="signing",
                client="CertificateResources.signing",
                variable="SERVICE_ENC_BASEPATH",
                why=_NO_CERTIFICATE,
                unless=("enable_rc_certificate", True),
            ),
            Service(
                name="search index",
                client="CertificateResources.search_index",
                variable="ES_BASEPATH",
                why="certificates of the old registry that were replaced stay in its index",
                unless=("es_basepath", ""),
            ),
        ),
        asks=True,
        anew="asked_anew",
    ),
    Job(
        name="user_cache_updater",
        folder="users",
        beside=(
            TablesBeside(
                check="user tables",
                tables=("users", "user_organisations", "organisations", "locations", "system_settings"),
                why="`lern index-users`, which beat starts each night, waits for it: reports miss what events did not "
                "tell",
            ),
        ),
        redis=(RedisUse(role="users"), RedisUse(role="anonymous_users")),
        services=(
            Service(
                name="user profiles",
                client="UserResources.user_profiles",
                variable="USER_READ_API_URL",
                why="changes of users do not reach the user cache, which reports read",
            ),
            Service(
                name="frameworks",
                client="UserResources.frameworks",
                variable="SERVICE_TAXONOMY_BASEPATH",
                why="with framework_fields dynamic or both users wait for the categories of their framework",
                unless=("framework_fields", "legacy"),
            ),
        ),
        counters=Counters(total="total-audit-events-count", skipped="skipped-message-count"),
        instead="lern index-users --since full",
    ),
    _follow_up("certificate_notification"),
    _follow_up("certificate_user_feed"),
    _follow_up("certificate_replacement"),
)

TASKS = (
    Tasks(module="lern_tasks.jobs.users.index.index_users", maintenance=("lern.index_users_daily",)),
    Tasks(module="lern_tasks.operations.reconcile"),
    Tasks(module="lern_tasks.operations.reissue"),
    Tasks(module="lern_tasks.operations.merged_certificates"),
    Tasks(module="lern_tasks.operations.missing_certificates"),
    Tasks(module="lern_tasks.delivery.parked_messages", maintenance=("lern.publish_parked",)),
)
