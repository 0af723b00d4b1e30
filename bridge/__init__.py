"""The Kafka bridge: topic records in, task messages out. It knows task names, no task. See docs/architecture.md."""
