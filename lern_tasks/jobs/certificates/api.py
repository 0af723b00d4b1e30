"""What other domains and operations may use of certificates."""

from lern_tasks.jobs.certificates.clients.template_hosts import TemplateHosts, place_of
from lern_tasks.jobs.certificates.eligibility.eligibility_data import EligibilityData
from lern_tasks.jobs.certificates.eligibility.evaluation import Evaluation, evaluate
from lern_tasks.jobs.certificates.eligibility.issue_request import JOB as PRE_PROCESSOR
from lern_tasks.jobs.certificates.eligibility.issue_request import asked_anew, issue_request
from lern_tasks.jobs.certificates.issuing.issued_certificates import certificate_lock
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate

__all__ = [
    "PRE_PROCESSOR",
    "CertificateResources",
    "EligibilityData",
    "EligibleCertificate",
    "Evaluation",
    "TemplateHosts",
    "asked_anew",
    "certificate_lock",
    "evaluate",
    "issue_request",
    "place_of",
]
