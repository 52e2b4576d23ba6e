"""`describe`, `create`, `delete`, `restore`, `restores` and `wait`, run in this process against a real local server."""

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
from pinecone_backups_async.testing import Answer, FakePinecone, sample_backups

from .conftest import Outcome, Run, replace_backups

SAMPLE = attrs.evolve(sample_backups(1)[0], source_index_name="idx", status="Ready")
READY, TWIN, BUSY = (attrs.evolve(SAMPLE, backup_id=f"aaaaaaaa-0000-4000-8000-00000000000{n}") for n in range(3))
NOW = dt.datetime.now(dt.UTC)
COPY: Any = {"backup_id": BUSY.backup_id, "target_index_name": "copy", "target_index_id": "i", "created_at": NOW}
JOB = RestoreJob(restore_job_id="bbbbbbbb-1", status="Pending", **COPY)
DONE = RestoreJob(restore_job_id="cccccccc-1", status="Completed", completed_at=NOW + dt.timedelta(0, 7), **COPY)


@pytest.fixture
def project(project: FakePinecone) -> FakePinecone:
    replace_backups(project, READY, TWIN, BUSY, JOB, DONE)
    return project


def value(outcome: Outcome) -> dict[str, object]:
    assert outcome.code == 0, outcome.err
    return dict(json.loads(outcome.out))


def sent(project: FakePinecone, method: str) -> int:
    return sum(request.method == method for request in project.requests)


def test_describe_takes_an_id_or_its_beginning(project: FakePinecone, run: Run) -> None:
    project.add(only := attrs.evolve(READY, backup_id="only-one-more"))
    assert value(run("describe", READY.backup_id)) == READY.to_dict()
    assert value(run("describe", "only-one")) == value(run("describe", "only-one-more")) == only.to_dict()
    table = run("describe", READY.backup_id, "-o", "table").out  # for a person: what is known
    assert re.search(rf"^backup_id +{READY.backup_id}$", table, re.MULTILINE)
    assert "None" not in table


@pytest.mark.parametrize(("line", "code", "complaint", "settings"), [
    ("describe aaaaaaaa", 2, f"3 ids begin with aaaaaaaa: {READY.backup_id}, {TWIN.backup_id}, ", {}),
    ("describe aaaaaaa", 1, "NotFoundError", {}), ("describe zzzzzzzz", 1, "NotFoundError", {}),
    ("describe ..", 2, "ID must", {}), ("describe", 2, "ID is missing or has no value", {}),
    ("create idx --once", 2, "--once needs --name", {}), ("create nope", 1, "NotFoundError", {}),
    ("create idx", 1, "ForbiddenError: .*Increase your quota", {"max_backups": 3}),
    ("create idx", 1, "PaymentRequiredError", {"payment_required": True}),
    ("create idx --wait", 1, "WaitFailedError", {"backup_outcome": "Failed"}),
    ("create idx --wait --timeout 1s", 4, "WaitTimeoutError: .*it may still happen", {"looks_until_ready": 99}),
    (f"restore {READY.backup_id} --name idx", 1, "ConflictError", {}),
    (f"restore {READY.backup_id} --name No_Name", 2, "--name must", {}),
    (f"restore {READY.backup_id}", 2, "--name is missing or has no value", {}),
    ("restore aaaaaaaa --name new", 1, "NotFoundError", {}), (f"delete {READY.backup_id}", 2, "delete needs --yes", {}),
    ("delete aaaaaaaa --yes --missing-ok", 2, "is the beginning of an id", {}),
    (f"delete {READY.backup_id[:-1]} --yes", 2, "is the beginning of an id", {}),
    ("wait bbbbbbbb --timeout 1s", 4, "WaitTimeoutError", {}),
    # A whole id that nobody knows may be that of a backup which is not listed yet.
    ("wait aaaaaaaa-0000-4000-8000-999999999999 --timeout 1s", 4, "WaitTimeoutError", {}),
    ("wait zzzzzzzz", 1, "NotFoundError", {}), ("wait z", 1, "NotFoundError", {}),
])  # fmt: skip
def test_a_failure_has_its_code(
    project: FakePinecone, run: Run, line: str, code: int, complaint: str, settings: dict[str, object]
) -> None:
    """And prints no data; the beginning of an id is never guessed, nor taken for something to delete."""
    for name, setting in settings.items():
        setattr(project, name, setting)
    outcome = run(*line.split())
    assert (outcome.code, outcome.out, sent(project, "DELETE")) == (code, "", 0)
    assert re.search(complaint, outcome.err)


def test_create_makes_one_backup_and_once_finds_it(project: FakePinecone, run: Run) -> None:
    words = ["create", "idx", "--name", "nightly", "--once"]
    first = value(run(*words, "--description", "why"))
    assert (first["name"], first["description"], first["status"]) == ("nightly", "why", "Initializing")
    assert value(run(*words, "--wait"))["backup_id"] == first["backup_id"]
    assert value(run("create", "idx", "--name", "nightly"))["backup_id"] != first["backup_id"]
    assert sent(project, "POST") == 2


