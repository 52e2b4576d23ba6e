"""The benchmark's own logic: that its contenders do the same work, and that its figures say what they claim."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from typing import Any

import orjson
import pytest

from . import contenders, measure, report
from .chart import bars
from .compare import side_by_side
from .measure import Sample, Spread
from .payloads import ROWS, Payload, backup_ids, page_body
from .report import Row, Verdict
from .server import serving

WHOLE_WALKS = [
    contenders.raw,
    contenders.plain,
    contenders.official,
    contenders.ours,
    contenders.ours_by_page,
    contenders.get_and_decode,
    contenders.one_call_a_page,
]


async def test_every_contender_lists_the_same_backups_from_every_listing() -> None:
    with serving(pages=3, long_pages=3) as urls:
        for listing, url in urls.items():
            for contender in WHOLE_WALKS:
                async with contender(url) as walk:
                    assert await walk() == backup_ids(3), f"{contender} on {listing}"


def test_the_ids_of_a_listing_are_distinct() -> None:
    assert len(set(backup_ids(3))) == 3 * ROWS


def test_one_round_measures_every_contender_and_renders() -> None:
    with serving(pages=2) as urls, asyncio.Runner() as runner:
        walking = measure.walking(runner, urls, pages=2, rounds=1)
    starting = {
        name: [Sample(1.0, 1.0)] for name in ("ours", "aiohttp", "control", "first page ours", "first page official")
    }
    measured = report.Measured(measure.decoding(rounds=1, repeat=1), walking, starting, streamed=10_100, growth=15_000)
    rows = report.rows(measured)
    assert report.table(rows).count("\n") == len(rows) + 1
    assert "the whole page" in report.part_table(measured)
    result = report.as_json(measured, Verdict.PASSED)
    assert set(result["machine"]) >= {"python", "aiohttp", "pinecone"}
    assert side_by_side([result, result]).count("\n") == len(rows) + len(report.controls(measured)) + 2
    assert "official" in report.cost_table(measured)
    assert next(row for row in rows if row.unit == " MB").seen.median == pytest.approx(0)


def test_a_round_runs_each_contender_in_turn() -> None:
    ran: list[str] = []

    def contender(name: str) -> Sample:
        ran.append(name)
        return Sample(1.0, 1.0)

    measure.interleave({name: lambda name=name: contender(name) for name in "abc"}, rounds=2)  # type: ignore[misc]
    assert ran == list("abcabc")


def test_a_ratio_is_the_median_of_the_ratios_within_each_round() -> None:
    # The second round fell into a slow moment: the ratio of the medians would be 2.5.
    samples = {
        "ours": [Sample(2, 2), Sample(50, 50), Sample(3, 3)],
        "raw": [Sample(1, 1), Sample(25, 25), Sample(1.2, 1)],
    }
    assert measure.ratio(samples, "ours", "raw").median == 2.0


@pytest.mark.parametrize(
    ("seen", "control", "verdict"),
    [
        (2.0, 1.0, Verdict.PASSED),
        (2.01, 1.0, Verdict.GATE_MISSED),
        (2.0, 0.89, Verdict.VOID),
        (2.01, 1.11, Verdict.VOID),
        (2.0, 1.1, Verdict.PASSED),
    ],
)
def test_a_control_that_differs_from_itself_voids_the_run(seen: float, control: float, verdict: Verdict) -> None:
    row = Row("decode", Spread(seen, seen, seen), gate=2.0)
    assert report.verdict([row], [Row("control", Spread(control, control, control))]) is verdict


def test_a_gate_can_be_a_floor() -> None:
    row = Row("official / ours", Spread(2.5, 2.4, 2.6), gate=2.4, stretch=3.4, at_least=True)
    assert row.passed
    assert not row.stretched
    assert "≥ 2.4" in report.table([row])


def test_a_row_without_a_gate_cannot_miss_it() -> None:
    assert Row("typed", Spread(9, 9, 9)).passed is None


def test_the_chart_is_valid_svg_with_the_smallest_bar_on_top() -> None:
    svg = ET.fromstring(
        bars(
            "A <title> & more",
            "a note",
            {"official": 4.0, "raw & bare": 1.0},
            frozenset({"raw & bare"}),
        )
    )
    texts = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.index("raw & bare") < texts.index("official")
    assert "4.00 x" in texts


def first_backup(payload: Payload) -> dict[str, Any]:
    backup: dict[str, Any] = orjson.loads(page_body(payload))["data"][0]
    return backup


def test_the_payloads_are_what_they_are_named_for() -> None:
    full = first_backup(Payload.FULL)
    assert (len(full), len(full["schema"]["fields"]), len(full["tags"])) == (16, 2, 2)
    assert len(first_backup(Payload.ABSENT)) == 13
    assert len(first_backup(Payload.UNKNOWN)) == 18
    assert first_backup(Payload.TYPED)["schema"]["fields"]["embedding"]["type"] == "dense_vector"
    assert len({orjson.dumps(row["schema"]) for row in orjson.loads(page_body(Payload.DISTINCT))["data"]}) == ROWS
