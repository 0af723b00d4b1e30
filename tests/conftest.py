"""Fixtures of all tests."""

pytest_plugins = ["tests.stack.plugin"]
