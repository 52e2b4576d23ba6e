"""assess() and newest_ready(): what the backups of an index say about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pinecone_backups_async import Backup, ConfigurationError
from pinecone_backups_async.coverage import CoverageReport, IndexCoverage, State, assess, newest_ready

from ..support.backups import NOW, backup, hours

DAY = hours(26)


def report(*backups: Backup, **settings: Any) -> CoverageReport:
    arguments: dict[str, Any] = {"max_age": DAY, "now": NOW, **settings}
    return assess(backups, **arguments)


def only(*backups: Backup, **settings: Any) -> IndexCoverage:
    (index,) = report(*backups, **settings).indexes
    return index


# Each case is the backups of an index: the age in hours, and the status unless it is Ready.
CASES = {
    State.HEALTHY: "1 / 26 / -5 / -24 / 50, 3 / 3, 1 Failed / -48, 1 / -48, None, 1",  # -48 cannot be true: hides none
    State.STALE: "26.01 / -25 / None / 50, 60 Failed / 50, 1 Pending",
    State.FAILING: "50, 1 Failed / 50, 40 InitializationFailed / 50, 10 Pending / 1 Failed / 30 Initializing"
    " / -48, 1 Failed",
    State.MISSING: "1 Initializing / 30 SomethingNew",
}


@pytest.mark.parametrize(("state", "case"), [(state, case) for state in CASES for case in CASES[state].split(" / ")])
def test_state_of_an_index(state: State, case: str) -> None:
    parts = [text.partition(" ") for text in case.split(", ")]
    backups = [backup(None if age == "None" else float(age), status or "Ready") for age, _, status in parts]
    assert only(*backups).state is only(*reversed(backups)).state is report(*backups).state is state


def test_fields_of_an_index() -> None:
    ready, older = backup(3, size_bytes=5, record_count=2), backup(30, size_bytes=7, record_count=None)
    failed, stuck = backup(1, "Failed"), backup(40, "Initializing")
    index = only(older, failed, ready, stuck, ready)
    assert (index.newest_ready, index.age, index.failed, index.stuck) == (ready, hours(3), (failed,), (stuck,))
    assert (index.backups, index.size_bytes, index.record_count, index.failed_since_ready) == (4, 12, 2, True)
    assert not only(ready, backup(5, "Failed")).failed_since_ready
    assert not only(backup(50), backup(10, "Pending")).failed_since_ready
    assert only(backup(2, "Pending"), stuck_after=hours(1)).stuck
    assert [only(backup(age)).age for age in (-5, -24 * 3650, None)] == [hours(0), None, None]


RUN = {"scheduled_execution_at": "2026-11-26T12:00:00Z"}
UNREADABLE = ["soon", "2026-11-26", "2026-11-26T12:00:00", 1e12, None, ["2026-11-26T12:00:00Z"]]


def planned(end: str = "", status: str = "Initializing", **facts: Any) -> Backup:
    return backup(90, status, name=f"daily{end}", **facts)


FINE = [
    backup(2, "Pending"), backup(90, "Scheduled"), planned(extra=RUN), planned("-20261126T120000Z"),
    # Once due, its age counts from the planned time: a run may last five hours.
    planned("-20261124T070000Z"), planned("-20261124T070000Z", "Pending"),
    backup(2, "Initializing", name="daily-20261114T050000Z"), planned("-20261114T050000Z", extra=RUN),
]  # fmt: skip
STUCK = [
    backup(7, "Pending"), planned("-20261124T050000Z"), planned("-20261124T050000Z", "Scheduled"),
    # What cannot be read is ignored.
    planned("-20269926T120000Z"), planned("-20261126T120000Z-copy"), planned("-20261126"),
    *(planned(extra={"scheduled_execution_at": value}) for value in UNREADABLE),
]  # fmt: skip


@pytest.mark.parametrize(("row", "stuck"), [*((row, ()) for row in FINE), *((row, (row,)) for row in STUCK)])
def test_planned_runs_are_not_stuck(row: Backup, stuck: tuple[Backup, ...]) -> None:
    assert only(row).stuck == stuck


DELETED: dict[str, Any] = {"index_id": "old", "source_index_deleted_at": NOW}
NEW: dict[str, Any] = {"index_id": "new"}


@pytest.mark.parametrize(("backups", "living"), [
    ([backup(100, index_id="old"), backup(1, **NEW)], ["new"]),
    ([backup(1, **DELETED)], []),
    ([backup(1, source_index_deleted_at=NOW + hours(1), **NEW)], ["new"]),  # not yet
    # Where the order of two indexes of a name is unknown, both are judged.
    ([backup(30, index_id="old"), backup(None, "Failed", **NEW)], ["old", "new"]),
    ([backup(30, index_id="old"), backup(-48, **NEW)], ["old", "new"]),
    # A deleted index never replaces a living one.
    *(([backup(1, **DELETED), backup(age, "Failed", **NEW)], ["new"]) for age in (None, 5)),
])  # fmt: skip
def test_indexes_that_are_gone_are_not_judged(backups: list[Backup], living: list[str]) -> None:
    found = report(*backups)
    assert [index.source_index_id for index in found.living] == living
    assert {*report(*reversed(backups * 2)).indexes} == {*found.indexes}
    assert len(found.indexes) == len({row.source_index_id for row in backups})


def test_expected_indexes_without_a_backup_are_missing() -> None:
    found = report(backup(1), backup(99, index="a", **DELETED), expected=["i", "b", "a", "b"])
    states = [f"{index.source_index_name} {index.source_index_id} {index.state}" for index in found.indexes]
    assert states == ["a None missing", "a old stale", "b None missing", "i 1 healthy"]
    assert (found.state, found.count(State.MISSING)) == (State.MISSING, 2)
    assert report(backup(99, **DELETED), backup(1, index="other")).state is State.HEALTHY
    assert report().state is report(backup(1, **DELETED)).state is State.MISSING  # nothing to judge is never healthy


def test_newest_ready_of_each_index() -> None:
    ready, unknown = backup(3), backup(None, index_id="2")
    others = [backup(30), backup(1, "Failed"), backup(-48), backup(9, "Pending", index_id="3")]
    assert newest_ready([ready, unknown, *others], now=NOW) == {"1": ready, "2": unknown}
    assert newest_ready([*others, backup(-48, index_id="2"), unknown, ready], now=NOW)["1"] is ready
    assert newest_ready([backup(-24), *others, ready], now=NOW) == {"1": backup(-24)}
    assert newest_ready([]) == {}
    assert abs(assess([], max_age=DAY).now - dt.datetime.now(dt.UTC)) < hours(1)


@pytest.mark.parametrize(("argument", "value"), [
    ("max_age", hours(0)), ("max_age", 93600), ("max_age", None), ("stuck_after", hours(-1)),
    ("now", NOW.replace(tzinfo=None)), ("now", NOW.date()), ("expected", "i"),
])  # fmt: skip
def test_settings_that_are_refused(argument: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"{argument} must be") as caught:
        report(backup(1), **{argument: value})
    assert caught.value.argument == argument
