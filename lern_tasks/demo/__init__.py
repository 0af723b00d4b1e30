"""Kafka, Redis, a certificate registry and the platform's API, embedded: what `lern demo` and the tests run against.

Every part listens on 127.0.0.1 only, keeps its state in memory or in one file, and comes from PyPI alone. Nothing here
is for data that anybody wants to keep. See docs/architecture.md, section "Embedded".
"""
