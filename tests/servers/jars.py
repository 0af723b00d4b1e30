"""The jars of the Java servers: resolved by Maven once, then found in a cache directory.

Only the standard library and no import of this project, so that CI can run it as a script before there is a virtual
environment: `python3 tests/servers/jars.py` resolves everything and prints the directories.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_POM = Path(__file__).with_name("pom.xml")
# Profiles of pom.xml.
PROFILES = ("kafka", "cassandra")
# Seconds for one resolution: about 120 MB for both servers on a slow line.
_RESOLVE_SECONDS = 600


class UnresolvedJarsError(Exception):
    """Maven is missing or cannot resolve the jars; the message says which and shows Maven's own words."""


def jars(profile: str) -> list[Path]:
    """Return the jars of one profile of pom.xml, resolving them if the cache lacks them; raises UnresolvedJarsError."""
    directory = cache_directory() / f"{profile}-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]}"
    if not directory.is_dir():
        _resolve(profile, directory)
    return sorted(directory.glob("*.jar"))


def cache_directory() -> Path:
    """Where resolved jars are kept between runs: LERN_STACK_CACHE, else `~/.cache/lern_tasks/stack`."""
    return Path(os.environ.get("LERN_STACK_CACHE") or Path.home() / ".cache" / "lern_tasks" / "stack").resolve()


def _resolve(profile: str, directory: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UnresolvedJarsError(
            f"no `mvn` on the path to fetch the jars of {profile}: install Debian's package maven"
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Complete or absent: the jars appear under their name in one step, whoever resolves at the same time.
    with tempfile.TemporaryDirectory(prefix=f"{profile}-", dir=directory.parent) as partial:
        target = Path(partial) / "jars"
        command = [maven, "-q", "-B", "-f", str(_POM), f"-P{profile}", "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=_RESOLVE_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise UnresolvedJarsError(f"Maven did not resolve the jars of {profile} in {_RESOLVE_SECONDS} s") from error
        if run.returncode != 0:
            raise UnresolvedJarsError(
                f"Maven cannot resolve the jars of {profile}:\n{(run.stdout + run.stderr)[-3000:]}"
            )
        try:
            target.rename(directory)
        except OSError:
            if not directory.is_dir():
                raise


if __name__ == "__main__":
    for name in PROFILES:
        sys.stdout.write(f"{name}: {len(jars(name))} jars in {jars(name)[0].parent}\n")
