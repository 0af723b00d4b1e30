"""Cassandra: one node, tokens and gossip reduced to what one node needs, everything else as shipped."""

from pathlib import Path
from typing import ClassVar

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import RoundRobinPolicy

from tests.servers import java
from tests.servers.ports import free_ports
from tests.servers.process import OwnServer
from tests.servers.server import StackError, accepts

_HEAP = "-Xmx512m"
_SYSTEM_PROPERTIES = {
    # One node has nobody to wait for: neither gossip, nor the ring, nor other nodes that might create the first role,
    # nor anybody who must hear that it stops.
    "cassandra.skip_wait_for_gossip_to_settle": "0",
    "cassandra.ring_delay_ms": "100",
    "cassandra.superuser_setup_delay_ms": "0",
    "cassandra.shutdown_announce_in_ms": "0",
    # A third of the CPU time of CREATE TABLE, which tests do all the time; an orderly stop writes it all the same.
    "cassandra.test.flush_local_schema_changes": "false",
    # Nobody reads its metrics: registering those of each table takes a tenth of its start.
    "org.apache.cassandra.disable_mbean_registration": "true",
    # A clock that ticks 500 times a second, and threads that are renamed for each request: a few hundredths of a core,
    # always. Time limits of 20 ms are not in use here.
    "cassandra.approximate_time_precision_ms": "20",
    "cassandra.set_sep_thread_name": "false",
}
_EXPORTS = """java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry
java.rmi/sun.rmi.server java.sql/java.sql java.base/java.lang.ref jdk.unsupported/sun.misc
jdk.compiler/com.sun.tools.javac.file jdk.attach/sun.tools.attach"""
_OPENS = """java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref
java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module
java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io
java.base/java.lang.reflect java.base/java.lang java.base/java.util java.base/java.util.concurrent
java.base/java.util.concurrent.atomic java.base/java.nio java.base/java.net jdk.compiler/com.sun.tools.javac"""


class CassandraServer(OwnServer):
    """One Cassandra node without authentication; timeouts and warning limits are those of a plain installation."""

    name: ClassVar[str] = "cassandra"
    # Starts in about 5 s on two free cores; the rest is for a busy machine.
    start_seconds: ClassVar[float] = 150

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._port, self._storage_port, self._ssl_storage_port = free_ports(3)

    @property
    def address(self) -> str:
        """`127.0.0.1:port` of the native protocol."""
        return f"127.0.0.1:{self._port}"

    def _prepare(self) -> None:
        values: dict[str, object] = {
            "port": self._port,
            "storage_port": self._storage_port,
            "ssl_storage_port": self._ssl_storage_port,
            "directory": self._directory,
        }
        java.write_configuration("cassandra.yaml", self._directory / "cassandra.yaml", values)
        java.write_configuration("logback.xml", self._directory / "logback.xml", {})
        (self._directory / "tmp").mkdir(exist_ok=True)

    def _command(self) -> list[str]:
        return [java.java(), _HEAP, *java.QUICK_START, *self._flags(), "org.apache.cassandra.service.CassandraDaemon"]

    def _flags(self) -> list[str]:
        properties = _SYSTEM_PROPERTIES | {
            "cassandra-foreground": "yes",
            "cassandra.config": f"file://{self._directory}/cassandra.yaml",
            "cassandra.storagedir": str(self._directory / "data"),
            "cassandra.logdir": str(self._directory),
            "logback.configurationFile": f"file:{self._directory}/logback.xml",
            # Native libraries are unpacked here; they go with the server's directory.
            "java.io.tmpdir": str(self._directory / "tmp"),
            "jdk.attach.allowAttachSelf": "true",
            "io.netty.tryReflectionSetAccessible": "true",
        }
        return [
            f"-javaagent:{self._agent()}",
            *(f"-D{name}={value}" for name, value in properties.items()),
            *(f"--add-exports={package}=ALL-UNNAMED" for package in _EXPORTS.split()),
            *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENS.split()),
        ]

    def _agent(self) -> Path:
        """Measures objects in memory: without it memtables guess their size."""
        found = [jar for jar in java.class_path("cassandra") if jar.name.startswith("jamm-")]
        if not found:
            raise StackError("cassandra: its dependencies contain no jamm jar; is cassandra-all of pom.xml a 5.0?")
        return found[0]

    def _environment(self) -> dict[str, str]:
        return java.environment("cassandra")

    def _is_ready(self) -> bool:
        if not accepts(self._port):
            return False
        profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy())
        cluster = Cluster(
            ["127.0.0.1"], port=self._port, protocol_version=5, execution_profiles={EXEC_PROFILE_DEFAULT: profile}
        )
        try:
            return cluster.connect().execute("SELECT release_version FROM system.local").one() is not None
        except NoHostAvailable:
            return False
        finally:
            cluster.shutdown()
