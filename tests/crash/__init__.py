"""Processes that die, stop or lose their servers while events are under way. See docs/architecture.md, "Deaths"."""
