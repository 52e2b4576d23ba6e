"""`pinecone-backups check`, run in this process: reports and the exit codes of a monitoring plugin."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest

from pinecone_backups_async import Backup
from pinecone_backups_async.testing import Answer, FakePinecone

from .conftest import Outcome, Run


def backup(name: str, hours: float, status: str = "Ready", **facts: Any) -> Backup:
    created = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    fields: dict[str, Any] = {
        "backup_id": f"{name}-{hours}-{status}",
        "source_index_name": name,
        "source_index_id": f"id-{name}",
        "status": status,
        "cloud": "aws",
        "region": "r",
        "created_at": created,
    }
    fields.update(facts)
    return Backup(**fields)


def checked(project: FakePinecone, run: Run, backups: list[Backup], *words: str) -> Outcome:
    for old in project.backups:
        project.delete(old.backup_id)
    project.add(*backups)
    return run("check", "--max-age", "26h", *words)


FRESH, OLD = backup("fresh", 3, size_bytes=5), backup("old", 50)
FAILED = [backup("broken", 50), backup("broken", 2, "Failed")]


@pytest.mark.parametrize(
    ("backups", "words", "code", "told"),
    [
        ([FRESH], [], 0, "BACKUPS OK - 1 healthy | healthy=1 stale=0 failing=0 missing=0 oldest_ready=108"),
        ([FRESH, OLD], [], 1, "BACKUPS WARNING - 1 healthy, 1 stale |"),
        ([FRESH, *FAILED], [], 2, "BACKUPS CRITICAL - 1 healthy, 1 failing |"),
        ([], [], 2, "BACKUPS CRITICAL - no index has a backup |"),
        ([FRESH, OLD], ["--index", "fresh"], 0, "BACKUPS OK - 1 healthy |"),
        ([FRESH], ["--index", "fresh", "--index", "absent"], 2, "BACKUPS CRITICAL - 1 healthy, 1 missing |"),
    ],
)
def test_exit_codes_and_the_line_that_monitoring_reads(
    project: FakePinecone, run: Run, backups: list[Backup], words: list[str], code: int, told: str
) -> None:
    outcome = checked(project, run, backups, *words)
    assert (outcome.code, outcome.err) == (code, "")
    first = outcome.out.splitlines()[0]
    assert first.startswith(told)
    assert re.fullmatch(r"BACKUPS [A-Z]+ - [^|]+ \|( \w+=\d+(s;93600)?)+", first)


def test_the_table_tells_each_index_with_its_remarks(project: FakePinecone, run: Run) -> None:
    recreated = [backup("again", 100, source_index_id="old-id"), backup("again", 1)]
    troubled = [backup("wobbly", 5), backup("wobbly", 1, "Failed"), backup("wobbly", 30, "Pending")]
    out = checked(
        project, run, [*recreated, *troubled, FRESH], "--index", "again", "--index", "wobbly", "--index", "no\x1b"
    ).out
    body = [line for line in out.splitlines()[4:] if line.strip()]
    rows = {line.split()[0]: line for line in body}
    assert "1 failed, the newest failed, 1 stuck" in rows["wobbly"]
    assert "healthy" in rows["wobbly"]
    assert "gone" in rows["again"]
    assert "expected, but has no backup" in rows["no\\x1b"]
    assert "fresh" not in rows


def test_json_and_prometheus_are_data_alone_on_stdout(project: FakePinecone, run: Run) -> None:
    evil = backup('q"\\\n', 1, record_count=7)
    gone = backup("gone", 1, source_index_deleted_at=dt.datetime.now(dt.UTC))
    unknown = backup("timeless", 1, created_at=None)
    as_json = checked(project, run, [FRESH, evil, gone, unknown], "--output", "json")
    facts = json.loads(as_json.out)
    assert as_json.err.startswith("BACKUPS WARNING - ")
    assert (facts["state"], facts["max_age_seconds"]) == ("stale", 93600)
    by_name = {index["source_index_name"]: index for index in facts["indexes"]}
    assert by_name["fresh"]["newest_ready"]["size_bytes"] == 5
    assert 10800 <= by_name["fresh"]["age_seconds"] < 11000
    assert (by_name["gone"]["gone"], by_name["timeless"]["age_seconds"]) == (True, None)

    metrics = checked(project, run, [FRESH, evil, gone, unknown], "--output", "prometheus").out.splitlines()
    assert 'pinecone_backups_records{index="q\\"\\\\\\n",index_id="id-q\\"\\\\\\n"} 7' in metrics
    assert 'pinecone_backups_state{index="timeless",index_id="id-timeless",state="stale"} 1' in metrics
    assert not [line for line in metrics if "gone" in line]
    assert not [line for line in metrics if line.startswith("pinecone_backups_age_seconds") and "timeless" in line]
    assert all(re.fullmatch(r"(# (HELP|TYPE) .+)|(pinecone_backups_\w+(\{.+\})? [\d.]+)", line) for line in metrics)


@pytest.mark.parametrize("output", ["table", "json", "prometheus"])
def test_an_unreachable_api_is_critical_and_never_healthy(project: FakePinecone, run: Run, output: str) -> None:
    project.play(Answer.error(404, "NOT_FOUND", "Nothing here."))
    outcome = run("check", "--max-age", "26h", "--output", output)
    assert outcome.code == 2
    assert "NotFoundError" in outcome.err
    assert outcome.out.startswith("BACKUPS CRITICAL - the inventory failed:") == (output == "table")
    assert outcome.out == "" or output == "table"


def test_an_inventory_that_cannot_be_proven_is_critical(project: FakePinecone, run: Run) -> None:
    def churn(_: object) -> None:
        project.delete(project.backups[0].backup_id)

    project.before_answer = churn
    outcome = run("check", "--max-age", "26h")
    assert (outcome.code, "IncompleteListingError" in outcome.err) == (2, True)


@pytest.mark.parametrize(
    "words", [[], ["--max-age", "0h"], ["--max-age", "soon"], ["--max-age", "26h", "--output", "csv"]]
)
def test_wrong_use_is_3(project: FakePinecone, run: Run, words: list[str]) -> None:
    outcome = run("check", *words)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("pinecone-backups: ")


def test_a_missing_key_is_3_and_the_demo_needs_none(run: Run) -> None:
    assert run("check", "--max-age", "26h").code == 3
    assert run("check", "--max-age", "26h", "--demo").out.startswith("BACKUPS ")
