"""Where the documents of certificates are kept: the documented container, or any place that fsspec reaches.

See docs/jobs/collection_certificate_generator.md, "Document".
"""

from collections.abc import Iterator
from typing import Any

import fsspec

from lern_tasks.connections.files import Files
from lern_tasks.errors import SettingsError
from lern_tasks.jobs.certificates.clients.container_urls import name_in_container
from lern_tasks.settings import Settings
from lern_tasks.settings.certificates import CollectionCertificateGeneratorSettings

_PREFIX = "LERN_COLLECTION_CERTIFICATE_GENERATOR__"

_SCHEMES = {"aws": "s3", "s3": "s3", "cephs3": "s3", "oci": "s3", "azure": "az", "gcloud": "gs", "gcp": "gs"}
"""The documented types, in the spellings of the installations, by what fsspec calls them."""

_OWN_ENDPOINT = ("cephs3", "oci")
"""What lies at no address that the library would know."""

_EXTRAS = {"s3": "s3", "az": "azure", "gs": "gcs"}


def certificate_files(settings: Settings) -> Files:
    """The store of the documents. Raises SettingsError naming the variables that are missing or wrong."""
    job = settings.collection_certificate_generator
    missing = [f"{_PREFIX}{name.upper()}" for name in _missing(job)]
    if missing:
        raise SettingsError(
            f"enable.rc.certificate is false, which needs {', '.join(missing)}; set them, or it to true"
        )
    url, options = _place(job)
    try:
        fsspec.get_filesystem_class(url.partition("://")[0])
    except (ImportError, ValueError):
        extra = _EXTRAS.get(url.partition("://")[0])
        remedy = f"pip install 'lern-tasks[{extra}]'" if extra else f"correct {_PREFIX}CERT_CONTAINER_NAME"
        raise SettingsError(f"the container of certificates cannot be opened: {remedy}") from None
    # A server that shows certificates may run under another account.
    return Files(url, name="certificate_files", options=options, mode=0o666)


def content_in_container(url: str, settings: Settings) -> bytes | None:
    """What `url` leads to in the container of certificates, read with its keys; None when it lies elsewhere.

    No more than what an answer may have, and a byte. Raises what `Files.get` raises.
    """
    job = settings.collection_certificate_generator
    if not job.cert_container_name:
        return None
    container = _place(job)[0]
    account, endpoint = job.cert_cloud_storage_key, job.cert_cloud_storage_endpoint
    name = name_in_container(url, container, account=account, endpoint=endpoint)
    return None if name is None else certificate_files(settings).get(name, most=settings.http.max_answer_bytes + 1)


def _missing(job: CollectionCertificateGeneratorSettings) -> Iterator[str]:
    needed = ["cert_domain_url", "cert_container_name"]
    if "://" not in job.cert_container_name:
        needed += ["cert_cloud_storage_type", "cert_cloud_storage_key"]
        if not job.cert_cloud_storage_secret.get_secret_value():
            yield "cert_cloud_storage_secret"
    if job.cert_cloud_storage_type in _OWN_ENDPOINT:
        needed.append("cert_cloud_storage_endpoint")
    yield from (name for name in needed if not getattr(job, name))


def _place(job: CollectionCertificateGeneratorSettings) -> tuple[str, dict[str, Any]]:
    if "://" in job.cert_container_name:
        return job.cert_container_name, {}
    scheme = _SCHEMES.get(job.cert_cloud_storage_type)
    if scheme is None:
        raise SettingsError(f"{_PREFIX}CERT_CLOUD_STORAGE_TYPE must be one of {', '.join(_SCHEMES)}")
    key, secret = job.cert_cloud_storage_key, job.cert_cloud_storage_secret.get_secret_value()
    return f"{scheme}://{job.cert_container_name}", _OPTIONS[scheme](key, secret, job.cert_cloud_storage_endpoint)


def _s3(key: str, secret: str, endpoint: str) -> dict[str, Any]:
    options: dict[str, Any] = {"key": key, "secret": secret}
    if endpoint:
        options["endpoint_url"] = _with_scheme(endpoint)
    return options


def _azure(key: str, secret: str, endpoint: str) -> dict[str, Any]:
    if not endpoint:
        return {"account_name": key, "account_key": secret}
    # The library cannot take the account from an address that is not the cloud's own.
    return {"connection_string": f"AccountName={key};AccountKey={secret};BlobEndpoint={_with_scheme(endpoint)}"}


def _google(key: str, secret: str, endpoint: str) -> dict[str, Any]:
    """A service account: `key` is its mail address, `secret` its private key, in one line as in a variable."""
    token = {
        "type": "service_account",
        "client_email": key,
        "private_key": secret.replace("\\n", "\n"),
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return {"token": token, **({"endpoint_url": _with_scheme(endpoint)} if endpoint else {})}


def _with_scheme(endpoint: str) -> str:
    return endpoint if "://" in endpoint else f"https://{endpoint}"


_OPTIONS = {"s3": _s3, "az": _azure, "gs": _google}
