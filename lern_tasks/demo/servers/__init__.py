"""Kafka, Redis and processes of the demo, ended with it."""