@pytest.mark.parametrize(("line", "id_", "status", "told"), [
    ("create idx --wait", "backup_id", "Ready", "backup {} of idx is Initializing"),
    (f"restore {READY.backup_id} --name x --wait", "restore_job_id", "Completed", "restore job {} creates the index x"),
])  # fmt: skip
def test_a_wait_tells_the_id_first(
    project: FakePinecone, run: Run, line: str, id_: str, status: str, told: str
) -> None:
    made = value(outcome := run(*line.split()))
    assert (made["status"], outcome.err) == (status, f"pinecone-backups: {told.format(made[id_])}\n")


def test_an_unknown_outcome_is_5(project: FakePinecone, run: Run) -> None:
    project.play(Answer.lost(503))
    outcome = run("create", "idx", "--name", "lost")
    assert (outcome.code, outcome.out, sent(project, "POST")) == (5, "", 1)
    assert "look with list or restores before you repeat it" in outcome.err
    assert [backup.name for backup in project.backups].count("lost") == 1


@pytest.mark.parametrize(("words", "code", "deleted"), [
    ([READY.backup_id, TWIN.backup_id], 0, {READY, TWIN}), ([READY.backup_id, READY.backup_id], 0, {READY}),
    (["absent", READY.backup_id], 1, {READY}), (["absent", READY.backup_id, "--missing-ok"], 0, {READY}),
    ([BUSY.backup_id, READY.backup_id], 1, {READY}),
])  # fmt: skip
def test_delete_goes_on_after_a_refusal(
    project: FakePinecone, run: Run, words: list[str], code: int, deleted: set[Backup]
) -> None:
    outcome = run("delete", *words, "--yes")
    assert (outcome.code, set(project.backups)) == (code, {READY, TWIN, BUSY} - deleted)
    assert {f"deleted {backup.backup_id}" for backup in deleted} <= set(outcome.out.splitlines())


def test_a_refused_key_stops_delete(project: FakePinecone, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINECONE_API_KEY", "another")
    outcome = run("delete", READY.backup_id, TWIN.backup_id, "--yes")
    assert (outcome.code, sent(project, "DELETE")) == (1, 1)
    assert re.search(r"UnauthorizedError.*\(the key came from PINECONE_API_KEY\)", outcome.err, re.DOTALL)


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 2), ("\n", 2, 3), ("n\n", 2, 3)])
def test_delete_shows_and_asks(project: FakePinecone, terminal: Run, answer: str, code: int, left: int) -> None:
    shown = terminal("delete", READY.backup_id, answer=answer)
    assert (shown.code, len(project.backups)) == (code, left)
    assert re.search(rf"{READY.backup_id} +idx .*\r\nDelete this backup\? \[y/N\] ", shown.out)


def test_delete_on_a_terminal_stops_at_what_is_absent(project: FakePinecone, terminal: Run) -> None:
    assert terminal("delete", "absent", READY.backup_id).code == 1
    shown = terminal("delete", "absent", READY.backup_id, "--missing-ok", answer="yes\n")
    assert (shown.code, set(project.backups)) == (0, {TWIN, BUSY})


def test_restore_and_what_became_of_it(project: FakePinecone, run: Run) -> None:
    receipt = value(run("restore", READY.backup_id, "--name", "one"))
    job = value(run("wait", str(receipt["restore_job_id"])))
    assert (job["status"], job["target_index_name"]) == ("Completed", "one")


def test_restore_shows_a_person_the_backup(project: FakePinecone, terminal: Run) -> None:
    shown = terminal("restore", READY.backup_id, "--name", "seen", "--wait")
    assert re.search(rf"{READY.backup_id} +idx .*Ready", shown.out)
    assert (shown.code, "Completed" in shown.out) == (0, True)


def test_restores_lists_jobs(project: FakePinecone, run: Run) -> None:
    found = [json.loads(line) for line in run("restores").out.splitlines()]
    assert sorted(found, key=lambda row: str(row["status"])) == [DONE.to_dict(), JOB.to_dict()]
    assert len(json.loads(run("restores", "-o", "json", "--max-items", "1").out)) == 1
    table = run("restores", "-o", "table").out
    assert re.search(rf"^cccccccc-1  copy +Completed +\d+[sm] +7s +{BUSY.backup_id}\n", table, re.MULTILINE)
    assert table.endswith("2 restore jobs\n")


@pytest.mark.parametrize(("line", "status"), [
    (f"wait {READY.backup_id}", "Ready"), ("wait cccccccc-1", "Completed"), ("wait cccccccc", "Completed"),
    ("create products --wait --demo", "Ready"),
])  # fmt: skip
def test_wait_takes_a_backup_or_a_job(project: FakePinecone, run: Run, line: str, status: str) -> None:
    assert value(run(*line.split()))["status"] == status


async def test_a_wait_tells_how_long_it_has_lasted(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("", spinner=True) as shown:
        async with ticking(shown, "Waiting", minute=0.01):
            await asyncio.sleep(0.05)
    first, *others = capsys.readouterr().err.splitlines()
    assert set(others) == {first} == {"pinecone-backups: Waiting, 0 s"}


def test_a_duration_in_words() -> None:
    told = {0.9: "0 s", 61: "1 min 1 s", 3600: "1 h 0 min", 7379: "2 h 2 min"}
    assert {seconds: duration_text(seconds) for seconds in told} == told
