"""Tables in Cassandra. See docs/architecture.md, "Stores"."""
