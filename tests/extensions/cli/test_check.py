"""`pinecone-backups check`, run in this process: reports and the exit codes of a monitoring plugin."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re

import attrs
import pytest

from pinecone_backups_async import Backup, TransportTimeoutError
from pinecone_backups_async.cli._connection import within
from pinecone_backups_async.cli._report import report_lines
from pinecone_backups_async.coverage import assess
from pinecone_backups_async.testing import Answer, FakePinecone

from ...support import backups
from .conftest import Outcome, Run, replace_backups

NOW = dt.datetime.now(dt.UTC)
backup = functools.partial(backups.backup, now=NOW)


def checked(project: FakePinecone, run: Run, backups: list[Backup], line: str = "") -> Outcome:
    replace_backups(project, *backups)
    return run(f"check --max-age 26h {line}")


def trouble(name: str) -> list[Backup]:
    return [backup(5, index=name), backup(1, "Failed", index=name), backup(30, "Pending", index=name)]


FRESH, OLD = backup(3, index="fresh", size_bytes=5), backup(50, index="old")
FAILED = [backup(50, index="broken"), backup(2, "Failed", index="broken")]
HIDDEN = [backup(1, "Failed", index="idx"), backup(5, index="idx")]
GONE = backup(1, index="gone", source_index_deleted_at=NOW)


@pytest.mark.parametrize(("rows", "line", "code", "told"), [
    ([FRESH], "", 0, "OK - 1 healthy | healthy=1 stale=0 failing=0 missing=0 oldest_ready=1"),
    ([FRESH, OLD], "", 1, "WARNING - 1 healthy, 1 stale (old) |"),
    ([FRESH, OLD], "--index fresh", 0, "OK - 1 healthy |"),
    ([FRESH, *FAILED], "", 2, "CRITICAL - 1 healthy, 1 failing (broken) |"),
    ([], "", 2, "CRITICAL - no index has a backup |"), ([GONE], "", 2, "CRITICAL - no index is left to judge |"),
    ([FRESH, OLD], "--index fresh --expect absent", 2, "CRITICAL - 1 healthy, 1 missing (absent) |"),
    ([OLD], "--expect a=1|b=2;3;4 --expect c|\x1b", 2, "CRITICAL - 1 stale (old), 2 missing (a=1/b=2;3;4, c/\\x1b) |"),
    (HIDDEN, "", 0, "OK - 1 healthy, the newest backup failed (idx) |"),
    ([backup(50, index=f"i{n}") for n in range(7)], "", 1, "WARNING - 7 stale (i0, i1, i2, i3, i4 and 2 more) |"),
])  # fmt: skip
def test_plugin_line(project: FakePinecone, run: Run, rows: list[Backup], line: str, code: int, told: str) -> None:
    """Monitoring reads it, and the exit code. What follows a bar, in any line, is taken for performance data."""
    outcome = checked(project, run, rows, line)
    first, *others = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (code, "")
    assert first.startswith(f"BACKUPS {told}")
    assert re.fullmatch(r"BACKUPS [A-Z]+ - [^|]+ \|( \w+=\d+(s;93600)?)+", first)
    assert not [line for line in others if "|" in line]


def test_the_table_tells_each_index_with_its_remarks(project: FakePinecone, run: Run) -> None:
    recreated = [backup(100, index="again", index_id="old"), backup(1, index="again")]
    rows = [*recreated, *trouble("wobbly"), FRESH]
    out = checked(project, run, rows, "--index again --index wobbly --index no\x1b").out
    rows_by_name = {line.split()[0]: line for line in out.splitlines()[2:] if line.strip()}
    assert re.search("healthy .* 1 failed, the newest failed, 1 stuck", rows_by_name["wobbly"])
    assert ("gone" in rows_by_name["again"], "fresh" in rows_by_name) == (True, False)
    assert "expected, but has no backup" in rows_by_name["no\\x1b"]


def test_json_and_prometheus_are_data_alone_on_stdout(project: FakePinecone, run: Run) -> None:
    evil, unknown = backup(1, index='q"\\\n', record_count=7), backup(None, index="timeless")
    rows = [FRESH, evil, GONE, *HIDDEN, unknown]
    as_json = checked(project, run, rows, "--output json")
    facts = json.loads(as_json.out)
    assert as_json.err.startswith("BACKUPS WARNING - ")
    assert (facts["state"], facts["max_age_seconds"]) == ("stale", 93600)
    by_name = {index["source_index_name"]: index for index in facts["indexes"]}
    assert by_name["fresh"]["newest_ready"]["size_bytes"] == 5
    assert 10800 <= by_name["fresh"]["age_seconds"] < 14400
    assert (by_name["gone"]["gone"], by_name["timeless"]["age_seconds"]) == (True, None)

    metrics = checked(project, run, rows, "--output prometheus").out.splitlines()
    assert {
        'pinecone_backups_records{index="q\\"\\\\\\n",index_id="1"} 7',
        'pinecone_backups_state{index="timeless",index_id="1",state="stale"} 1',
        'pinecone_backups_failed_since_ready{index="idx",index_id="1"} 1',
        'pinecone_backups_failed_since_ready{index="fresh",index_id="1"} 0',
    } < set(metrics)
    assert not [line for line in metrics if re.search("gone|age_seconds.*timeless", line)]
    assert all(re.fullmatch(r"(# (HELP|TYPE) .+)|(pinecone_backups_\w+(\{.+\})? [\d.]+)", line) for line in metrics)


@pytest.mark.parametrize("output", ["table", "json", "prometheus"])
def test_a_failed_inventory_is_critical(project: FakePinecone, run: Run, output: str) -> None:
    """One complaint, once: on stdout for whoever monitors, on stderr where stdout is data."""
    project.play(Answer.error(404, "NOT_FOUND", "gone | healthy=99\nOK"))
    outcome = run(f"check --max-age 26h --output {output}")
    told = "BACKUPS CRITICAL - the check failed: NotFoundError: [fake-1] 404 NOT_FOUND: gone / healthy=99\\nOK\n"
    assert (outcome.code, outcome.out, outcome.err) == (2, *((told, "") if output == "table" else ("", told)))


def test_what_cannot_be_known_is_critical(project: FakePinecone, run: Run) -> None:
    """The inventory cannot be proven, or does not end in time."""

    def churn(_: object) -> None:
        project.delete(project.backups[0].backup_id)

    project.before_answer = churn
    unproven = run("check --max-age 26h")
    assert (unproven.code, "IncompleteListingError" in unproven.out) == (2, True)
    project.before_answer, project.delay = None, 30
    late = run("check --max-age 26h --timeout 1s")
    told = "the check failed: TransportTimeoutError: the check did not end within 0:00:01 (--timeout)"
    assert (late.code, late.out) == (2, f"BACKUPS CRITICAL - {told}\n")


async def test_a_timeout_of_the_client_stays_its_own() -> None:
    with pytest.raises(TransportTimeoutError, match="^own$"):
        async with within(dt.timedelta(hours=1), "the check"):
            raise TransportTimeoutError("own")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, None])
def test_a_table_of_any_width_cuts_nothing(width: int | None) -> None:
    """The bar leaves first, then the size, then the number of backups."""
    titles = [title for title, least in (("of 26h", 120), ("Backups", 80), ("Size", 100)) if (width or 999) >= least]
    report = assess([FRESH, OLD, *FAILED, *trouble("recommends")], max_age=dt.timedelta(hours=26))
    lines = ["".join(cell.text for cell in line) for line in report_lines(report, width)]
    assert max(map(len, lines)) <= (width or 999)
    found = re.findall(r"[A-Z]\w+(?: Ready)?|of 26h", " ".join(lines[: 1 if "Remarks" in lines[0] else 2]))
    assert found == ["Index", "State", "Newest Ready", *titles, "Remarks"]
    assert {"recommends", "healthy", "stale", "failing", "2d", "stuck"} <= set(" ".join(lines).split())


def test_indexes_that_can_be_backed_up_are_expected(project: FakePinecone, run: Run) -> None:
    index = project.indexes["products"]
    for name, status, spec in (
        ("growing", {"ready": True, "state": "ScalingUp"}, index.spec),
        ("starting", {"ready": False, "state": "Initializing"}, index.spec),
        ("stateless", {}, index.spec),
        ("leg|acy", index.status, {"pod": {"environment": "us-west1-gcp"}}),
    ):
        project.indexes[name] = attrs.evolve(index, name=name, status=status, spec=spec)
    outcome = run("check --max-age 90d --all-indexes")
    first, *_, last = outcome.out.splitlines()
    assert (outcome.code, first.split(", the")[0]) == (2, "BACKUPS CRITICAL - 6 healthy, 1 missing (growing)")
    assert last == "Not judged: starting (Initializing); stateless (no state); leg/acy (cannot be backed up)"
    facts = json.loads(run("check --max-age 90d --all-indexes -o json").out)
    assert facts["not_judged"].keys() == {"starting", "stateless", "leg|acy"}
