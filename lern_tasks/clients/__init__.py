"""Clients of what is neither Cassandra nor Redis: HTTP services, Kafka, files. See docs/architecture.md, "Clients"."""
