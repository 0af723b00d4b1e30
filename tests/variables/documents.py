"""The variables of collection_certificate_generator that matter without the registry."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry

from tests.harness.requests import generate
from tests.variables.case import Case, Look
from tests.variables.environment import Stage
from tests.variables.generator import JOB, PREFIX, enrolled, issued_types
from tests.variables.observations import body, calls

FOLDER = {
    f"{PREFIX}CERT_DOMAIN_URL": "https://dev.sunbirded.org",
    f"{PREFIX}CERT_CONTAINER_NAME": "s3://folder",
    f"{PREFIX}SERVICE_CERTREG_BASEPATH": "$old/certreg",
    f"{PREFIX}SERVICE_ENC_BASEPATH": "$old/enc",
}
DOCUMENTS = {**FOLDER, f"{PREFIX}ENABLE_RC_CERTIFICATE": "false"}
CLOUD = {
    **DOCUMENTS,
    f"{PREFIX}CERT_CONTAINER_NAME": "certs",
    f"{PREFIX}CERT_CLOUD_STORAGE_TYPE": "aws",
    f"{PREFIX}CERT_CLOUD_STORAGE_KEY": "account",
    f"{PREFIX}CERT_CLOUD_STORAGE_SECRET": "hush",
}


class Bucket(MemoryFileSystem):
    """A container of some cloud, in memory."""

    cachable = False
    store: dict[str, Any] = {}  # noqa: RUF012 - as the base class has it
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.rpartition("://")[2].strip("/")


class S3(Bucket):
    """Of the kind that `aws` and others have."""


class Azure(Bucket):
    """Of Azure."""


@contextmanager
def clouds() -> Iterator[None]:
    """Clouds for the time of a scene: their libraries need not be installed."""
    with patch.dict(_registry, {"s3": S3, "az": Azure}):
        yield


def documenting(stage: Stage) -> None:
    """A signed certificate."""
    enrolled(stage)
    event = generate(svgTemplate=stage.platform.template_url(), keys={"id": "7"})
    with clouds():
        stage.deliver(JOB, event)


def container(part: str) -> Look:
    """The kind of cloud, the container or an option of the place that a document went to."""

    def look(stage: Stage) -> Any:
        store, root = stage.ctx.certificate_files._open()
        assert store.find(root), "nothing was stored"
        return {"kind": type(store).__name__, "root": root, **store.storage_options}.get(part)

    return look


_case = partial(Case, JOB)
_url = body("/registry/add", "request", "jsonData", "badge", "issuer", "id")
_issuer = "certs/Issuer.json"

CASES = [
    _case("enable.rc.certificate", "false", issued_types, ["document"], documenting, FOLDER),
    _case("cert_domain_url", "https://certs", _url, [f"https://certs/{_issuer}"], documenting, DOCUMENTS),
    _case(
        "service.certreg.basePath",
        "$old/else",
        calls("/add"),
        ["POST /else/certs/v2/registry/add"],
        documenting,
        DOCUMENTS,
    ),
    _case("service.enc.basePath", "$old/else", calls("/sign/7"), ["POST /else/sign/7"], documenting, DOCUMENTS),
    _case("cert_container_name", "others", container("root"), "others", documenting, CLOUD),
    _case("cert_cloud_storage_type", "azure", container("kind"), "Azure", documenting, CLOUD),
    _case("cert_cloud_storage_key", "other", container("key"), "other", documenting, CLOUD),
    _case("cert_cloud_storage_secret", "other", container("secret"), "other", documenting, CLOUD),
    _case(
        "cert_cloud_storage_endpoint", "ceph:7480", container("endpoint_url"), "https://ceph:7480", documenting, CLOUD
    ),
]
