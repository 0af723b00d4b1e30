"""Opens stores and clients once for a process, each at first use: never at import, never before a fork."""

import os
import time
from functools import cached_property

from celery import Celery

from lern_tasks.catalogue import JobName
from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut
from lern_tasks.connections.redis import RedisRoles
from lern_tasks.delivery.delivery_counter import DeliveryCounter
from lern_tasks.delivery.idempotency import IdempotencyKeys
from lern_tasks.delivery.locks import Locks
from lern_tasks.delivery.resumable.checkpoints import Runs
from lern_tasks.delivery.task_sender import Sender
from lern_tasks.jobs.assessments.question_count import QuestionCountClient
from lern_tasks.jobs.certificates.clients.certificate_files import certificate_files
from lern_tasks.jobs.certificates.clients.old_registry import OldRegistryClient
from lern_tasks.jobs.certificates.clients.old_registry_index import SearchIndexClient
from lern_tasks.jobs.certificates.clients.registry import RegistryClient
from lern_tasks.jobs.certificates.clients.signing import SigningClient
from lern_tasks.jobs.certificates.clients.svg_templates import TemplateClient
from lern_tasks.jobs.certificates.follow_up.notification_service import NotificationClient
from lern_tasks.jobs.certificates.issuing.issue_intents import Intents
from lern_tasks.jobs.progress.dedup_markers import DedupMarkers
from lern_tasks.jobs.relations.relation_cache import RelationCache
from lern_tasks.jobs.users.framework_service import FrameworkClient
from lern_tasks.jobs.users.index.cache_sweep import UserCacheSweep
from lern_tasks.jobs.users.index.runs import IndexRuns
from lern_tasks.jobs.users.profile_service import UserProfileClient
from lern_tasks.jobs.users.user_cache import UserCache
from lern_tasks.settings import Settings
from lern_tasks.storage import open_gateway
from lern_tasks.storage.gateway import Gateway
from lern_tasks.sunbird.content_metadata import Metadata
from lern_tasks.sunbird.content_service import ContentClient
from lern_tasks.sunbird.search_service import SearchClient
from lern_tasks.sunbird.user_service import UserClient


