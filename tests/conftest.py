"""Fixtures of all tests."""

pytest_plugins: list[str] = []
