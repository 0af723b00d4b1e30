"""Events of `{env}.content.postpublish.request`. See docs/jobs/relation_cache_updater.md, section "Event"."""

from dataclasses import dataclass

from lern_tasks.delivery.batch import Skipped
from lern_tasks.jobs.relations.rules.node import COLLECTION_MIME_TYPE
from lern_tasks.sunbird.envelope import action_of, decode, edata, event_time, required_id

ACTIONS = frozenset({"post-publish-process", "relation-cache-update"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishEvent:
    """A collection was published; `root_id` is all that counts. `ets` is epoch ms, None when the event does not say."""

    root_id: str
    ets: int | None


def parse(value: str | None) -> PublishEvent | Skipped:
    """Read the value of a record. Raises InvalidEvent; see the section for what is invalid and what is skipped."""
    event = decode(value)
    data = edata(event)
    if action_of(data) not in ACTIONS:
        return Skipped(reason="another action")
    mime_type = data.get("mimeType")
    if not isinstance(mime_type, str) or mime_type.lower() != COLLECTION_MIME_TYPE:
        return Skipped(reason="not a collection")
    return PublishEvent(root_id=required_id(data, "identifier"), ets=event_time(event))
