"""assess(): what each index's backups say about it, as rules that a person on call can read."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinecone_backups_async import Backup, ConfigurationError
from pinecone_backups_async.coverage import CoverageReport, IndexCoverage, State, assess

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=26)


def backup(hours: float | None, status: str = "Ready", name: str = "i", index_id: str = "1", **facts: Any) -> Backup:
    fields: dict[str, Any] = {
        "backup_id": f"{name}-{index_id}-{hours}-{status}",
        "source_index_name": name,
        "source_index_id": index_id,
        "status": status,
        "cloud": "aws",
        "region": "us-east-1",
        "created_at": None if hours is None else NOW - dt.timedelta(hours=hours),
    }
    fields.update(facts)
    return Backup(**fields)


def report(*backups: Backup, **settings: Any) -> CoverageReport:
    arguments: dict[str, Any] = {"max_age": DAY, "now": NOW}
    arguments.update(settings)
    return assess(backups, **arguments)


def only(*backups: Backup) -> IndexCoverage:
    (index,) = report(*backups).indexes
    return index


@pytest.mark.parametrize(
    ("backups", "state"),
    [
        ([backup(1)], State.HEALTHY),
        ([backup(26)], State.HEALTHY),
        ([backup(26.01)], State.STALE),
        ([backup(-5)], State.HEALTHY),
        ([backup(-24)], State.HEALTHY),
        ([backup(-25)], State.STALE),
        ([backup(None)], State.STALE),
        ([backup(50), backup(3)], State.HEALTHY),
        ([backup(3), backup(1, "Failed")], State.HEALTHY),
        ([backup(50), backup(60, "Failed")], State.STALE),
        ([backup(50), backup(1, "Failed")], State.FAILING),
        ([backup(50), backup(40, "InitializationFailed")], State.FAILING),
        ([backup(50), backup(10, "Pending")], State.FAILING),
        ([backup(50), backup(1, "Pending")], State.STALE),
        ([backup(1, "Failed")], State.FAILING),
        ([backup(30, "Initializing")], State.FAILING),
        ([backup(1, "Initializing")], State.MISSING),
        ([backup(30, "SomethingNew")], State.MISSING),
    ],
)
def test_the_state_of_an_index(backups: list[Backup], state: State) -> None:
    assert only(*backups).state is state
    assert only(*reversed(backups)).state is state
    assert report(*backups).state is state


def test_what_is_told_of_an_index() -> None:
    ready = backup(3, size_bytes=5, record_count=2)
    older = backup(30, size_bytes=7, record_count=None)
    failed, stuck = backup(1, "Failed"), backup(40, "Initializing")
    index = only(older, failed, ready, stuck, ready)
    assert index == IndexCoverage(
        source_index_name="i",
        source_index_id="1",
        state=State.HEALTHY,
        newest_ready=ready,
        age=dt.timedelta(hours=3),
        backups=4,
        size_bytes=12,
        record_count=2,
        failed=(failed,),
        stuck=(stuck,),
        failed_since_ready=True,
        gone=False,
    )


def test_a_failure_before_the_newest_ready_one_is_history() -> None:
    assert not only(backup(3), backup(5, "Failed")).failed_since_ready
    assert not only(backup(50), backup(10, "Pending")).failed_since_ready
    assert only(backup(1, "Failed")).failed_since_ready


def test_an_age_is_never_negative_and_unknown_without_a_time() -> None:
    assert only(backup(-5)).age == dt.timedelta(0)
    assert only(backup(-24 * 3650)).age is None
    assert only(backup(None)).age is None


def test_how_long_a_backup_may_take_can_be_chosen() -> None:
    one_hour = dt.timedelta(hours=1)
    assert report(backup(2, "Pending")).indexes[0].stuck == ()
    assert len(report(backup(2, "Pending"), stuck_after=one_hour).indexes[0].stuck) == 1


def test_expected_indexes_that_have_no_backup_are_missing() -> None:
    found = report(backup(1), expected=["i", "b", "a", "b"])
    assert [(index.source_index_name, index.source_index_id, index.state) for index in found.indexes] == [
        ("a", None, State.MISSING),
        ("b", None, State.MISSING),
        ("i", "1", State.HEALTHY),
    ]
    assert found.state is State.MISSING
    assert found.count(State.MISSING) == 2


def test_a_name_that_was_created_anew_is_told_apart_and_the_older_index_is_not_judged() -> None:
    found = report(backup(100, index_id="old"), backup(1, index_id="new"))
    assert [(index.source_index_id, index.gone, index.state) for index in found.indexes] == [
        ("new", False, State.HEALTHY),
        ("old", True, State.STALE),
    ]
    assert (found.state, len(found.living)) == (State.HEALTHY, 1)


def test_a_deleted_index_is_gone_and_missing_only_where_it_is_expected() -> None:
    deleted = backup(100, source_index_deleted_at=NOW)
    assert report(deleted, backup(1, name="other", index_id="2")).state is State.HEALTHY
    expected = report(deleted, expected=["i"])
    assert [(index.source_index_id, index.gone, index.state) for index in expected.indexes] == [
        (None, False, State.MISSING),
        ("1", True, State.STALE),
    ]


def test_of_two_indexes_of_a_name_whose_order_is_not_known_both_are_judged() -> None:
    found = report(backup(30, index_id="old"), backup(None, "Failed", index_id="new"))
    assert [(index.source_index_id, index.gone) for index in found.indexes] == [("old", False), ("new", False)]
    assert found.state is State.FAILING


def test_a_deleted_index_never_makes_the_living_one_of_its_name_gone() -> None:
    deleted = backup(1, index_id="old", source_index_deleted_at=NOW)
    for living in (backup(None, "Failed", index_id="new"), backup(5, "Failed", index_id="new")):
        found = report(deleted, living, backup(1, name="other", index_id="3"))
        assert [index.source_index_id for index in found.living] == ["new", "3"]
        assert found.state is State.FAILING


def test_thousands_of_troubled_backups_are_judged_quickly() -> None:
    stuck = [backup(20, "Pending", backup_id=f"p{number}") for number in range(20_000)]
    failed = [backup(90, "Failed", backup_id=f"f{number}") for number in range(20_000)]
    began = time.monotonic()
    assert not only(backup(80), *stuck, *failed).failed_since_ready
    assert time.monotonic() - began < 10  # a second; comparing each with each would take a minute


def test_nothing_to_judge_is_never_healthy() -> None:
    assert report().state is State.MISSING
    assert report(backup(1, source_index_deleted_at=NOW)).state is State.MISSING


def test_now_is_this_moment_unless_given() -> None:
    assert assess([backup(1)], max_age=DAY).now.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"max_age": dt.timedelta(0)}, "max_age must be a positive timedelta"),
        ({"stuck_after": dt.timedelta(hours=-1)}, "stuck_after must be a positive timedelta"),
        ({"now": dt.datetime(2026, 1, 1)}, "now must be an aware datetime"),  # noqa: DTZ001
        ({"now": dt.date(2026, 1, 1)}, "now must be an aware datetime"),
        ({"max_age": 93600}, "max_age must be a positive timedelta"),
        ({"max_age": None}, "max_age must be a positive timedelta"),
        ({"expected": "products"}, "expected must be an iterable of names, not one str"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        report(backup(1), **settings)


STATUSES = ["Ready", "Failed", "InitializationFailed", "Pending", "Initializing", "Other"]


@given(
    st.lists(
        st.builds(
            backup,
            st.none() | st.integers(-5, 100),
            st.sampled_from(STATUSES),
            name=st.sampled_from("ab"),
            index_id=st.sampled_from("12"),
        ),
        max_size=12,
    ),
    st.randoms(),
)
def test_order_and_repetition_do_not_matter_and_every_backup_is_counted(backups: list[Backup], random: Any) -> None:
    shuffled = backups * 2
    random.shuffle(shuffled)
    first, second = report(*backups), report(*shuffled)
    facts = [
        [
            (i.source_index_name, i.source_index_id, i.state, i.gone, i.backups, len(i.failed), len(i.stuck))
            for i in found.indexes
        ]
        for found in (first, second)
    ]
    if len({b.created_at for b in backups}) == len(backups):  # two indexes of one age may change places
        assert sorted(facts[0], key=str) == sorted(facts[1], key=str)
    assert sum(index.backups for index in first.indexes) == len(set(backups))
    assert (first.state is State.HEALTHY) == (
        bool(first.living) and all(i.state is State.HEALTHY for i in first.living)
    )
