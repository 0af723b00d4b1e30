"""What the certificate jobs talk to."""

from functools import cached_property
from typing import Final

from lern_tasks.catalogue import EventJob
from lern_tasks.connections.files import Files
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.certificates.batch_templates import BatchTemplates
from lern_tasks.jobs.certificates.clients.certificate_files import certificate_files
from lern_tasks.jobs.certificates.clients.content_service import ContentClient
from lern_tasks.jobs.certificates.clients.old_registry import OldRegistryClient
from lern_tasks.jobs.certificates.clients.old_registry_index import SearchIndexClient
from lern_tasks.jobs.certificates.clients.registry import RegistryClient
from lern_tasks.jobs.certificates.clients.signing import SigningClient
from lern_tasks.jobs.certificates.clients.svg_templates import TemplateClient
from lern_tasks.jobs.certificates.clients.template_hosts import TemplateHosts
from lern_tasks.jobs.certificates.clients.user_service import UserClient
from lern_tasks.jobs.certificates.follow_up.notification_service import NotificationClient
from lern_tasks.jobs.certificates.follow_up.old_registry_rows import OldRegistryRows
from lern_tasks.jobs.certificates.issuing.issue_intents import Intents
from lern_tasks.jobs.certificates.issuing.issued_certificates import IssuedCertificates
from lern_tasks.sunbird.content_metadata import Metadata
from lern_tasks.sunbird.table_names import for_job

_GENERATOR: Final = "collection_certificate_generator"


class CertificateResources(Resources):
    """What the certificate jobs talk to."""

    def batch_templates(self, job: EventJob) -> BatchTemplates:
        """The templates of batches, in the table that the settings of `job` name."""
        return BatchTemplates(self.gateway, for_job(self.settings, job).course_batch)

    @cached_property
    def issued_certificates(self) -> IssuedCertificates:
        """The certificates of enrolments."""
        return IssuedCertificates(self.gateway, for_job(self.settings, _GENERATOR).enrolments)

    @cached_property
    def old_registry_rows(self) -> OldRegistryRows:
        """The old certificates."""
        return OldRegistryRows(self.gateway, for_job(self.settings, _GENERATOR).cert_registry)

    @cached_property
    def intents(self) -> Intents:
        """Registry intents."""
        return Intents(self.redis.client("state"), ttl=self.settings.tasks.pending_ttl)

    @cached_property
    def metadata(self) -> Metadata:
        """Metadata of contents and collections."""
        return Metadata(self.redis.client("metadata"), self.redis.client("collection"))

    @cached_property
    def content(self) -> ContentClient:
        """The content service."""
        return self.opened("content", ContentClient.from_settings(self.settings))

    @cached_property
    def users(self) -> UserClient:
        """The user service, with all that criteria may ask for."""
        return self.opened("users", UserClient.from_settings(self.settings))

    @cached_property
    def recipients(self) -> UserClient:
        """The user service, for those who are notified of their certificate."""
        return self.opened("users", UserClient.from_settings(self.settings, "certificate_notification"))

    @cached_property
    def registry(self) -> RegistryClient:
        """The certificate registry."""
        return self.opened("registry", RegistryClient.from_settings(self.settings))

    @cached_property
    def old_registry(self) -> OldRegistryClient:
        """The old certificate registry, for certificates without the new one."""
        return self.opened("old_registry", OldRegistryClient.from_settings(self.settings))

    @cached_property
    def signing(self) -> SigningClient:
        """Signatures of documents."""
        return self.opened("signing", SigningClient.from_settings(self.settings))

    @cached_property
    def template_hosts(self) -> TemplateHosts:
        """Where templates may lie."""
        return TemplateHosts.from_settings(self.settings)

    @cached_property
    def templates(self) -> TemplateClient:
        """SVG templates of documents."""
        return self.opened("templates", TemplateClient.from_settings(self.settings))

    @cached_property
    def certificate_files(self) -> Files:
        """The documents of certificates."""
        return self.opened("certificate_files", certificate_files(self.settings))

    @cached_property
    def notifications(self) -> NotificationClient:
        """Mail, SMS and the user's feed."""
        return self.opened("notifications", NotificationClient.from_settings(self.settings))

    @cached_property
    def search_index(self) -> SearchIndexClient:
        """The old registry's index."""
        return self.opened("search_index", SearchIndexClient.from_settings(self.settings))
