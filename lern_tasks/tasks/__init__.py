"""The tasks, one file a job: parse, read, decide, write, hand on, mark as seen. See docs/architecture.md."""
