"""What the registry keeps: entities in memory, and in a file of JSON lines if they shall survive a restart."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lern_tasks.demo.platform.registry_documents import entity_document, new_osid
from lern_tasks.demo.platform.registry_filters import matches


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntity:
    """An entity and what became of it; times in seconds since 1970, `deleted_at` None while it is active."""

    entity: str
    osid: str
    document: Mapping[str, Any]
    created_at: float
    deleted_at: float | None = None
    revoked: bool = False


class RegistryStore:
    """Entities by id, thread-safe. A change is in the file before it is visible, so a killed process has lost none."""

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._entities: dict[str, StoredEntity] = {}
        if path is not None and path.exists():
            self._load(path)

    def create(self, entity: str, body: Mapping[str, Any]) -> StoredEntity:
        """Store a body under a new id."""
        osid, now = new_osid(), self._clock()
        return self._put(
            StoredEntity(entity=entity, osid=osid, document=entity_document(body, osid, now), created_at=now)
        )

    def get(self, entity: str, osid: str) -> StoredEntity | None:
        """An active entity, or None if it never was or is deleted."""
        found = self._entities.get(osid)
        return found if found is not None and found.entity == entity and found.deleted_at is None else None

    def delete(self, entity: str, osid: str) -> bool:
        """Make an entity inactive; False if there is no active one."""
        with self._lock:
            found = self.get(entity, osid)
            if found is None:
                return False
            self._write(replace(found, deleted_at=self._clock(), revoked=True))
            return True

    def revoke(self, entity: str, osid: str) -> bool:
        """Mark the credential as revoked; False if there is no active entity."""
        with self._lock:
            found = self.get(entity, osid)
            if found is None:
                return False
            self._write(replace(found, revoked=True))
            return True

    def all(self) -> list[StoredEntity]:
        """Every entity, oldest first, deleted ones too."""
        with self._lock:
            return list(self._entities.values())

    def search(
        self, entity: str, filters: Mapping[str, Any], *, limit: int, offset: int, lag: float
    ) -> list[StoredEntity]:
        """What the index finds: it is `lag` seconds behind, and cuts the page before it drops the inactive ones.

        Raises:
            ValueError: for filters that the index does not understand.
        """
        until = self._clock() - lag
        matches({}, filters)  # a filter that is wrong is an error also when there is nothing to filter
        hits = [
            each
            for each in self.all()
            if each.entity == entity and each.created_at <= until and matches(each.document, filters)
        ]
        page = hits[offset : offset + limit]
        return [each for each in page if each.deleted_at is None or each.deleted_at > until]

    def _put(self, stored: StoredEntity) -> StoredEntity:
        with self._lock:
            self._write(stored)
        return stored

    def _write(self, stored: StoredEntity) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(as_json(stored)) + "\n")
        self._entities[stored.osid] = stored

    def _load(self, path: Path) -> None:
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            # The process was killed in the middle of a line; nobody was told that this change had happened.
            path.write_bytes(whole)
        for line in whole.splitlines():
            stored = StoredEntity(**json.loads(line))
            self._entities[stored.osid] = stored


def as_json(stored: StoredEntity) -> dict[str, Any]:
    """The members of a stored entity, ready for JSON."""
    return {
        "entity": stored.entity,
        "osid": stored.osid,
        "document": stored.document,
        "created_at": stored.created_at,
        "deleted_at": stored.deleted_at,
        "revoked": stored.revoked,
    }
