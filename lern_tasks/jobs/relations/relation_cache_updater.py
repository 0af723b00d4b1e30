"""`lern.relation_cache_updater`: a published course becomes relation keys. See docs/jobs/relation_cache_updater.md."""

from collections.abc import Iterable
from typing import Final

from lern_tasks.delivery.batch import Batch, BatchRecord, fail_each
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError, LockBusy, NotReady
from lern_tasks.jobs.relations import hierarchies, hierarchy_text
from lern_tasks.jobs.relations.events import PublishEvent, parse
from lern_tasks.jobs.relations.resources import RelationResources
from lern_tasks.jobs.relations.rules import hierarchy
from lern_tasks.metrics import count
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "relation_cache_updater"


@event_job(JOB, parse=parse, resources=RelationResources)
def relation_cache_updater(batch: Batch[PublishEvent], ctx: RelationResources) -> None:
    """Replace the relation keys of each published collection by what its stored hierarchy gives."""
    by_root: dict[str, list[BatchRecord[PublishEvent]]] = {}
    for item in batch.open:
        by_root.setdefault(item.event.root_id, []).append(item)
    names = {f"relation:{root}": root for root in by_root}
    for holding in ctx.locks.rounds(names, wait=ctx.settings.tasks.lock_wait):
        roots = [names[name] for name in holding.tokens]
        # Read after the lock is held: the newest hierarchy is written last, whatever the order of the events.
        errors = _update(roots, ctx)
        lost = {names[name] for name in holding.release()}
        for root in roots:
            _settle(by_root[root], LockBusy("the lock was lost") if root in lost else errors.get(root))
    for items in by_root.values():
        fail_each(items, LockBusy("another worker is busy with this collection"))


def _update(roots: Iterable[str], ctx: RelationResources) -> dict[str, LernError]:
    table = for_job(ctx.settings, JOB).content_hierarchy
    found = hierarchies.read(ctx.gateway, table, list(roots))
    count("db-read-count", len(found), job=JOB)
    errors: dict[str, LernError] = {}
    for root, text in found.items():
        try:
            count("cache-write-count", _replace(root, text, ctx), job=JOB)
        except LernError as error:
            errors[root] = error
    return errors


def _replace(root: str, text: str | LernError | None, ctx: RelationResources) -> int:
    if isinstance(text, LernError):
        raise text
    tree = hierarchy_text.parse(text) if text and text.strip() else {}
    if not tree:
        raise NotReady("the collection has no stored hierarchy; it is written when the collection is published")
    return ctx.relation_cache.replace(root, hierarchy.derive(root, tree))


def _settle(items: Iterable[BatchRecord[PublishEvent]], error: LernError | None) -> None:
    for item in items:
        if error is not None:
            item.fail(error)
        else:
            item.done()
            count("success-events-count", job=JOB)
