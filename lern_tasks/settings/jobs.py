"""What the settings of all jobs have. See docs/configuration.md."""

from typing import Literal

from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.shared import Scope

HandOff = Literal["celery", "kafka"]


class JobSettings(Scope):
    """What every job that takes events has: topic, consumer group, failed topic, size and time of its tasks."""

    kafka_input_topic: str = documented("", "kafka.input.topic", note="topic that the events are read from")
    kafka_groupid: str = documented("", "kafka.groupId", note="consumer group")
    kafka_output_failed_topic: str = documented(
        "{env}.lern.tasks.failed", "kafka.output.failed.topic", "kafka.failed.topic", note="dead letters"
    )
    threshold_batch_read_size: int = documented(
        1000, "threshold.batch.read.size", note="records of one message, at most; the route's own size is lower"
    )
    threshold_batch_read_interval: str = documented(
        "",
        "threshold.batch.read.interval",
        note="has no effect: a message is filled with what Kafka has, nothing waits",
    )
    records: int = ours(1, note="records packed into one task message under backlog, at most")
    soft_time_limit: int = ours(90, note="seconds after which a task stops and sends what is left again")
    hand_off: HandOff = ours("celery", note="how our jobs reach this one: celery, or kafka (a Flink job takes it)")

    @property
    def packed(self) -> int:
        """Records of one message under backlog."""
        return max(1, min(self.records, self.threshold_batch_read_size))


class CloudStorageSettings(JobSettings):
    """The placeholder in stored URLs and what stands for it."""

    cloud_storage_base_url: str = documented("", "cloud_storage_base_url", note="base URL of the cloud storage")
    cloud_store_base_path_placeholder: str = documented(
        "CLOUD_BASE_PATH", "cloud_store_base_path_placeholder", note="what stored URLs begin with"
    )
    content_cloud_storage_container: str = documented("", "content_cloud_storage_container", note="container")
    cloud_storage_cname_url: str = documented("", "cloud_storage_cname_url", note="used instead of the base URL")

    @property
    def cloud_storage(self) -> CloudStorage:
        """Where the placeholder leads: the cname or base URL, and the container."""
        base = (self.cloud_storage_cname_url or self.cloud_storage_base_url).rstrip("/")
        return CloudStorage(
            placeholder=self.cloud_store_base_path_placeholder, base=f"{base}/{self.content_cloud_storage_container}"
        )


class CourseTablesSettings(JobSettings):
    """The tables of a learner's course, as three jobs name them alike."""

    lms_cassandra_keyspace: str = documented("sunbird_courses", "lms-cassandra.keyspace", note="keyspace")
    lms_cassandra_content_consumption_table: str = documented(
        "user_content_consumption",
        "lms-cassandra.content_consumption.table",
        "lms-cassandra.consumption.table",
        note="a learner's contents",
    )
    lms_cassandra_user_enrolments_table: str = documented(
        "user_enrolments", "lms-cassandra.user_enrolments.table", note="enrolments"
    )
    lms_cassandra_user_activity_agg_table: str = documented(
        "user_activity_agg", "lms-cassandra.user_activity_agg.table", note="aggregates"
    )
