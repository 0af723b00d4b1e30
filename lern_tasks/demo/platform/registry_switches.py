"""What the registry can do wrong. See docs/jobs/collection_certificate_generator.md, section "Failure"."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from lern_tasks.demo.platform.switches import Switches

_WRITE_FAULTS = frozenset({"timeout", "drop", "timeout_after_commit", "drop_after_commit", "500_after_commit"})
_SEARCH_MODES = frozenset({"auto", "array", "page", "empty", "blank_result", "timeout", "drop"})


@dataclass(slots=True, kw_only=True)
class RegistrySwitches(Switches):
    """Switches of the registry; each mode is an HTTP status or a name, and holds for `<name>_times` requests if set.

    Write modes: `200` and, for a create, `201` do what they say; a status from 300 on answers without a change;
    `timeout` and `drop` (the connection closes without an answer) change nothing either; with `_after_commit` the
    change has happened. A create can also answer without an id: `no_osid`, `blank_osid`, or `transaction_id`.
    Search modes: `array` or `page` object (`auto`: as the release does), `empty`, `blank_result` (status 200 with
    `result: ""`), `timeout`, `drop`, or a status.

    Attributes:
        release: `1` or `2`: the older answers a search with a bare array and a second delete with 500.
        search_lag: seconds by which searches are behind.
        dotted_paths: whether the index knows nested fields; if not, a filter on one finds nothing.
        api_key: if set, a create must carry it in the header Authorization, else 401.
    """

    modes: ClassVar[Mapping[str, frozenset[str]]] = {
        "create": _WRITE_FAULTS | {"no_osid", "blank_osid", "transaction_id"},
        "delete": _WRITE_FAULTS,
        "search": _SEARCH_MODES,
        "key_search": _SEARCH_MODES,
        "read": frozenset({"timeout", "drop"}),
        "release": frozenset({"1", "2"}),
    }

    release: str = "1"
    create: str = "200"
    create_times: int | None = None
    delete: str = "200"
    delete_times: int | None = None
    search: str = "auto"
    search_times: int | None = None
    key_search: str = "auto"
    key_search_times: int | None = None
    read: str = "200"
    read_times: int | None = None
    search_lag: float = 0.0
    dotted_paths: bool = True
    api_key: str | None = None
