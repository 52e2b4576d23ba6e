"""Set the results of several runs side by side: `python -m tests.benchmarks.compare RESULT.json ...` prints Markdown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["side_by_side"]


def side_by_side(results: Sequence[dict[str, Any]]) -> str:
    """Return the rows and the controls of all results as one Markdown table, a column for each run."""
    heads = [f"run {number}" for number in range(1, len(results) + 1)]
    lines = [_line("what", "gate", "stretch", *heads), _line(*["---"] * (3 + len(heads)))]
    for kind in ("rows", "controls"):
        lines += [_row([result[kind][place] for result in results]) for place in range(len(results[0][kind]))]
    return "\n".join([*lines, _line("verdict", "", "", *(result["verdict"].replace("_", " ") for result in results))])


def _row(runs: Sequence[dict[str, Any]]) -> str:
    first = runs[0]
    sign = "≥" if first["at_least"] else "≤"
    bounds = (
        "" if first[bound] is None else f"{sign} {first[bound]:g}{first['unit']}" for bound in ("gate", "stretch")
    )
    seen = (f"{run['seen']['median']:.2f}{'' if run['passed'] is not False else ' MISSED'}" for run in runs)
    return _line(first["what"], *bounds, *seen)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(side_by_side([orjson.loads(Path(path).read_bytes()) for path in sys.argv[1:]]))
