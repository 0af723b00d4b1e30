"""Real Kafka, Cassandra and Redis for the tests, started on free ports of 127.0.0.1 and ended with their parent."""

from tests.stack.running import Stack, running
from tests.stack.server import Server, StackError

__all__ = ["Server", "Stack", "StackError", "running"]
