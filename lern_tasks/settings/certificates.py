"""Settings of the certificate jobs, beside the documented key that each replaces. See docs/configuration.md."""

from pydantic import SecretStr

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.jobs import CloudStorageSettings


class CertificateSettings(CloudStorageSettings):
    """What both jobs have."""

    cert_domain_url: str = documented("http://localhost", "cert_domain_url", note="certificates' base address")

    @property
    def cert_base(self) -> str:
        """What the addresses of certificates begin with."""
        return f"{self.cert_domain_url.rstrip('/')}/certs"


class CollectionCertPreProcessorSettings(CertificateSettings):
    """`LERN_COLLECTION_CERT_PRE_PROCESSOR__...`"""

    kafka_input_topic: str = documented("{env}.issue.certificate.request", "kafka.input.topic", note="requests")
    kafka_output_failed_topic: str = documented(
        "{env}.issue.certificate.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_output_topic: str = documented("{env}.generate.certificate.request", "kafka.output.topic", note="to generate")
    kafka_groupid: str = documented("{env}-collection-cert-pre-processor-group", "kafka.groupId", note="as deployed")
    lms_cassandra_keyspace: str = documented("sunbird_courses", "lms-cassandra.keyspace", note="keyspace")
    lms_cassandra_course_batch_table: str = documented(
        "course_batch", "lms-cassandra.course_batch.table", note="batches"
    )
    lms_cassandra_user_enrolments_table: str = documented(
        "user_enrolments", "lms-cassandra.user_enrolments.table", note="enrolments"
    )
    lms_cassandra_assessment_aggregator_table: str = documented(
        "assessment_aggregator",
        "lms-cassandra.assessment_aggregator.table",
        note="has no effect: scores are in user_activity_agg",
    )
    lms_cassandra_user_activity_agg_table: str = documented(
        "user_activity_agg", "lms-cassandra.user_activity_agg.table", note="scores"
    )
    user_read_api: str = documented("/private/user/v1/read", "user_read_api", note="path of the user service")
    content_read_api: str = documented("/content/v4/read", "content_read_api", note="path of the content service")
    service_content_basepath: str = documented(
        "http://localhost:9000/content", "service.content.basePath", note="content"
    )
    service_learner_basepath: str = documented(
        "http://localhost:9000/learner", "service.learner.basePath", note="users"
    )
    assessment_metrics_supported_contenttype: list[str] = documented(
        ["SelfAssess"], "assessment.metrics.supported.contenttype", note="content types that count as assessments"
    )
    enable_suppress_exception: bool = documented(
        True, "enable.suppress.exception", note="content without metadata is passed over instead of refused"
    )
    records: int = ours(20, note="records packed into one task message under backlog, at most")


class CollectionCertificateGeneratorSettings(CertificateSettings):
    """`LERN_COLLECTION_CERTIFICATE_GENERATOR__...`"""

    kafka_input_topic: str = documented("{env}.generate.certificate.request", "kafka.input.topic", note="to generate")
    kafka_output_failed_topic: str = documented(
        "{env}.generate.certificate.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_audit_topic: str = documented(
        "{env}.telemetry.raw", "kafka.output.audit.topic", "kafka.audit.topic", note="AUDIT telemetry"
    )
    kafka_groupid: str = documented("{env}-certificate-generator-group", "kafka.groupId", note="as deployed")
    lms_cassandra_keyspace: str = documented("sunbird_courses", "lms-cassandra.keyspace", note="keyspace")
    lms_cassandra_course_batch_table: str = documented(
        "course_batch", "lms-cassandra.course_batch.table", note="batches"
    )
    lms_cassandra_user_enrolments_table: str = documented(
        "user_enrolments", "lms-cassandra.user_enrolments.table", note="enrolments"
    )
    lms_cassandra_sbkeyspace: str = documented(
        "sunbird", "lms-cassandra.sbkeyspace", note="keyspace of the old registry"
    )
    lms_cassandra_certreg_table: str = documented("cert_registry", "lms-cassandra.certreg.table", note="old registry")
    task_rc_badcharlist: str = documented("\\x00,\\\\aaa,\\aaa,Ø,Ý", "task.rc.badcharlist", note="removed from values")
    keep_letters: bool = ours(
        False, note="letters of that list (Ø, Ý) stay in names that the registry is sent; documents keep all letters"
    )
    service_content_basepath: str = documented("", "service.content.basePath", note="has no effect: never called")
    service_learner_basepath: str = documented(
        "http://localhost:9000/learner", "service.learner.basePath", note="users"
    )
    service_enc_basepath: str = documented(
        "http://localhost:9000/enc", "service.enc.basePath", note="signing; asked without the registry only"
    )
    service_certreg_basepath: str = documented(
        "http://localhost:9000/certreg", "service.certreg.basePath", note="the old registry; without the registry only"
    )
    service_rc_basepath: str = documented("http://localhost:8081/api/v1", "service.rc.basePath", note="the registry")
    service_rc_entity: str = documented("TrainingCertificate", "service.rc.entity", note="its entity")
    service_rc_rcapikey: SecretStr = documented(
        SecretStr(""), "service.rc.rcApiKey", note="sent as Authorization when set"
    )
    enable_rc_certificate: bool = documented(
        True, "enable.rc.certificate", note="true: issue by the registry; false: write documents, as the old registry"
    )
    cert_domain_url: str = documented(
        "", "cert_domain_url", note="certificates' base address; needed without the registry only"
    )
    cert_container_name: str = documented(
        "", "cert_container_name", note="container of the documents, or an fsspec URL; without the registry only"
    )
    cert_cloud_storage_type: str = documented(
        "", "cert_cloud_storage_type", note="aws, cephs3, oci, azure or gcloud; empty: the container is a URL"
    )
    cert_cloud_storage_key: str = documented("", "cert_cloud_storage_key", note="account, access key or client e-mail")
    cert_cloud_storage_secret: SecretStr = documented(
        SecretStr(""), "cert_cloud_storage_secret", note="its secret key, or private key"
    )
    cert_cloud_storage_endpoint: str = documented(
        "", "cert_cloud_storage_endpoint", note="address of a storage that is not the cloud's own"
    )
    enable_suppress_exception: bool = documented(
        True, "enable.suppress.exception", note="an incomplete signatory list is passed with a warning"
    )
    es_basepath: str = documented("", "es.basePath", note="host:port of the old registry's index; empty: none")
    user_read_api: str = documented("/private/user/v1/read", "user_read_api", note="path of the user service")
    sunbird_instance_name: str = documented("Sunbird", "sunbird_instance_name", note="name in the SMS text")
    index_lag: float = ours(30.0, note="seconds until the registry's search is sure to find what was created")
    kid_expiry: float = ours(300.0, note="seconds that the registry's key id is remembered")
    template_expiry: float = ours(300.0, note="seconds that an SVG template is remembered; without the registry only")
