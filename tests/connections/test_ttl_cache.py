"""The cache of answers."""

import pytest

from lern_tasks.connections.ttl_cache import TtlCache


def test_the_cache_keeps_no_empty_text_and_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lern_tasks.connections.ttl_cache._MOST", 2)
    cache = TtlCache(10, lambda: 0.0)
    assert cache.get("a", lambda: "") == ""
    for key in ("a", "b", "c"):
        assert cache.get(key, lambda: "old") == "old"
    assert cache.get("c", lambda: "new") == "old"
    assert cache.get("a", lambda: "new") == "new"
