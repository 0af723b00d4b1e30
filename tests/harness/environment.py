"""Where an environment of the tests finds the services that jobs call."""

from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry


def services(registry: Registry, platform: PlatformApi) -> dict[str, str]:
    """The settings of every job that calls the platform or the registry."""
    search, content, learner = platform.search_url, platform.content_url, platform.learner_url
    return {
        "LERN_ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH": search,
        "LERN_ENROLMENT_RECONCILIATION__SERVICE_SEARCH_BASEPATH": search,
        "LERN_ASSESSMENT_AGGREGATOR__CONTENT_READ_API": f"{content}/content/v4/read/",
        "LERN_COLLECTION_CERT_PRE_PROCESSOR__SERVICE_CONTENT_BASEPATH": content,
        "LERN_COLLECTION_CERT_PRE_PROCESSOR__SERVICE_LEARNER_BASEPATH": learner,
        "LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_LEARNER_BASEPATH": learner,
        "LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_BASEPATH": registry.api_url,
        "LERN_USER_CACHE_UPDATER__USER_READ_API_URL": f"{learner}/private/user/v1/read/",
        "LERN_USER_CACHE_UPDATER__SERVICE_TAXONOMY_BASEPATH": platform.taxonomy_url,
    }
