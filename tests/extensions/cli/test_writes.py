"""`describe`, `create`, `delete`, `restore`, `restores`, `wait` and `prune`, run in this process."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from typing import Any

import attrs
import pytest

from pinecone_backups_async import Backup, RestoreJob
from pinecone_backups_async.cli._progress import Progress, duration_text, ticking
from pinecone_backups_async.cli._prune import PruneOptions
from pinecone_backups_async.retention import RetentionPolicy
from pinecone_backups_async.testing import Answer, FakePinecone, sample_backups

from ...support.backups import backup, hours
from .conftest import Outcome, Run, replace_backups

NOW = dt.datetime.now(dt.UTC)
SAMPLE = attrs.evolve(sample_backups(1)[0], source_index_name="idx", status="Ready")
READY, TWIN, BUSY = (attrs.evolve(SAMPLE, backup_id=f"aaaaaaaa-0000-4000-8000-00000000000{n}") for n in range(3))
ID, TWIN_ID = READY.backup_id, TWIN.backup_id
COPY: Any = {"backup_id": BUSY.backup_id, "target_index_name": "copy", "target_index_id": "i", "created_at": NOW}
JOB = RestoreJob(restore_job_id="bbbbbbbb-1", status="Pending", **COPY)
DONE = RestoreJob(restore_job_id="cccccccc-1", status="Completed", completed_at=NOW + dt.timedelta(0, 7), **COPY)


@pytest.fixture
def project(project: FakePinecone) -> FakePinecone:
    replace_backups(project, READY, TWIN, BUSY, JOB, DONE)
    return project


def value(outcome: Outcome) -> dict[str, Any]:
    assert outcome.code == 0, outcome.err
    return dict(json.loads(outcome.out))


def sent(project: FakePinecone, method: str) -> int:
    return sum(request.method == method for request in project.requests)


def test_describe_takes_an_id_or_its_beginning(project: FakePinecone, run: Run) -> None:
    project.add(only := attrs.evolve(READY, backup_id="only-one-more"))
    assert value(run(f"describe {ID}")) == READY.to_dict()
    assert value(run("describe only-one")) == value(run("describe only-one-more")) == only.to_dict()
    table = run(f"describe {ID} -o table").out  # for a person: what is known
    assert re.search(rf"^backup_id +{ID}$", table, re.MULTILINE)
    assert "None" not in table


@pytest.mark.parametrize(("line", "code", "told", "state"), [
    ("describe aaaaaaaa", 2, f"3 ids begin with aaaaaaaa: {ID}, {TWIN_ID}, ", {}),
    ("describe aaaaaaa", 1, "NotFoundError", {}), ("describe zzzzzzzz", 1, "NotFoundError", {}),
    ("create idx", 1, "ForbiddenError: .*Increase your quota", {"max_backups": 3}),
    ("create idx --wait", 1, "WaitFailedError", {"backup_outcome": "Failed"}),
    ("create idx --wait --timeout 1s", 4, "WaitTimeoutError: .*it may still happen", {"looks_until_ready": 99}),
    (f"restore {ID} --name idx", 1, "ConflictError", {}), ("restore aaaaaaaa --name new", 1, "NotFoundError", {}),
    # A whole id that nobody knows may be that of a backup which is not listed yet.
    ("wait aaaaaaaa-0000-4000-8000-999999999999 --timeout 1s", 4, "WaitTimeoutError", {}),
    ("wait zzzzzzzz", 1, "NotFoundError", {}), ("wait z", 1, "NotFoundError", {}),
    (f"delete {ID} {TWIN_ID} --yes", 1, r"UnauthorizedError.*\(the key came from PINECONE_API_KEY\)", {"api_key": ""}),
    ("prune --keep-last 1 --yes --max-deletes 1", 2, "--max-deletes is 1, but the policy deletes 2 backups", {}),
])  # fmt: skip
def test_failures(project: FakePinecone, run: Run, line: str, code: int, told: str, state: dict[str, object]) -> None:
    """Each has its code and prints no data; the beginning of an id is never guessed. A refused key stops `delete`."""
    for name, setting in state.items():
        setattr(project, name, setting)
    outcome = run(line)
    assert (outcome.code, outcome.out, sent(project, "DELETE")) == (code, "", line.startswith("delete"))
    assert re.search(told, outcome.err, re.DOTALL)


def test_create_makes_one_backup_and_once_finds_it(project: FakePinecone, run: Run) -> None:
    once = "create idx --name nightly --once"
    first = value(run(f"{once} --description why"))
    assert (first["name"], first["description"], first["status"]) == ("nightly", "why", "Initializing")
    assert value(run(f"{once} --wait"))["backup_id"] == first["backup_id"]
    assert value(run("create idx --name nightly"))["backup_id"] != first["backup_id"]
    assert sent(project, "POST") == 2


@pytest.mark.parametrize(("line", "status", "told"), [
    (f"wait {ID}", "Ready", ""), ("wait cccccccc-1", "Completed", ""), ("wait cccccccc", "Completed", ""),
    ("create idx --wait", "Ready", "backup {backup_id} of idx is Initializing"),
    ("create products --wait --demo", "Ready", "backup {backup_id} of products is Initializing"),
    (f"restore {ID} --name x --wait", "Completed", "restore job {restore_job_id} creates the index x"),
])  # fmt: skip
def test_a_wait_for_a_backup_or_a_job(project: FakePinecone, run: Run, line: str, status: str, told: str) -> None:
    """Of what it has begun itself the command tells the id first."""
    outcome = run(line)
    assert value(outcome)["status"] == status
    last = [f"pinecone-backups: {told.format(**value(outcome))}"] if told else []
    assert outcome.err.splitlines()[-1:] == last


def test_an_unknown_outcome_is_5(project: FakePinecone, run: Run) -> None:
    project.play(Answer.lost(503))
    outcome = run("create idx --name lost")
    assert (outcome.code, outcome.out, sent(project, "POST")) == (5, "", 1)
    assert "look with list or restores before you repeat it" in outcome.err


@pytest.mark.parametrize(("words", "code", "deleted"), [
    (f"{ID} {TWIN_ID}", 0, {READY, TWIN}), (f"{ID} {ID}", 0, {READY}), (f"absent {ID}", 1, {READY}),
    (f"absent {ID} --missing-ok", 0, {READY}), (f"{BUSY.backup_id} {ID}", 1, {READY}),
])  # fmt: skip
def test_delete_goes_on(project: FakePinecone, run: Run, words: str, code: int, deleted: set[Backup]) -> None:
    """After what is missing, and after a refusal."""
    outcome = run(f"delete --yes {words}")
    assert (outcome.code, set(project.backups)) == (code, {READY, TWIN, BUSY} - deleted)
    assert {f"deleted {backup.backup_id}" for backup in deleted} <= set(outcome.out.splitlines())


@pytest.mark.parametrize(("words", "answer", "code", "left"), [
    (ID, "y\n", 0, 2), (ID, "\n", 2, 3), (ID, "n\n", 2, 3), (f"absent {ID} --missing-ok", "yes\n", 0, 2),
])  # fmt: skip
def test_delete_asks(project: FakePinecone, terminal: Run, words: str, answer: str, code: int, left: int) -> None:
    """It shows what would go."""
    shown = terminal(f"delete {words}", answer=answer)
    assert (shown.code, len(project.backups)) == (code, left)
    assert re.search(rf"{ID} +idx .*\r\nDelete this backup\? \[y/N\] ", shown.out)
    assert terminal(f"delete absent {TWIN_ID}").code == 1  # without a question


def test_restore_shows_a_person_the_backup(project: FakePinecone, terminal: Run, run: Run) -> None:
    shown = terminal(f"restore {ID} --name seen --wait")
    assert re.search(rf"{ID} +idx .*Ready", shown.out)
    assert (shown.code, "Completed" in shown.out) == (0, True)
    assert value(run(f"restore {ID} --name one")).keys() == {"restore_job_id", "index_id"}


def test_restores_lists_jobs(project: FakePinecone, run: Run) -> None:
    found = [json.loads(line) for line in run("restores").out.splitlines()]
    assert sorted(found, key=lambda row: str(row["status"])) == [DONE.to_dict(), JOB.to_dict()]
    assert len(json.loads(run("restores -o json --max-items 1").out)) == 1
    table = run("restores -o table").out
    assert re.search(rf"^cccccccc-1  copy +Completed +\d+[sm] +7s +{BUSY.backup_id}\n", table, re.MULTILINE)
    assert table.endswith("2 restore jobs\n")


async def test_a_wait_tells_how_long_it_has_lasted(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("", spinner=True) as shown:
        async with ticking(shown, "Waiting", minute=0.01):
            await asyncio.sleep(0.05)
    first, *others = capsys.readouterr().err.splitlines()
    assert set(others) == {first} == {"pinecone-backups: Waiting, 0 s"}
    told = {0.9: "0 s", 61: "1 min 1 s", 3600: "1 h 0 min", 7379: "2 h 2 min"}
    assert {seconds: duration_text(seconds) for seconds in told} == told


ROWS = [backup(age, backup_id=f"id-{age}", name=f"n-{age}\x1b", now=NOW) for age in (3, 4, 5, 6)]


def test_prune_shows_what_would_go_and_deletes_it(project: FakePinecone, run: Run) -> None:
    replace_backups(project, *ROWS)
    done = run("prune --keep-last 2 --max-deletes 1")
    assert done.code == 0
    assert done.out.splitlines() == [
        "Id    Index  Name     Status  Age  Action  Reasons",
        "id-3  i      n-3\\x1b  Ready    3h  keep    newest Ready of its index, last 1 of 2",
        "id-4  i      n-4\\x1b  Ready    4h  keep    last 2 of 2",
        "id-5  i      n-5\\x1b  Ready    5h  delete  no rule keeps it",
        "id-6  i      n-6\\x1b  Ready    6h  delete  no rule keeps it",
        "2 would be deleted, 2 stay; that is more than --max-deletes 1. Nothing was deleted: --yes deletes.",
    ]
    assert {request.method for request in project.requests} == {"GET"}
    facts = value(run("prune --keep-last 2 --yes -o json"))
    assert (facts["dry_run"], facts["error"], project.backups) == (False, None, (ROWS[0], ROWS[1]))
    actions = [f"{each['action']} {each['backup_id']}" for each in facts["backups"]]
    assert actions == ["kept id-3", "kept id-4", "deleted id-5", "deleted id-6"]
    assert run("prune --keep-last 1 --yes").out.endswith("1 deleted, 0 failed, 1 stays\n")
    assert run("prune --keep-last 1 --index x").out.startswith("0 would be deleted, 0 stay. Nothing")


@pytest.mark.parametrize(("status", "after", "told"), [
    (412, ["kept", "deleted", "deleted", "failed"], "id-6 was not deleted: FailedPreconditionError: [fake-4] 412"),
    (401, ["kept", "kept", "kept", "failed"], "stopped by UnauthorizedError: [fake-4] 401"),
])  # fmt: skip
def test_a_failure_of_prune_is_1(project: FakePinecone, run: Run, status: int, after: list[str], told: str) -> None:
    replace_backups(project, *ROWS)
    project.play(None, None, None, Answer.error(status, "CODE", "in use"))
    done = run("prune --keep-last 1 --yes")
    assert (done.code, len(project.backups)) == (1, 4 - after.count("deleted"))
    assert [line.split()[5] for line in done.out.splitlines()[1:5]] == after
    assert f"[fake-4] {status} CODE: in use" in done.out
    assert ("not reached" in done.out) == (status == 401)
    assert f"pinecone-backups: {told}" in done.err


def test_options_of_prune_are_those_of_the_policy() -> None:
    rules: dict[str, Any] = {"last": 1, "hourly": 2, "daily": 3, "weekly": 4, "monthly": 5, "yearly": 6}
    counts: dict[str, Any] = {f"keep_{rule}": count for rule, count in rules.items()}
    options = PruneOptions(**counts, keep_within=hours(5), name=("a", "b"))
    assert options.policy() == RetentionPolicy(**rules, within=hours(5), names=["a", "b"])
    assert PruneOptions(keep_within=hours(5)).policy() == RetentionPolicy(within=hours(5))
