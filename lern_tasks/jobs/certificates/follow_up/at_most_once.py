"""Doing what people see at most once. See docs/jobs/collection_certificate_generator.md, "Failure"."""

from collections.abc import Callable

from lern_tasks.errors import LernError, UnknownOutcome
from lern_tasks.jobs.certificates.resources import CertificateResources


def at_most_once(ctx: CertificateResources, name: str, action: Callable[[], None]) -> bool:
    """Do `action` unless it was done, or may have been; True when it is certain that it was done now.

    Raises what `action` raises when it is certain that nothing happened: it may then be tried again.
    """
    if not ctx.idempotency_keys.claim(name, expiry=ctx.settings.tasks.pending_ttl):
        return False
    try:
        action()
    except UnknownOutcome:
        # It may have come through; a second message would be worse than none.
        return False
    except LernError:
        ctx.idempotency_keys.release(name)
        raise
    return True
