"""How to reach HTTP services, Kafka, Redis and files; no business. See docs/architecture.md, "Clients"."""
