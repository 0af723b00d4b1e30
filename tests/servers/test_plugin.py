"""When a test gets a server, is skipped, or fails for want of one."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def _pytest(directory: Path, body: str, *, fixture: str = "redis_server", **variables: str) -> str:
    """Run one test with the plugin and only these LERN_TEST_ variables; return what pytest printed."""
    test = directory / "test_one.py"
    test.write_text(f"def test_one({fixture}):\n    {body}\n")
    (directory / "pytest.ini").write_text("[pytest]\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LERN_TEST_")}
    # The other plugins take four fifths of such a run.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-rs", "-c", str(directory / "pytest.ini")]
    command += ["-p", "tests.servers.plugin", "-p", "no:cacheprovider", str(test)]
    run = subprocess.run(
        command, cwd=_ROOT, env=environment | variables, capture_output=True, text=True, timeout=60, check=False
    )
    return run.stdout + run.stderr


def test_without_a_server_the_test_is_skipped_with_the_way_to_run_it(tmp_path: Path) -> None:
    printed = _pytest(tmp_path, "pass")
    assert "1 skipped" in printed
    assert "set LERN_TEST_REQUIRE=all or LERN_TEST_REDIS=redis://host:port" in printed


def test_an_address_is_handed_to_the_test(tmp_path: Path) -> None:
    body = "assert redis_server.address == 'redis://127.0.0.1:1'"
    assert "1 passed" in _pytest(tmp_path, body, LERN_TEST_REDIS="redis://127.0.0.1:1")


def test_a_server_of_somebody_else_is_not_stopped(tmp_path: Path) -> None:
    printed = _pytest(tmp_path, "pass", fixture="own_redis", LERN_TEST_REDIS="redis://127.0.0.1:1")
    assert "1 skipped" in printed
    assert "set LERN_TEST_REQUIRE=all" in printed


def test_a_required_server_that_cannot_be_had_fails_the_test(tmp_path: Path) -> None:
    variables = {"LERN_TEST_REQUIRE": "all", "LERN_TEST_REDIS": "redis://127.0.0.1:1", "PATH": str(tmp_path)}
    printed = _pytest(tmp_path, "pass", **variables)
    assert "1 error" in printed
    assert "install Debian's package redis-server" in printed


def test_a_misspelt_requirement_is_refused(tmp_path: Path) -> None:
    assert "LERN_TEST_REQUIRE must be `all` or unset, not 'al'" in _pytest(tmp_path, "pass", LERN_TEST_REQUIRE="al")
