"""What the processes of the embedded stack find in their environment. See docs/architecture.md, section "Embedded"."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lern_tasks.settings import Settings, load

_OURS = ("LERN_", "CELERY_")
"""Variables of the user's own installation: the stack is configured by nothing but what it says itself."""

_LOOPBACK = "127.0.0.1,localhost"

_KAFKA = {
    # The embedded Kafka answers an idle fetch after this time, not when a record comes.
    "fetch.wait.max.ms": "10",
    # A later member joins a group after this less a second; three heartbeats must fit in.
    "session.timeout.ms": "2000",
    "heartbeat.interval.ms": "500",
}


def process_environment(lern: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a child: this process's without its own settings, and `lern`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, (os.environ.get(name), _LOOPBACK)))
    return {**kept, **lern}


def lern_environment(
    directory: Path, *, kafka: str, redis_url: str, registry_url: str, platform_url: str
) -> dict[str, str]:
    """The settings under which bridge, worker and beat use the embedded services."""
    pre_processor, generator = "LERN_COLLECTION_CERT_PRE_PROCESSOR__", "LERN_COLLECTION_CERTIFICATE_GENERATOR__"
    return {
        "LERN_STORE": f"sqlite:{directory / 'store.sqlite'}",
        "LERN_KAFKA__BROKERS": kafka,
        "LERN_KAFKA__CONSUMER_PROPERTIES": json.dumps(_KAFKA),
        "LERN_REDIS__URL": redis_url,
        # Not `as_uri`: fsspec takes the percent sign of a quoted space for a part of the name.
        "LERN_FILES__URL": f"file://{directory / 'files'}",
        "LERN_ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH": f"{platform_url}/search",
        "LERN_ENROLMENT_RECONCILIATION__SERVICE_SEARCH_BASEPATH": f"{platform_url}/search",
        "LERN_ASSESSMENT_AGGREGATOR__CONTENT_READ_API": f"{platform_url}/content/content/v4/read/",
        "LERN_USER_CACHE_UPDATER__USER_READ_API_URL": f"{platform_url}/learner/private/user/v1/read/",
        f"{pre_processor}SERVICE_LEARNER_BASEPATH": f"{platform_url}/learner",
        f"{pre_processor}SERVICE_CONTENT_BASEPATH": f"{platform_url}/content",
        f"{pre_processor}CERT_DOMAIN_URL": registry_url,
        f"{generator}SERVICE_RC_BASEPATH": f"{registry_url}/api/v1",
        f"{generator}SERVICE_LEARNER_BASEPATH": f"{platform_url}/learner",
        # `CLOUD_BASE_PATH/NAME.svg` in a certificate template is a template of the platform API.
        f"{pre_processor}CLOUD_STORAGE_BASE_URL": platform_url,
        f"{pre_processor}CONTENT_CLOUD_STORAGE_CONTAINER": "templates",
        f"{generator}CLOUD_STORAGE_BASE_URL": platform_url,
        f"{generator}CONTENT_CLOUD_STORAGE_CONTAINER": "templates",
    }


@contextmanager
def only(lern: Mapping[str, str]) -> Iterator[None]:
    """Let this process have `lern` as its only settings for a while."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(process_environment(lern))
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def settings_of(lern: Mapping[str, str]) -> Settings:
    """The settings that a process with the variables `lern` has. Raises SettingsError."""
    with only(lern):
        return load()
