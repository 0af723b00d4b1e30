"""Settings of merged accounts, beside the documented key that each replaces. See docs/configuration.md."""

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.jobs import CourseTablesSettings


class MergeUserCoursesSettings(CourseTablesSettings):
    """`LERN_MERGE_USER_COURSES__...`"""

    kafka_input_topic: str = documented("{env}.lms.user.account.merge", "kafka.input.topic", note="merged accounts")
    kafka_output_failed_topic: str = documented(
        "{env}.learning.events.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_output_course_batch_updater_topic: str = documented(
        "{env}.coursebatch.job.request", "kafka.output.course.batch.updater.topic", note="sync events"
    )
    kafka_groupid: str = documented("{env}-merge-courses-group", "kafka.groupId", note="as deployed")
    course_date_format: str = documented(
        "yyyy-MM-dd HH:mm:ss:SSSZ", "course.date.format", note="form of the dates that are stored as text"
    )
    ledger_keyspace: str = ours("lern_tasks", note="keyspace of merge_ledger, a table of our own")
    ledger_table: str = ours("merge_ledger", note="what was added from which account, so that it is added once")
    copy_attempts: bool = ours(False, note="copy assessment attempts too; false: as the Flink job")
