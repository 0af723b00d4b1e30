"""Measurements on real servers, each beside its ceiling in the same run. See docs/performance.md."""
