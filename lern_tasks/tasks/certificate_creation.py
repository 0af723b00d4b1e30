"""Creating a certificate in the registry, once. See docs/jobs/collection_certificate_generator.md, "Failure"."""

from collections.abc import Mapping
from typing import Any, Final

from lern_tasks.errors import LernError, SendAgain, UnknownOutcome
from lern_tasks.logs import logger
from lern_tasks.rules.registry_request import Certificate, bad_texts, create_body, is_same, search_filters
from lern_tasks.stores.intents import Intent
from lern_tasks.wiring import World

JOB: Final = "collection_certificate_generator"

_log = logger(__name__)


def create_once(certificate: Certificate, intent_key: str, world: World) -> tuple[str, list[str]]:
    """The osid of the certificate: the one of an earlier delivery, one found in the registry, or a new one.

    With it come the osids of further certificates that are the same: created more than once, they are to be deleted.

    Around the create call stands an intent. When an earlier call may have created the certificate, the registry is
    searched first, not before its index is sure to show it: then SendAgain is raised. Raises what the registry raises.
    """
    settings = world.settings.collection_certificate_generator
    known = world.intents.read(intent_key)
    if known is not None and known.osid:
        return known.osid, []
    body = create_body(certificate, kid=world.registry.key_id(), bad_texts=bad_texts(settings.task_rc_badcharlist))
    if known is not None:
        left = known.since_ms / 1000 + settings.index_lag - world.now_ms() / 1000
        if left > 0:
            raise SendAgain("the registry's index may not show an earlier create yet", delay=left)
        found = _find(certificate, body, world)
        if found:
            osid, *surplus = found
            _log.warning("certificate_adopted", certificate_id=osid)
            world.intents.write(intent_key, Intent(since_ms=known.since_ms, osid=osid))
            return osid, surplus
    return _create(body, intent_key, world), []


def _create(body: Mapping[str, Any], intent_key: str, world: World) -> str:
    since = world.now_ms()
    world.intents.write(intent_key, Intent(since_ms=since))
    try:
        osid = world.registry.create(body)
    except UnknownOutcome:
        raise
    except LernError:
        # Certainly not created: the next attempt need not wait for the index.
        world.intents.forget(intent_key)
        raise
    world.intents.write(intent_key, Intent(since_ms=since, osid=osid))
    return osid


def _find(certificate: Certificate, body: Mapping[str, Any], world: World) -> list[str]:
    """The certificates in the registry that are the one meant, oldest first; the search itself matches loosely."""
    entities = [entity for entity in world.registry.find(search_filters(certificate)) if is_same(entity, body)]
    entities.sort(key=lambda entity: str(entity.get("osCreatedAt", "")))
    return [str(entity["osid"]) for entity in entities]
