"""Addresses in the container of certificates. See docs/jobs/collection_certificate_generator.md, "Document"."""

import re
from urllib.parse import unquote, urlsplit

_CLOUDS = {
    "s3": (r"(?:{container}\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?",),
    "az": (r"{account}\.blob\.core\.windows\.net",),
    "gs": (r"(?:{container}\.)?storage\.googleapis\.com", r"storage\.cloud\.google\.com"),
}
"""The hosts of a cloud's containers; the container's name is in the host, or the first part of the path."""


def name_in_container(url: str, container_url: str, *, account: str = "", endpoint: str = "") -> str | None:
    """The name, in the container, of the file that `url` leads to; None when it lies elsewhere.

    `container_url` is fsspec's (`s3://certs/folder`), `account` that of azure; `endpoint` is the address of a storage
    that is not the cloud's own.
    """
    kind, _, place = container_url.partition("://")
    container, _, folder = place.strip("/").partition("/")
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2].lower()
        own = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}").netloc.lower()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not container:
        return None
    hosts = (rf"(?:{{container}}\.)?{re.escape(own)}",) if own else _CLOUDS.get(kind, ())
    names = {"container": re.escape(container.lower()), "account": re.escape(account.lower())}
    if not any(re.fullmatch(pattern.format(**names), host) for pattern in hosts):
        return None
    path = unquote(parts.path).lstrip("/")
    begins = [folder] if host.startswith(f"{container.lower()}.") else [container, folder]
    begin = "".join(f"{part}/" for part in begins if part)
    return path.removeprefix(begin) or None if path.startswith(begin) else None
