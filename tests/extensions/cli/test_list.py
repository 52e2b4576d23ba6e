"""`pinecone-backups list`, run in this process against a real local server."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import sys
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from pinecone_backups_async import Backup
from pinecone_backups_async.cli._app import run as run_command
from pinecone_backups_async.cli._table import age, backups_lines, short_ids
from pinecone_backups_async.testing import Answer, FakePinecone, sample_backups
from tests.support.samples import row

from .conftest import Run

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def rows_of(text: str) -> list[dict[str, Any]]:
    """Return the rows of JSON lines, or else of CSV."""
    if text.startswith("{"):
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ids(text: str) -> list[str]:
    return [found["backup_id"] for found in rows_of(text)]


def test_every_backup_is_whole_in_json(project: FakePinecone, run: Run) -> None:
    """In a pipe each is a line, and no retry is told; with `json` all are one array."""
    project.play(Answer.error(503, "UNAVAILABLE", "Later."))
    listed = run("list")
    assert (listed.code, listed.err, len(project.requests)) == (0, "", 4)
    assert rows_of(listed.out) == [backup.to_dict() for backup in project.backups]
    assert json.loads(run("list --output json").out) == rows_of(listed.out)
    project.play(Answer(body={"data": [row("b1", novel={"a": 1})]}))
    assert json.loads(run("list --output json").out)[0]["novel"] == {"a": 1}


def test_csv_has_no_cell_that_a_spreadsheet_would_run(project: FakePinecone, run: Run) -> None:
    evil = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\uff1d1"]
    names = [*evil, 'a,"b"\nc', "plain"]
    project.play(Answer(body={"data": [row(str(n), name=name) for n, name in enumerate(names)]}))
    rows = rows_of(run("list --output csv").out)
    assert [found["name"] for found in rows] == [*(f"'{name}" for name in evil), *names[-2:]]
    assert (rows[0]["description"], rows[0]["status"]) == ("", "Ready")


def table(backups: list[Backup], width: int | None) -> list[str]:
    return ["".join(cell.text for cell in line).rstrip() for line in backups_lines(backups, NOW, width)]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, None])
def test_a_table_of_any_width_cuts_nothing(width: int | None) -> None:
    """Region leaves first, then records, then name; what still does not fit goes to a second line of each row."""
    gone = [title for title, least in (("Name", 80), ("Records", 100), ("Region", 120)) if (width or 999) < least]
    height = 2 if width == 40 else 1
    backups = [backup for backup in sample_backups(40, now=NOW) if backup.status != "InitializationFailed"]
    lines = table(backups, width)
    assert max(map(len, lines)) <= (width or 999)
    last = " ".join(lines[height * (1 + len(backups)) :])
    assert last.startswith("39 backups of 6 indexes, ")
    titles = ["Id", "Index", "Name", "Status", "Age", "Size", "Records", "Region"]
    assert " ".join(lines[:height]).split() == [title for title in titles if title not in gone]
    assert last.endswith(f"(--wide shows {', '.join(gone).lower()})" if gone else "GB")
    for number, backup in enumerate(backups, 1):
        found = " ".join(lines[number * height : (number + 1) * height]).split()
        name = [] if "Name" in gone else [backup.name]
        facts = [backup.backup_id[: 8 if width else None], backup.source_index_name, *name, backup.status]
        assert found[: len(facts)] == facts


def test_names_stay_whole_and_short_ids_differ() -> None:
    """An age is told in its largest unit."""
    long = attrs.evolve(sample_backups(1, now=NOW)[0], source_index_name="x" * 45)
    assert any(line.endswith("x" * 45) for line in table([long], 40))
    short = {"abcdefghij": "abcdefghi", "abcdefghzz": "abcdefghz", "0": "0", "abcdefgh": "abcdefgh"}
    assert short_ids(list(short)) == short
    ages = {-5: "0s", 0: "0s", 119: "119s", 120: "2m", 7200: "2h", 172_799: "47h", 172_800: "2d"}
    assert {seconds: age(NOW - dt.timedelta(seconds=seconds), NOW) for seconds in ages} == ages
    assert age(None, NOW) == "-"


def of_age(backup: Backup, least: int, most: int = 999) -> bool:
    assert backup.created_at is not None
    return dt.timedelta(least) < dt.datetime.now(dt.UTC) - backup.created_at < dt.timedelta(most)


FILTERS: dict[str, Callable[[Backup], bool]] = {
    "--index products --index images": lambda backup: backup.source_index_name in {"products", "images"},
    "--status ready": lambda backup: backup.status == "Ready", "--newer-than 2d": lambda backup: of_age(backup, 0, 2),
    "--newer-than 9d": lambda backup: of_age(backup, 0, 9), "--older-than 9d": lambda backup: of_age(backup, 9),
    "--tag team=search --tag environment=production": lambda backup: (backup.tags or {}).get("team") == "search",
    "": lambda _: True,
}  # fmt: skip


@pytest.mark.parametrize("line", FILTERS)
@pytest.mark.parametrize("most", [0, 7, 150])
def test_filters_and_how_many(project: FakePinecone, run: Run, line: str, most: int) -> None:
    wanted = [backup.backup_id for backup in project.backups if FILTERS[line](backup)]
    assert (len(wanted) > 9, len(wanted) < 250) == (True, bool(line))
    assert ids(run(f"list --max-items {most} {line}").out) == wanted[:most]


@pytest.mark.parametrize("line", ["--newer-than 2w", "--older-than 2w", "--tag team=search --tag environment="])
def test_what_matches_nothing_is_told(project: FakePinecone, run: Run, line: str) -> None:
    """A backup without a time is of no age."""
    project.play(Answer(body={"data": [row("no-time", tags={"team": "search", "environment": "production"})]}))
    none = run(f"list {line}")
    assert (none.code, none.out, none.err) == (0, "", "pinecone-backups: none of 1 backups matches\n")


ORDERS: dict[str, Callable[[Backup], Any]] = {
    "age": lambda backup: -(backup.created_at or NOW).timestamp(), "size": lambda backup: -(backup.size_bytes or 0),
    "index": lambda backup: backup.source_index_name, "name": lambda backup: backup.name,
    "status": lambda backup: backup.status,
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_a_sorted_listing_is_cut_last(project: FakePinecone, run: Run, order: str) -> None:
    wanted = [backup.backup_id for backup in sorted(project.backups, key=ORDERS[order])]
    assert ids(run(f"list --sort {order} -o csv").out) == wanted
    assert ids(run(f"list --sort {order} --max-items 3 -o jsonl").out) == wanted[:3]


@pytest.mark.parametrize(("output", "kept"), [("jsonl", 100), ("csv", 101), ("json", 0), ("table", 0)])
def test_a_failed_listing_says_where_to_resume(project: FakePinecone, run: Run, output: str, kept: int) -> None:
    """What was written stays, and the rest can be appended to it."""
    down = Answer.error(404, "NOT_FOUND", "Gone \x1b[31mred.")
    project.play(None, down)
    failed = run(f"list --output {output}")
    assert (failed.code, len(failed.out.splitlines())) == (1, kept)
    assert re.fullmatch(r"pinecone-backups: NotFoundError: \[fake-.*Gone \\x1b\[31mred\..*\n", failed.err)
    assert project.api_key not in failed.err
    token = failed.err.partition("--pagination-token=")[2].rstrip(")\n").strip("'")
    rest = run(f"list --pagination-token {token} -o {'csv' if output == 'csv' else 'jsonl'}").out
    assert ids(failed.out + rest if kept else rest) == [
        backup.backup_id for backup in project.backups[0 if kept else 100 :]
    ]
    project.play(down)
    assert "resume" not in run("list").err  # the first page has no token
    refused = run("list --pagination-token nonsense")
    assert (refused.code, "--pagination-token=" in refused.err) == (1, False)
    assert "the token was refused: list from the beginning" in refused.err


@pytest.mark.parametrize("line", [
    "list -o json", "list -o jsonl", "list -o csv", "check --max-age 26h -o json", "check --max-age 26h -o prometheus",
])  # fmt: skip
def test_data_is_utf_8(project: FakePinecone, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """With its own line ends, whatever the platform and the locale say of text."""
    project.add(attrs.evolve(project.backups[0], backup_id="new", source_index_name="日本", source_index_id="j"))
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\r\n")
    monkeypatch.setattr(sys, "stdout", stream)
    run_command(line.split())
    data = stream.buffer.getvalue()
    assert data.count(b"\n") > 1
    assert data.count(b"\r") == data.count(b"\r\n") == (data.count(b"\n") if line.endswith("csv") else 0)
    assert "日本" in (text := data.decode("utf-8")) or r"\u65e5\u672c" in text
