"""Whose fault a failed call is: one breaker an operation of a service, shared by all processes.

See docs/architecture.md, "Outages".
"""
