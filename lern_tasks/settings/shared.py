"""Settings that all jobs share. See docs/configuration.md."""

import tempfile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.redis_address import parsed


class Scope(BaseModel):
    """A group of settings; a name that it does not have is refused, so that a misspelt variable is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(Scope):
    """`LERN_KAFKA__...`"""

    brokers: str = documented(
        "localhost:9092", "kafka.broker-servers", name="brokers", note="host:port, comma-separated"
    )
    security_protocol: str = ours("PLAINTEXT", note="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
    sasl_mechanism: str = ours("", note="PLAIN, SCRAM-SHA-256, ...")
    sasl_username: str = ours("", note="SASL user")
    sasl_password: SecretStr = ours(SecretStr(""), note="SASL password")
    ssl_ca_location: str = ours("", note="file with the CA certificates")
    properties: dict[str, str] = ours({}, note="further librdkafka properties of every client, as a JSON object")
    consumer_properties: dict[str, str] = ours({}, note="those of the bridge's consumers, as a JSON object")
    delivery_timeout: float = ours(20.0, note="seconds until a record that no broker takes counts as an outage")


class RedisSettings(Scope):
    """`LERN_REDIS__...`: one server for everything by default, each role a URL of its own."""

    url: str = ours(
        "redis://localhost:6379", note="the server of all roles without a URL of their own; rediss:// for TLS"
    )
    broker: str = ours("", note="Celery's queues; db 0")
    results: str = ours("", note="results of tasks; where the broker is")
    state: str = ours("", note="locks, pending counts, delivery counters, registry intents; db 1")
    relation_cache: str = ours("", note="leaf nodes, optional nodes, ancestors; db 10")
    units: str = ours("", note="unit metadata (data-pipeline Redis); db 5")
    metadata: str = ours("", note="content metadata; db 5")
    collection: str = ours("", note="collection metadata of the knowledge platform; db 0")
    dedup: str = ours("", note="dedup markers; db 13")
    users: str = ours("", note="the user cache that reports read; db 12")
    anonymous_users: str = ours("", note="users without account, to be copied into the user cache; db 4")
    redisdb_connection_timeout: int = documented(30_000, "redisdb.connection.timeout", note="milliseconds for one call")

    @field_validator("*")
    @classmethod
    def _can_be_read(cls, value: object, field: ValidationInfo) -> object:
        if isinstance(value, str) and value and parsed(value).db and field.field_name == "url":
            raise ValueError("each role has a database of its own: name none here, but in the URL of a role")
        return value

    @property
    def timeout(self) -> float:
        """Seconds for one call."""
        return self.redisdb_connection_timeout / 1000


class CassandraSettings(Scope):
    """`LERN_CASSANDRA__...`"""

    hosts: str = documented("localhost", "lms-cassandra.host", name="hosts", note="comma-separated contact points")
    port: int = documented(9042, "lms-cassandra.port", name="port", note="native protocol port")
    multi_dc: bool = documented(
        False, "lms-cassandra.isMultiDCEnabled", name="multi_dc", note="stay in the local data centre"
    )
    local_dc: str = ours("", note="name of the local data centre, with multi_dc")
    username: str = ours("", note="user")
    password: SecretStr = ours(SecretStr(""), note="password")
    tls_ca: str = ours("", note="file with the CA certificates; set it to use TLS")
    tls_check_host: bool = ours(True, note="with TLS: a node's certificate must name the address that it is reached by")
    protocol_version: Annotated[int, Field(ge=3, le=5)] = ours(
        4, note="of CQL's native protocol; all from Cassandra 2.2 to 5 speak 4"
    )
    timeout: float = ours(10.0, note="seconds for one statement: the server itself gives up a read after 5 s")
    connect_timeout: float = ours(5.0, note="seconds for one connection attempt")
    hierarchy_keyspace: str = ours("{env}_hierarchy_store", note="keyspace of content_hierarchy")
    schema_check: Literal["refuse", "warn", "off"] = ours("refuse", note="what a table that differs leads to")


class TaskSettings(Scope):
    """`LERN_TASKS__...`: how tasks run, wait and give up."""

    countdown_cap: int = ours(60, note="seconds; longer waits are re-sent, so that Redis does not deliver them twice")
    max_outage: int = ours(86_400, note="seconds that a record waits out an outage before it is a dead letter")
    probe_min: float = ours(1.0, note="seconds between the first probes of a service that is down")
    probe_max: float = ours(5.0, note="seconds between later probes")
    retries: int = ours(5, note="attempts after the first for an error of one record")
    retry_base: float = ours(2.0, note="seconds before the first of them; then times four, up to the cap")
    not_yet_delays: list[float] = ours([10, 30, 60, 120, 300], note="seconds between looks for data to come")
    lock_lease: float = ours(15.0, note="seconds that a lock outlives its worker")
    lock_wait: float = ours(2.0, note="seconds that a task tries for busy locks before it sends those records again")
    max_deliveries: int = ours(3, note="deliveries of a single record that is run; the next one is a dead letter unrun")
    pending_ttl: int = ours(604_800, note="seconds that intended counts and registry intents are kept: as the markers")
    hard_limit_margin: int = ours(30, note="seconds between a task's soft limit and the end of its process")
    use_report_enrolments: bool = ours(
        False,
        note="find the enrolments of a batch in report_user_enrolments, if it has the key (batchid, courseid, userid): "
        "faster than a scan of user_enrolments, and blind to rows that the platform has not copied",
    )
    sweep_days: int = ours(7, note="days back that the nightly sweep looks for missing certificates; 0: no sweep")
    sweep_fix: bool = ours(False, note="the nightly sweep asks for what is missing; false: it only reports")
    visibility_margin: int = ours(30, note="seconds for a message's way, in the time after which it is delivered again")
    soft_shutdown: int = ours(20, note="seconds a stopping worker lets its tasks finish")
    worker_max_tasks: int = ours(10_000, note="tasks after which a worker child is replaced, against slow leaks")


class BridgeSettings(Scope):
    """`LERN_BRIDGE__...`"""

    records_per_task: int | None = ours(None, note="1: strictly one event, one task; empty: as each job's route says")
    max_bytes_per_task: int = ours(1_048_576, note="bytes of values packed into one message: as Kafka's own default")
    high_mark: int = ours(20_000, note="messages in a queue above which its topic is paused")
    low_mark: int = ours(10_000, note="messages in a queue below which its topic is resumed")
    poll: int = ours(500, note="records taken from Kafka at once")
    metrics_port: int = ours(0, note="port of the metrics page; 0: none")
    metrics_host: str = ours("127.0.0.1", note="address that it is served at; 0.0.0.0: every one of this machine")


class FlowerSettings(Scope):
    """`LERN_FLOWER__...`"""

    open: bool = ours(False, note="let Flower start without a password: whoever reaches it sees ids and triggers tasks")


class FileSettings(Scope):
    """`LERN_FILES__...`: where values too large for a failed topic are kept."""

    url: str = ours("", note="an fsspec URL: file://, s3://, az://, gs://; empty: a folder in the temporary directory")

    @property
    def location(self) -> str:
        """The URL in force."""
        return self.url or (Path(tempfile.gettempdir()) / "lern_tasks_files").as_uri()


class HttpSettings(Scope):
    """`LERN_HTTP__...`"""

    connect_timeout: float = ours(5.0, note="seconds to connect")
    read_timeout: float = ours(20.0, note="seconds to wait for an answer, and for its next bytes")
    answer_timeout: float = ours(60.0, note="seconds for a whole answer, however its bytes come: below a task's limit")
    max_answer_bytes: int = ours(8_388_608, note="bytes of an answer, unpacked; a larger one is a failed attempt")
    allowed_hosts: list[str] = ours([], note="hosts that certificate templates may point to; empty: any")
    private_hosts: bool = ours(
        True,
        note="false: certificate templates may not lie in private networks, but on the services and stores set here",
    )
