"""What strangers may put on a topic: texts of any kind, and events of which some fields are of any kind."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


def json_values(names: Sequence[str]) -> st.SearchStrategy[Any]:
    """Any JSON value, objects having `names` or any other name."""
    return st.recursive(
        _SCALARS,
        lambda children: (
            st.lists(children, max_size=4)
            | st.dictionaries(st.sampled_from(names) | st.text(max_size=4), children, max_size=4)
        ),
        max_leaves=8,
    )


def texts(valid: Mapping[str, Any], *, names: Sequence[str]) -> st.SearchStrategy[str]:
    """Any text; any bytes read as text; any JSON; and events with `valid` as data, some of its fields replaced."""
    values = json_values(names)
    replaced = st.dictionaries(st.sampled_from(names), values, max_size=3)
    events = replaced.map(lambda fields: json.dumps({"ets": 1, "edata": {**valid, **fields}}))
    anything = st.text() | st.binary().map(lambda raw: raw.decode(errors="replace")) | values.map(json.dumps)
    return events | anything
