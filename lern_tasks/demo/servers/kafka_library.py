"""The C interface of librdkafka's mock cluster, by ctypes. See docs/architecture.md, section "Embedded".

The interface is experimental, which is why confluent-kafka is pinned to one version.
"""

import ctypes
from collections.abc import Iterator, Mapping
from pathlib import Path

import confluent_kafka
from confluent_kafka import cimpl

Library = ctypes.CDLL

_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_PRODUCER = 0
_ERROR_BYTES = 512
# A real broker waits 3 seconds for more members at a group's first join; here nobody else is coming.
_REBALANCE_DELAY_MS = 100
_SIGNATURES: Mapping[str, tuple[object, tuple[object, ...]]] = {
    "rd_kafka_conf_new": (_POINTER, ()),
    "rd_kafka_conf_set": (_INT, (_POINTER, _TEXT, _TEXT, _TEXT, ctypes.c_size_t)),
    "rd_kafka_new": (_POINTER, (_INT, _POINTER, _TEXT, ctypes.c_size_t)),
    "rd_kafka_destroy": (None, (_POINTER,)),
    "rd_kafka_err2str": (_TEXT, (_INT,)),
    "rd_kafka_mock_cluster_new": (_POINTER, (_POINTER, _INT)),
    "rd_kafka_mock_cluster_destroy": (None, (_POINTER,)),
    "rd_kafka_mock_cluster_bootstraps": (_TEXT, (_POINTER,)),
    "rd_kafka_mock_topic_create": (_INT, (_POINTER, _TEXT, _INT, _INT)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (_POINTER, ctypes.c_int32)),
}


def find_library() -> Library | None:
    """Librdkafka as confluent-kafka's wheel brings it, or None if its C interface cannot be reached.

    On Linux the symbols are found through the extension module; the wheels for macOS bundle the library beside it.
    """
    for path in _candidates():
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        if all(hasattr(library, name) for name in _SIGNATURES):
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
            return library
    return None


def _candidates() -> Iterator[Path]:
    package = Path(confluent_kafka.__file__).parent
    yield Path(cimpl.__file__)
    for folder in (package / ".dylibs", package.parent / "confluent_kafka.libs"):
        yield from sorted(folder.glob("librdkafka*"))


class MockCluster:
    """One mock broker with the topics asked for. Raises RuntimeError if it cannot be made."""

    def __init__(self, library: Library, topics: Mapping[str, int]) -> None:
        self._library = library
        self._client = _client(library)
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            raise RuntimeError("librdkafka did not start its mock cluster")
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, _REBALANCE_DELAY_MS)
        for name, partitions in topics.items():
            failed = library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
            if failed:
                reason = library.rd_kafka_err2str(failed).decode()
                raise RuntimeError(f"topic {name} with {partitions} partitions: {reason}")
        self.bootstrap: str = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def close(self) -> None:
        """Stop the broker."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


def _client(library: Library) -> int:
    """The client instance to which the mock cluster belongs; it connects to nothing."""
    problem = ctypes.create_string_buffer(_ERROR_BYTES)
    configuration = library.rd_kafka_conf_new()
    # Silent: a client without a server would say so on standard error.
    library.rd_kafka_conf_set(configuration, b"log_level", b"0", problem, _ERROR_BYTES)
    client: int | None = library.rd_kafka_new(_PRODUCER, configuration, problem, _ERROR_BYTES)
    if not client:
        raise RuntimeError(f"librdkafka did not start: {problem.value.decode()}")
    return client
