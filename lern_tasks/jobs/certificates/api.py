"""What other domains, operations and commands may use of certificates."""

from lern_tasks.jobs.certificates.clients.certificate_files import certificate_files
from lern_tasks.jobs.certificates.clients.content_service import ContentClient
from lern_tasks.jobs.certificates.clients.old_registry import OldRegistryClient
from lern_tasks.jobs.certificates.clients.old_registry_index import SearchIndexClient
from lern_tasks.jobs.certificates.clients.registry import RegistryClient
from lern_tasks.jobs.certificates.clients.signing import SigningClient
from lern_tasks.jobs.certificates.clients.user_service import UserClient
from lern_tasks.jobs.certificates.eligibility.eligibility_data import EligibilityData
from lern_tasks.jobs.certificates.eligibility.evaluation import Evaluation, evaluate
from lern_tasks.jobs.certificates.eligibility.issue_request import JOB as PRE_PROCESSOR
from lern_tasks.jobs.certificates.eligibility.issue_request import issue_request
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate, issue_event

__all__ = [
    "PRE_PROCESSOR",
    "CertificateResources",
    "ContentClient",
    "EligibilityData",
    "EligibleCertificate",
    "Evaluation",
    "OldRegistryClient",
    "RegistryClient",
    "SearchIndexClient",
    "SigningClient",
    "UserClient",
    "certificate_files",
    "evaluate",
    "issue_event",
    "issue_request",
]
