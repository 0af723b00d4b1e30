"""Fixtures and profiles of all tests."""

from hypothesis import settings

pytest_plugins = ["tests.stack.plugin"]

# A busy machine is slow, which says nothing about the code; the time limit of each test is the bound.
settings.register_profile("lern", deadline=None)
settings.load_profile("lern")