class Resources:
    """What a task works with. Tests replace single members by assigning to them."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self.settings = settings
        self.app = app
        self.pid = os.getpid()

    def now_ms(self) -> int:
        """Now, epoch ms."""
        return int(time.time() * 1000)

    @cached_property
    def redis(self) -> RedisRoles:
        """Redis clients by role."""
        return RedisRoles(self.settings)

    @cached_property
    def gateway(self) -> Gateway:
        """The tables."""
        return open_gateway(self.settings)

    @cached_property
    def kafka(self) -> KafkaOut:
        """Records out."""
        return KafkaOut(self.settings.kafka)

    @cached_property
    def files(self) -> Files:
        """Values too large for a topic."""
        return Files(self.settings.files.location)

    @cached_property
    def sender(self) -> Sender:
        """Task messages out."""
        return Sender(self.app)

    @cached_property
    def locks(self) -> Locks:
        """Locks on rows."""
        return Locks(self.redis.client("state"), lease=self.settings.tasks.lock_lease)

    @cached_property
    def delivery_counter(self) -> DeliveryCounter:
        """Delivery counters."""
        return DeliveryCounter(self.redis.client("state"))

    @cached_property
    def intents(self) -> Intents:
        """Registry intents."""
        return Intents(self.redis.client("state"), ttl=self.settings.tasks.pending_ttl)

    @cached_property
    def idempotency_keys(self) -> IdempotencyKeys:
        """Things done at most once."""
        return IdempotencyKeys(self.redis.client("state"))

    @cached_property
    def runs(self) -> Runs:
        """Where long tasks stand."""
        return Runs(self.redis.client("state"))

    @cached_property
    def markers(self) -> DedupMarkers:
        """Dedup markers and pending counts."""
        job = self.settings.activity_aggregate_updater
        client = self.redis.client("dedup", "activity_aggregate_updater")
        return DedupMarkers(client, expiry=job.dedup_redis_database_expiry, pending_ttl=self.settings.tasks.pending_ttl)

    @cached_property
    def relation_cache(self) -> RelationCache:
        """Relations as the updater writes them; the aggregator reads where the updater writes."""
        return RelationCache(
            self.redis.client("relation_cache", "relation_cache_updater"),
            self.redis.client("units", "relation_cache_updater"),
        )

    def course_relations(self, job: JobName) -> RelationCache:
        """Relations as `job` reads them."""
        return RelationCache(self.redis.client("relation_cache", job), self.redis.client("units"))

    @cached_property
    def metadata(self) -> Metadata:
        """Metadata of contents and collections."""
        return Metadata(self.redis.client("metadata"), self.redis.client("collection"))

    @cached_property
    def assessed_metadata(self) -> Metadata:
        """Metadata of contents, as the assessment aggregator's settings place them."""
        return Metadata(self.redis.client("metadata", "assessment_aggregator"), self.redis.client("collection"))

    @cached_property
    def search(self) -> SearchClient:
        """Status of collections, for the aggregator."""
        return SearchClient.from_settings(self.settings)

    @cached_property
    def reconciliation_search(self) -> SearchClient:
        """Status of collections, for reconciliation."""
        return SearchClient.from_settings(self.settings, "enrolment_reconciliation")

    @cached_property
    def content(self) -> ContentClient:
        """The content service."""
        return ContentClient.from_settings(self.settings)

    @cached_property
    def question_counts(self) -> QuestionCountClient:
        """The content service, asked for the number of questions."""
        return QuestionCountClient.from_settings(self.settings)

    @cached_property
    def users(self) -> UserClient:
        """The user service, with all that criteria may ask for."""
        return UserClient.from_settings(self.settings)

    @cached_property
    def recipients(self) -> UserClient:
        """The user service, for those who are told about their certificate."""
        return UserClient.from_settings(self.settings, "certificate_notification")

    @cached_property
    def user_cache(self) -> UserCache:
        """The user cache."""
        return UserCache(self.redis.client("users", "user_cache_updater"))

    @cached_property
    def user_hashes(self) -> UserCacheSweep:
        """All hashes of the user cache."""
        return UserCacheSweep(self.redis.client("users", "user_cache_updater"))

    @cached_property
    def anonymous_hashes(self) -> UserCacheSweep:
        """All hashes of users without account, in the database that they are copied from."""
        return UserCacheSweep(self.redis.client("anonymous_users", "user_cache_updater"))

    @cached_property
    def index_runs(self) -> IndexRuns:
        """Which run of the bulk user index goes on."""
        return IndexRuns(self.redis.client("state"))

    @cached_property
    def user_profiles(self) -> UserProfileClient:
        """The user service, as the user cache asks it."""
        return UserProfileClient.from_settings(self.settings)

    @cached_property
    def frameworks(self) -> FrameworkClient:
        """The framework service."""
        return FrameworkClient.from_settings(self.settings)

    @cached_property
    def registry(self) -> RegistryClient:
        """The certificate registry."""
        return RegistryClient.from_settings(self.settings)

    @cached_property
    def old_registry(self) -> OldRegistryClient:
        """The old certificate registry, for certificates without the new one."""
        return OldRegistryClient.from_settings(self.settings)

    @cached_property
    def signing(self) -> SigningClient:
        """Signatures of documents."""
        return SigningClient.from_settings(self.settings)

    @cached_property
    def templates(self) -> TemplateClient:
        """SVG templates of documents."""
        return TemplateClient.from_settings(self.settings)

    @cached_property
    def certificate_files(self) -> Files:
        """The documents of certificates."""
        return certificate_files(self.settings)

    @cached_property
    def notifications(self) -> NotificationClient:
        """Mail, SMS and the user's feed."""
        return NotificationClient.from_settings(self.settings)

    @cached_property
    def search_index(self) -> SearchIndexClient:
        """The old registry's index."""
        return SearchIndexClient.from_settings(self.settings)

    def probe(self, name: str) -> None:
        """Ask the dependency `name` for a sign of life. Raises DependencyDown while it gives none."""
        member = _MEMBERS.get(name)
        if member is not None:
            getattr(self, member).ping()


_MEMBERS = {
    "cassandra": "gateway",
    "redis": "redis",
    "kafka": "kafka",
    "broker": "sender",
    "files": "files",
    "registry": "registry",
    "old_registry": "old_registry",
    "signing": "signing",
    "templates": "templates",
    "certificate_files": "certificate_files",
    "search": "search",
    "content": "content",
    "question_count": "question_counts",
    "users": "users",
    "user_profiles": "user_profiles",
    "frameworks": "frameworks",
    "notifications": "notifications",
    "search_index": "search_index",
}
"""Which member answers for which dependency's name."""


_resources: Resources | None = None


def process_resources(settings: Settings, app: Celery) -> Resources:
    """The process's world; a child made by fork gets its own."""
    global _resources  # noqa: PLW0603 (one world a process is the point)
    if _resources is None or _resources.pid != os.getpid():
        _resources = Resources(settings, app)
    return _resources
