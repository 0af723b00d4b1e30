"""How the Java servers are run: which `java`, which class path, which flags both share."""

import os
import shutil
from pathlib import Path
from string import Template

from tests.servers.jars import UnresolvedJarsError, jars
from tests.servers.server import StackError

_CONF = Path(__file__).with_name("conf")
# Servers of tests live for minutes: the quick compiler alone starts them faster and leaves the cores to the tests;
# the serial collector needs no threads of its own and the least memory.
QUICK_START = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData"]


def java() -> str:
    """Return the `java` to run: of JAVA_HOME, else of the path; raises StackError when there is none."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise StackError("no `java`: install Debian's package openjdk-17-jre-headless, or set JAVA_HOME to a Java 17")
    return found


def environment(profile: str) -> dict[str, str]:
    """Return this process's environment with the class path of one profile of pom.xml; raises StackError."""
    return os.environ | {"CLASSPATH": os.pathsep.join(map(str, class_path(profile)))}


def class_path(profile: str) -> list[Path]:
    """Return the jars of one profile; raises StackError when they cannot be resolved."""
    try:
        return jars(profile)
    except UnresolvedJarsError as error:
        raise StackError(str(error)) from error


def write_configuration(name: str, target: Path, values: dict[str, object]) -> None:
    """Write `conf/<name>` to `target` with its `${...}` replaced; raises KeyError when a value is missing."""
    target.write_text(Template((_CONF / name).read_text()).substitute(values))
