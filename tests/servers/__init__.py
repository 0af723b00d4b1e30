"""Real Kafka, Cassandra and Redis for the tests, started on free ports of 127.0.0.1 and ended with their parent."""

from tests.servers.running import Stack, running
from tests.servers.server import Server, StackError

__all__ = ["Server", "Stack", "StackError", "running"]
