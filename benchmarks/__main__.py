"""The one command: measure every gate, print the table, return by the exit code whether the gates are kept."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import version

from .gates import GROUPS, Row, Size, measure, verdict

_PACKAGES = ("aiohttp", "attrs", "cattrs", "msgspec", "tenacity", "orjson", "pinecone", "httpx")
_QUICK = Size(rounds=3, repeat=3, pages=3, long_pages=300, shapes=10)


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=GROUPS, help="measure one group")
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures prove nothing")
    options = parser.parse_args()
    versions = [f"{name} {version(name)}" for name in _PACKAGES]
    print(f"{platform.platform()}; Python {platform.python_version()}, {', '.join(versions)}\n")
    print("| what | gate | median | |\n|---|---|---|---|", flush=True)
    rows: list[Row] = []
    for row in measure(_QUICK if options.quick else Size(), options.only):
        rows.append(row)
        print(row.line(), flush=True)
    outcome = verdict(rows)
    print("\n" + outcome.name.lower().replace("_", " "))
    return outcome


if __name__ == "__main__":
    sys.exit(main())
