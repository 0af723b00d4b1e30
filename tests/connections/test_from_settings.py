"""Each client takes its address and its figures from the documented settings of the right job."""

import pytest

from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.jobs.certificates.clients.content_service import ContentClient
from lern_tasks.jobs.certificates.clients.old_registry import OldRegistryClient
from lern_tasks.jobs.certificates.clients.old_registry_index import SearchIndexClient
from lern_tasks.jobs.certificates.clients.registry import RegistryClient
from lern_tasks.jobs.certificates.clients.signing import SigningClient
from lern_tasks.jobs.certificates.clients.svg_templates import TemplateClient
from lern_tasks.jobs.certificates.clients.user_service import UserClient
from lern_tasks.jobs.certificates.follow_up.notification_service import NotificationClient
from lern_tasks.jobs.progress.search_service import SearchClient
from lern_tasks.settings import Settings, load

GENERATOR = "LERN_COLLECTION_CERTIFICATE_GENERATOR__"
PRE_PROCESSOR = "LERN_COLLECTION_CERT_PRE_PROCESSOR__"
VARIABLES = {
    "LERN_ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH": "http://search",
    "LERN_ACTIVITY_AGGREGATE_UPDATER__ACTIVITY_COLLECTION_STATUS_CACHE_EXPIRY": "7",
    "LERN_ENROLMENT_RECONCILIATION__SERVICE_SEARCH_BASEPATH": "http://other",
    "LERN_ENROLMENT_RECONCILIATION__ACTIVITY_COLLECTION_STATUS_CACHE_EXPIRY": "9",
    f"{PRE_PROCESSOR}SERVICE_CONTENT_BASEPATH": "http://content",
    f"{PRE_PROCESSOR}CONTENT_READ_API": "/content/v3/read",
    f"{PRE_PROCESSOR}SERVICE_LEARNER_BASEPATH": "http://users",
    f"{PRE_PROCESSOR}USER_READ_API": "/private/read/",
    f"{GENERATOR}SERVICE_LEARNER_BASEPATH": "http://learner",
    f"{GENERATOR}SERVICE_RC_BASEPATH": "http://rc/api/v1",
    f"{GENERATOR}SERVICE_RC_ENTITY": "Merit",
    f"{GENERATOR}SERVICE_RC_RCAPIKEY": "key",
    f"{GENERATOR}KID_EXPIRY": "8",
    f"{GENERATOR}ES_BASEPATH": "es1:9200,es2:9200",
    f"{GENERATOR}SERVICE_CERTREG_BASEPATH": "http://certreg",
    f"{GENERATOR}SERVICE_ENC_BASEPATH": "http://enc",
    f"{GENERATOR}TEMPLATE_EXPIRY": "9",
    "LERN_HTTP__ALLOWED_HOSTS": '["templates.example"]',
    f"{GENERATOR}CLOUD_STORE_BASE_PATH_PLACEHOLDER": "HERE",
    f"{GENERATOR}CLOUD_STORAGE_BASE_URL": "https://cdn",
    f"{GENERATOR}CONTENT_CLOUD_STORAGE_CONTAINER": "box",
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return load()


def test_search(settings: Settings) -> None:
    client = SearchClient.from_settings(settings)
    assert (client._http._base, client._statuses._seconds) == ("http://search", 7)
    client = SearchClient.from_settings(settings, "enrolment_reconciliation")
    assert (client._http._base, client._statuses._seconds) == ("http://other", 9)


def test_content(settings: Settings) -> None:
    client = ContentClient.from_settings(settings)
    assert (client._http._base, client._read_path) == ("http://content", "/content/v3/read")


def test_users_of_the_pre_processor_and_of_the_notifier(settings: Settings) -> None:
    client = UserClient.from_settings(settings)
    assert (client._http._base, client._read_path) == ("http://users", "/private/read")
    assert client._query.startswith("?organisations,")
    notifier = UserClient.from_settings(settings, "certificate_notification")
    assert (notifier._http._base, notifier._read_path, notifier._query) == (
        "http://learner",
        "/private/user/v1/read",
        "",
    )


def test_registry(settings: Settings) -> None:
    client = RegistryClient.from_settings(settings)
    assert (client._http._base, client._entity) == ("http://rc/api/v1", "Merit")
    assert client._authorization == {"Authorization": "key"}
    assert client._kid._seconds == 8


def test_notifications(settings: Settings) -> None:
    client = NotificationClient.from_settings(settings)
    assert client._http._base == "http://learner"
    assert client._storage == CloudStorage(placeholder="HERE", base="https://cdn/box")


def test_search_index(settings: Settings) -> None:
    client = SearchIndexClient.from_settings(settings)
    assert [node._base for node in client._nodes] == ["http://es1:9200", "http://es2:9200"]


def test_what_takes_the_registrys_place(settings: Settings) -> None:
    assert OldRegistryClient.from_settings(settings)._http._base == "http://certreg"
    assert SigningClient.from_settings(settings)._http._base == "http://enc"
    templates = TemplateClient.from_settings(settings)
    assert templates._hosts.listed == {"templates.example"}
    assert ("cdn", 443) in templates._hosts.own
    assert templates._cache._seconds == 9


def test_the_defaults_are_usable() -> None:
    settings = load()
    for kind in (
        SearchClient,
        ContentClient,
        UserClient,
        RegistryClient,
        NotificationClient,
        SearchIndexClient,
        OldRegistryClient,
        SigningClient,
        TemplateClient,
    ):
        kind.from_settings(settings).close()
