"""`pinecone-backups prune`, run in this process."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from pinecone_backups_async.cli._prune import PruneOptions
from pinecone_backups_async.retention import RetentionPolicy
from pinecone_backups_async.testing import Answer, FakePinecone

from ...support.backups import backup, hours
from .conftest import Run, replace_backups

NOW = dt.datetime.now(dt.UTC)
ROWS = [backup(age, backup_id=f"id-{age}", name=f"n-{age}\x1b", created_at=NOW - hours(age)) for age in (3, 4, 5, 6)]


@pytest.fixture
def few(project: FakePinecone) -> FakePinecone:
    replace_backups(project, *ROWS)
    return project


def test_it_shows_what_would_go_and_deletes_nothing(few: FakePinecone, run: Run) -> None:
    done = run("prune", "--keep-last", "2", "--max-deletes", "1")
    assert done.code == 0
    assert done.out.splitlines() == [
        "Id    Index  Name     Status  Age  Action  Reasons",
        "id-3  i      n-3\\x1b  Ready    3h  keep    newest Ready of its index, last 1 of 2",
        "id-4  i      n-4\\x1b  Ready    4h  keep    last 2 of 2",
        "id-5  i      n-5\\x1b  Ready    5h  delete  no rule keeps it",
        "id-6  i      n-6\\x1b  Ready    6h  delete  no rule keeps it",
        "2 would be deleted, 2 stay; that is more than --max-deletes 1. Nothing was deleted: --yes deletes.",
    ]
    assert {request.method for request in few.requests} == {"GET"}


def test_with_yes_it_deletes(few: FakePinecone, run: Run) -> None:
    done = run("prune", "--keep-last", "2", "--yes", "-o", "json")
    facts = json.loads(done.out)
    assert (done.code, facts["dry_run"], facts["error"], few.backups) == (0, False, None, (ROWS[0], ROWS[1]))
    assert [(each["backup_id"][-1], each["action"]) for each in facts["backups"]][1:3] == [
        ("4", "kept"),
        ("5", "deleted"),
    ]
    assert run("prune", "--keep-last", "1", "--yes").out.endswith("1 deleted, 0 failed, 1 stays\n")


@pytest.mark.parametrize(("status", "after", "told"), [
    (412, ["kept", "deleted", "deleted", "failed"], "id-6 was not deleted: FailedPreconditionError: [fake-4] 412"),
    (401, ["kept", "kept", "kept", "failed"], "stopped by UnauthorizedError: [fake-4] 401"),
])  # fmt: skip
def test_a_failure_exits_with_1(few: FakePinecone, run: Run, status: int, after: list[str], told: str) -> None:
    few.play(None, None, None, Answer.error(status, "CODE", "in use"))
    done = run("prune", "--keep-last", "1", "--yes")
    assert (done.code, len(few.backups)) == (1, 4 - after.count("deleted"))
    assert [line.split()[5] for line in done.out.splitlines()[1:5]] == after
    assert f"[fake-4] {status} CODE: in use" in done.out
    assert ("not reached" in done.out) == (status == 401)
    assert f"pinecone-backups: {told}" in done.err


@pytest.mark.parametrize(("line", "complaint"), [
    ("--yes", "nothing says what to keep: use --keep-last, --keep-hourly"),
    ("--keep-last 0", "nothing says what to keep"), ("--keep-last x", "must be an integer of at least 0"),
    ("--keep-last 1 --yes --max-deletes 2", "--max-deletes is 2, but the policy deletes 3 backups"),
    ("--keep-last 1 --max-deletes -1", "must be an integer of at least 0"),
])  # fmt: skip
def test_wrong_use_deletes_nothing(few: FakePinecone, run: Run, line: str, complaint: str) -> None:
    done = run("prune", *line.split())
    assert (done.code, len(few.backups), complaint in done.err) == (2, 4, True)


def test_options_are_those_of_the_policy() -> None:
    rules: dict[str, Any] = {"last": 1, "hourly": 2, "daily": 3, "weekly": 4, "monthly": 5, "yearly": 6}
    counts: dict[str, Any] = {f"keep_{rule}": count for rule, count in rules.items()}
    options = PruneOptions(**counts, keep_within=hours(5), name=("a", "b"))
    assert options.policy() == RetentionPolicy(**rules, within=hours(5), names=["a", "b"])
    assert PruneOptions(keep_within=hours(5)).policy() == RetentionPolicy(within=hours(5))


def test_an_empty_project(few: FakePinecone, run: Run) -> None:
    assert run("prune", "--keep-last", "1", "--index", "x").out.startswith("0 would be deleted, 0 stay. Nothing")
