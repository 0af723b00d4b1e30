"""How a worker takes messages from the broker. See docs/architecture.md, "Deaths" and "Parked messages".

In reading order: redis_transport, task_message.
"""
