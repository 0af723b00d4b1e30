"""Tables in a SQLite file, for the demo and quick tests. See docs/architecture.md, "Stores"."""
