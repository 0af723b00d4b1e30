"""`lern.relation_cache_updater`: a published course becomes relation keys. See docs/jobs/relation_cache_updater.md."""

from typing import Final

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.locked_groups import grouped, locked_groups
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError, NotReady
from lern_tasks.jobs.relations import hierarchy_text
from lern_tasks.jobs.relations.events import PublishEvent, parse
from lern_tasks.jobs.relations.resources import RelationResources
from lern_tasks.jobs.relations.rules.hierarchy import Relations, derive
from lern_tasks.metrics import count

JOB: Final = "relation_cache_updater"


@event_job(JOB, parse=parse, resources=RelationResources)
def relation_cache_updater(batch: Batch[PublishEvent], ctx: RelationResources) -> None:
    """Replace the relation keys of each published collection by what its stored hierarchy gives."""
    groups = grouped(batch, by=lambda event: event.root_id)
    for held in locked_groups(groups.values(), ctx, job=JOB, lock=_lock, about="collection"):
        # Read after the lock is held: the newest hierarchy is written last, whatever the order of the events.
        stored = ctx.hierarchies.read([group.key for group in held.groups])
        count("db-read-count", len(stored), job=JOB)
        for group in held.groups:
            with group.failures():
                relations = _decide(group.key, stored[group.key])
                count("cache-write-count", ctx.relation_cache.replace(group.key, relations), job=JOB)
        for group in held.release():
            count("success-events-count", len(group.open), job=JOB)
            group.done()


def _lock(root: str) -> str:
    return f"relation:{root}"


def _decide(root: str, text: str | LernError | None) -> Relations:
    if isinstance(text, LernError):
        raise text
    tree = hierarchy_text.parse(text) if text and text.strip() else {}
    if not tree:
        raise NotReady("the collection has no stored hierarchy; it is written when the collection is published")
    return derive(root, tree)
