"""`python -m benchmarks [NAME ...] [--json]`: bridge, aggregate, latency, index-users; all without a name."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import aggregate, bridge_handover, index_users, latency
from benchmarks.result import Result
from tests.servers.running import Stack, running

BENCHMARKS: dict[str, Callable[[Stack, Path], list[Result]]] = {
    "bridge": bridge_handover.measure,
    "aggregate": aggregate.measure,
    "latency": latency.measure,
    "index-users": index_users.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], default=[])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    names = options.names or list(BENCHMARKS)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="lern-bench-") as directory, running(kafka=True, cassandra=True) as stack:
        for name in names:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            place = Path(directory) / name
            place.mkdir()
            results += BENCHMARKS[name](stack, place)
    if options.json:
        print(json.dumps([result.to_json() for result in results], indent=2))
    else:
        Console().print(_table(results))
    return 0


def _table(results: list[Result]) -> Table:
    table = Table(title="lern_tasks on this machine")
    for column in ("what", "measured", "ceiling", "share", "target"):
        table.add_column(column)
    for result in results:
        table.add_row(*result.cells())
    return table


if __name__ == "__main__":
    raise SystemExit(main())
