"""The benchmark's own logic: the command measures every gate, and its figures and exit codes mean what they say."""

from __future__ import annotations

import subprocess
import sys

import orjson
import pytest

from benchmarks import shapes
from benchmarks.gates import Row, Verdict, ratios, verdict
from benchmarks.server import ROWS, Payload, backup_ids, page_body


@pytest.mark.soak
def test_a_quick_run_measures_and_prints_every_gate() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    gates, controls = [row for row in rows if row[1]], [row for row in rows if row[0].startswith("| control")]
    assert (len(gates), len(controls)) == (20, 13), done.stdout + done.stderr
    assert {row[3] for row in gates} <= {"pass |", "MISSED |"}
    assert done.returncode == Verdict[done.stdout.splitlines()[-1].replace(" ", "_").upper()]


def test_what_a_row_says() -> None:
    """A ratio is taken within each round: of these the second fell into a slow moment. A gate can be a floor."""
    row = Row("ours / raw", ratios({"ours": [2.0, 50.0, 3.0], "raw": [1.0, 25.0, 1.2]}, "ours", "raw"), gate=1.5)
    assert row.line() == "| ours / raw | ≤ 1.5 | 2.00 | MISSED |"
    assert Row("official", [2.5], gate=2.4, at_least=True).line() == "| official | ≥ 2.4 | 2.50 | pass |"


@pytest.mark.parametrize(("seen", "control", "expected"), [
    (2.0, 1.0, 0), (2.01, 1.0, 1), (2.0, 0.89, 3), (2.01, 1.11, 3), (2.0, 1.1, 0),
])  # fmt: skip
def test_a_control_far_from_1_voids_the_run(seen: float, control: float, expected: int) -> None:
    assert verdict([Row("decode", [seen], gate=2.0), Row("control", [control], control=True)]) == expected


def test_the_payloads_are_what_they_are_named_for() -> None:
    rows = {payload: orjson.loads(page_body(payload))["data"] for payload in Payload}
    assert {payload: len(found[1]) for payload, found in rows.items()} == {
        "sparse": 14, "full": 16, "absent": 13, "typed": 16, "unknown": 18, "distinct": 16
    }  # fmt: skip
    assert rows[Payload.TYPED][1]["schema"]["fields"]["embedding"]["type"] == "dense_vector"
    assert len({orjson.dumps(row["schema"]) for row in rows[Payload.DISTINCT]}) == ROWS
    assert len(set(backup_ids(3))) == 3 * ROWS


def test_the_shapes_are_within_the_limits() -> None:
    """A shape that is refused for its size would measure nothing. Only rows themselves may be too many."""
    sample = [shape for shape in list(shapes.bodies())[::197] if shape[0] not in {"rows", "restore jobs", "indexes"}]
    outcomes = {shapes.seconds_of(shape)[1] for shape in sample}
    assert {"BackupPage", "ResponseParsingError", "ServiceError"} <= outcomes
    assert "ResponseTooLargeError" not in outcomes
