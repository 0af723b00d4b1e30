"""From the text of a Kafka record to a checked, frozen value; one file a job. See docs/architecture.md."""
