"""The benchmark's own logic: its contenders do the same work, and its figures say what they claim."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import orjson
import pytest

from . import gates, shapes
from .__main__ import chart_of, line_of, side_by_side
from .contenders import CONTENDERS
from .gates import Row, Verdict, verdict
from .payloads import ROWS, Payload, backup_ids, page_body
from .server import serving


async def test_every_contender_lists_the_same_backups() -> None:
    with serving(pages=3, long_pages=3) as urls:
        for listing, url in urls.items():
            for contender in CONTENDERS.values():
                async with contender(url) as walk:
                    assert await walk() == backup_ids(3), f"{contender} on {listing}"


def test_a_quick_run_measures_and_prints_every_gate(tmp_path: Path) -> None:
    output, chart = tmp_path / "result.json", tmp_path / "chart.svg"
    command = [sys.executable, "-m", "tests.benchmarks", "--output", str(output)]
    done = subprocess.run([*command, "--quick"], capture_output=True, text=True, check=False)
    assert done.returncode in {*Verdict}, done.stderr
    result = orjson.loads(output.read_bytes())
    assert sum(row["gate"] is not None for row in result["rows"]) == 20
    assert done.stdout.count("\n") >= len(result["rows"]) + 2
    subprocess.run([*command, "--chart", str(chart), str(output)], capture_output=True, check=True)
    texts = [text.text for text in ET.parse(chart).iter("{http://www.w3.org/2000/svg}text")]
    assert texts.index("this client, full page") < texts.index("official client, full page")
    assert side_by_side([result, result]).count("\n") == len(result["rows"]) + 2
    assert chart_of(result["rows"]).startswith("<svg")


def test_a_round_runs_each_contender_in_turn() -> None:
    ran: list[str] = []

    def contender(name: str) -> float:
        ran.append(name)
        return 1.0

    gates.interleave({name: lambda name=name: contender(name) for name in "abc"}, rounds=2)  # type: ignore[misc]
    assert ran == list("abcabc")


def test_a_ratio_is_taken_within_each_round() -> None:
    """The second round fell into a slow moment: the ratio of the medians would be 2.5."""
    seconds = {"ours": [2.0, 50.0, 3.0], "raw": [1.0, 25.0, 1.2]}
    assert Row("ours / raw", gates.ratios(seconds, "ours", "raw")).median == 2.0


@pytest.mark.parametrize(
    ("seen", "control", "expected"),
    [
        (2.0, 1.0, Verdict.PASSED),
        (2.01, 1.0, Verdict.GATE_MISSED),
        (2.0, 0.89, Verdict.VOID),
        (2.01, 1.11, Verdict.VOID),
        (2.0, 1.1, Verdict.PASSED),
    ],
)
def test_a_control_far_from_1_voids_the_run(seen: float, control: float, expected: Verdict) -> None:
    assert verdict([Row("decode", [seen], gate=2.0), Row("control", [control], control=True)]) is expected


def test_a_gate_can_be_a_floor() -> None:
    row = Row("official / ours", [2.5], gate=2.4, stretch=3.4, at_least=True)
    assert line_of(row) == "| official / ours | ≥ 2.4 | ≥ 3.4 | 2.50 | pass |"
    assert line_of(Row("typed", [9.0])) == "| typed |  |  | 9.00 |  |"


def test_the_payloads_are_what_they_are_named_for() -> None:
    def first(payload: Payload) -> dict[str, Any]:
        backup: dict[str, Any] = orjson.loads(page_body(payload))["data"][1]
        return backup

    full = first(Payload.FULL)
    assert (len(full), len(full["schema"]["fields"]), len(full["tags"])) == (16, 2, 2)
    assert {"schema", "metric"} & first(Payload.SPARSE).keys() == set()
    assert (len(first(Payload.ABSENT)), len(first(Payload.UNKNOWN))) == (13, 18)
    assert first(Payload.TYPED)["schema"]["fields"]["embedding"]["type"] == "dense_vector"
    assert len({orjson.dumps(row["schema"]) for row in orjson.loads(page_body(Payload.DISTINCT))["data"]}) == ROWS
    assert len(set(backup_ids(3))) == 3 * ROWS


def test_the_shapes_are_within_the_limits() -> None:
    """A shape that is refused for its size would measure nothing. Only rows themselves may be too many."""
    sample = [shape for shape in list(shapes.bodies())[::197] if shape[0] not in {"rows", "restore jobs", "indexes"}]
    outcomes = {shapes.seconds_of(shape)[1] for shape in sample}
    assert {"BackupPage", "ResponseParsingError", "ServiceError"} <= outcomes
    assert "ResponseTooLargeError" not in outcomes
