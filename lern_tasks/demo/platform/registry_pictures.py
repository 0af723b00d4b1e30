"""Certificates as pictures: which template, and what a failure to render means. See docs/architecture.md."""

from urllib.parse import urlsplit

import httpx

from lern_tasks.demo.platform.certificate_svg import default_template, render
from lern_tasks.demo.platform.registry_documents import credential
from lern_tasks.demo.platform.registry_store import StoredEntity

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# The template comes from this machine; what takes longer is not there.
_TEMPLATE_SECONDS = 5.0


def svg_of(stored: StoredEntity, address: str, template_url: str) -> bytes | None:
    """The certificate as SVG, or None if it cannot be rendered.

    Args:
        stored: the certificate.
        address: what its QR code says.
        template_url: a template on this machine, for instance of the embedded platform API. Nothing is ever fetched
            from elsewhere: for another host, or none, it is the template of this package.
    """
    try:
        return render(_template(template_url), credential(stored.document), address).encode("utf-8")
    except (httpx.HTTPError, ValueError):
        return None


def html_page(svg: bytes) -> bytes:
    """A page that shows an SVG."""
    picture = svg[svg.index(b"<svg") :]
    return b'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>' + picture + b"</body></html>"


def _template(url: str) -> str:
    if urlsplit(url).hostname not in _LOOPBACK:
        return default_template()
    answer = httpx.get(url, timeout=_TEMPLATE_SECONDS, trust_env=False)
    return answer.raise_for_status().text
