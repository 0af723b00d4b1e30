"""The relation cache: which contents a course has, which of them are optional, and where they lie in it.

The documented keys: SETs `{course}:{collection}:leafnodes`, `...:optionalnodes` and `{course}:{content}:ancestors`.
See docs/jobs/relation_cache_updater.md, "Rows".
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from lern_tasks.connections.redis import Client, translated
from lern_tasks.jobs.relations.rules.hierarchy import Relations
from lern_tasks.sunbird.course_relations import CourseRelations

_LEAF, _OPTIONAL, _ANCESTORS = "leafnodes", "optionalnodes", "ancestors"


class RelationCache:
    """Reads and replaces the relation keys of courses; `units` is the client of the unit metadata."""

    def __init__(self, client: Client, units: Client) -> None:
        self._client = client
        self._units = units

    def read(self, contents: Mapping[str, Iterable[str]], *, units: bool = True) -> dict[str, CourseRelations]:
        """The relations of each course, with the ancestors of the named contents: two round trips for any number.

        A course without leaf nodes has an empty `leaf_nodes`. Raises DependencyDown.
        """
        by_course = {course: sorted(set(ids)) if units else [] for course, ids in contents.items()}
        first: list[str] = []
        for course, ids in by_course.items():
            first += [f"{course}:{course}:{_LEAF}", f"{course}:{course}:{_OPTIONAL}"]
            first += [f"{course}:{content}:{_ANCESTORS}" for content in ids]
        sets = self._members(first)
        second = [
            f"{course}:{unit}:{kind}"
            for course, ids in by_course.items()
            for unit in sorted(_units_of(course, ids, sets))
            for kind in (_LEAF, _OPTIONAL)
        ]
        sets |= self._members(second)
        return {course: _relations(course, ids, sets) for course, ids in by_course.items()}

    def are_leaf_nodes(self, contents: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bool | None]:
        """Whether each (course, content) is a leaf node of its course; None while the course has none at all.

        One round trip for any number, all of them as of one moment. Raises DependencyDown.
        """
        if not contents:
            return {}
        pipe = self._client.pipeline(transaction=True)
        for course, content in contents:
            key = f"{course}:{course}:{_LEAF}"
            pipe.exists(key)
            pipe.sismember(key, content)
        with translated():
            found = pipe.execute()
        return {
            pair: bool(member) if known else None
            for pair, known, member in zip(contents, found[::2], found[1::2], strict=True)
        }

    def replace(self, root: str, relations: Relations) -> int:
        """Replace all keys of `root` in one transaction, removing those it no longer has; how many were written.

        Raises DependencyDown.
        """
        sets = _set_keys(root, relations)
        index = f"{root}:relation-keys"
        with translated():
            stale = set(self._client.smembers(index)) - sets.keys()
            # Before the first run with an index, optional flags withdrawn since are the stale keys that do harm.
            stale |= {f"{root}:{c}:{_OPTIONAL}" for c in relations.leaf_nodes} - sets.keys()
            pipe = self._client.pipeline(transaction=True)
            for key, members in sets.items():
                pipe.delete(key)
                pipe.sadd(key, *sorted(members))
            for key in (*stale, index):
                pipe.delete(key)
            if sets:
                pipe.sadd(index, *sets)
            pipe.execute()
            self._replace_units(relations)
        return len(sets) + len(relations.units)

    def _replace_units(self, relations: Relations) -> None:
        pipe = self._units.pipeline(transaction=False)
        for unit, node in relations.units.items():
            pipe.set(unit, msgspec.json.encode(node).decode())
        if relations.units:
            pipe.execute()

    def _members(self, keys: Sequence[str]) -> dict[str, frozenset[str]]:
        if not keys:
            return {}
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.smembers(key)
        with translated():
            return {key: frozenset(members) for key, members in zip(keys, pipe.execute(), strict=True)}


def _units_of(course: str, contents: Iterable[str], sets: Mapping[str, frozenset[str]]) -> frozenset[str]:
    ancestors = (sets[f"{course}:{content}:{_ANCESTORS}"] for content in contents)
    return frozenset().union(*ancestors) - {course}


def _relations(course: str, contents: Sequence[str], sets: Mapping[str, frozenset[str]]) -> CourseRelations:
    units = _units_of(course, contents, sets)
    return CourseRelations(
        course_id=course,
        leaf_nodes=sets[f"{course}:{course}:{_LEAF}"],
        optional_nodes=sets[f"{course}:{course}:{_OPTIONAL}"],
        ancestors={content: sets[f"{course}:{content}:{_ANCESTORS}"] for content in contents},
        unit_leaf_nodes={unit: sets[f"{course}:{unit}:{_LEAF}"] for unit in units},
        unit_optional_nodes={unit: sets[f"{course}:{unit}:{_OPTIONAL}"] for unit in units},
    )


def _set_keys(root: str, relations: Relations) -> dict[str, frozenset[str]]:
    kinds = ((_LEAF, relations.leaf_nodes), (_OPTIONAL, relations.optional_nodes), (_ANCESTORS, relations.ancestors))
    return {
        f"{root}:{identifier}:{kind}": frozenset(members)
        for kind, sets in kinds
        for identifier, members in sets.items()
        if members
    }
