"""The values that callers get: equal, frozen, short to look at, and plain again on demand."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import pickle
import re
from collections.abc import Callable
from copy import copy, deepcopy
from types import MappingProxyType
from typing import Any

import attrs
import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import Backup, BackupPage, Index, MetadataField, RestoreJobPage
from pinecone_backups_async._decode import decode_page
from pinecone_backups_async._models import MODELS
from tests.support.samples import page_body, row

NOW = dt.datetime(2026, 11, 25, 3, 0, tzinfo=dt.UTC)
FULL = row(
    "670e8400", name="nightly", description="d", dimension=3, metric="cosine", record_count=1, namespace_count=1,
    schema={"fields": {"a": {"type": "string"}}, "v": 2}, size_bytes=2**60, tags={"a": {"b": [1]}},
    created_at="2026-11-25T03:00:00Z", source_index_deleted_at="2026-11-25T04:00:00Z",
)  # fmt: skip
BACKUP = Backup(**row("670e8400", name="nightly"), created_at=NOW)
JOB = sdk.RestoreJob(
    restore_job_id="r1", backup_id="b1", target_index_name="new", target_index_id="i1", status="Pending", created_at=NOW
)
RECEIPT = sdk.RestoreReceipt(restore_job_id="r1", index_id="i1")
INDEX = Index(name="new", host="new.example", status={"ready": True, "state": "Ready"}, spec={"serverless": {}})
FIELD = MetadataField(type="string", extra={"novel": None})
PAGES = BackupPage(data=(BACKUP,), next_token="t"), RestoreJobPage(data=())
FLAT = FULL | {"schema": {"fields": {"a": {"type": "string"}}}, "tags": {"a": "b"}}  # what a faster way takes
READ = [decode_page(page_body(each)).data[0] for each in (FULL, FLAT, FLAT | {"novel": {"a": [1]}})]
VALUES = [BACKUP, JOB, RECEIPT, INDEX, FIELD, sdk.MetadataSchema(fields={"a": FIELD}), *PAGES, *READ]
TEXTS = {
    BACKUP: "Backup(backup_id='670e8400', source_index_name='products', status='Ready', name='nightly', "
            "created_at=2026-11-25 03:00:00+00:00)",
    JOB: "RestoreJob(restore_job_id='r1', target_index_name='new', status='Pending', "
         "created_at=2026-11-25 03:00:00+00:00)",
    PAGES[0]: "<BackupPage: 1 in data, more pages follow>", PAGES[1]: "<RestoreJobPage: 0 in data, the last page>",
    RECEIPT: "RestoreReceipt(restore_job_id='r1', index_id='i1')",
    INDEX: "Index(name='new', status={'ready': True, 'state': 'Ready'})",
}  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_survive_pickle_copy_and_json(value: Any) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.extra = {}
    for again in (pickle.loads(pickle.dumps(value)), deepcopy(value), copy(value), attrs.evolve(value)):
        assert (again, hash(again)) == (value, hash(value))
    plain, before = value.to_dict(), repr(value.to_dict())
    assert json.loads(json.dumps(plain)) == plain
    for item in [*plain.values(), plain]:
        if isinstance(item, dict | list):
            item.clear()
    assert repr(value.to_dict()) == before


def test_to_dict_of_what_callers_put_together() -> None:
    """Any mapping and any time are made plain; what JSON does not know is copied as it is."""
    tags = MappingProxyType({"a": MappingProxyType({"b": (1,)})})
    east = type("Timestamp", (dt.datetime,), {})(2026, 11, 25, 12, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    backup = attrs.evolve(BACKUP, tags=tags, created_at=east, extra={"at": [NOW], "of": [FIELD]})
    plain = backup.to_dict()
    assert (plain["tags"], plain["created_at"]) == ({"a": {"b": (1,)}}, "2026-11-25T03:00:00.000000Z")
    assert (plain["at"], plain["of"]) == (["2026-11-25T03:00:00.000000Z"], [FIELD.to_dict()])


def test_values_are_equal_and_hashed_by_value() -> None:
    (backup, again) = decode_page(page_body(FULL, FULL)).data
    assert backup == again
    assert backup != attrs.evolve(backup, status="Failed")
    assert len({backup, again, attrs.evolve(backup, status="Failed")}) == 2
    assert FIELD.to_dict() == {"type": "string", "novel": None}
    assert "dimension" not in INDEX.to_dict()


def test_a_repr_is_short() -> None:
    assert {value: repr(value) for value in TEXTS} == TEXTS
    assert "\ud800" not in repr(attrs.evolve(BACKUP, name="\ud800", created_at=None))


TIMES = [(BACKUP, "created_at"), (BACKUP, "source_index_deleted_at"), (JOB, "created_at"), (JOB, "completed_at")]


@pytest.mark.parametrize(("value", "name"), TIMES)
def test_a_naive_time_is_refused_where_a_value_is_made(value: Any, name: str) -> None:
    fields = attrs.asdict(value, recurse=False)
    naive = {name: NOW.replace(tzinfo=None)}
    makes: list[Callable[[], object]] = [lambda: type(value)(**fields | naive), lambda: attrs.evolve(value, **naive)]
    for make in makes:
        with pytest.raises(sdk.ConfigurationError, match=name) as caught:
            make()
        assert caught.value.argument == name


BACKUPS = {"Ready": "reached", "Initializing": "waiting", "Pending": "waiting", "Scheduled": "waiting"}
JOBS = {"Completed": "reached", "Pending": "waiting", "Running": "waiting"}


@pytest.mark.parametrize(("value", "outcomes"), [(BACKUP, BACKUPS), (JOB, JOBS)], ids=["backup", "job"])
@pytest.mark.parametrize(
    "status", sorted({*sdk.BackupStatus, *sdk.RestoreStatus, "Scheduled", "Exploded", "", "ready"})
)
def test_what_a_status_means(value: Any, outcomes: dict[str, str], status: str) -> None:
    """Every other status has failed."""
    assert attrs.evolve(value, status=status).outcome == outcomes.get(status, "failed")


def test_what_an_index_says_of_itself() -> None:
    assert (INDEX.state, INDEX.ready, INDEX.can_be_backed_up) == ("Ready", True, True)
    odd = attrs.evolve(INDEX, status={"ready": "yes", "state": None}, spec={"pod": {}})
    assert (odd.state, odd.ready, odd.can_be_backed_up) == ("", False, False)
    assert not attrs.evolve(INDEX, extra={"deployment": {"deployment_type": "pod"}}).can_be_backed_up


@pytest.mark.parametrize("model", [*MODELS, BackupPage, RestoreJobPage])
def test_every_field_has_a_line_of_its_own(model: type[Any]) -> None:
    source = "".join(inspect.getsource(cls) for cls in model.__mro__ if cls.__module__ == model.__module__)
    for name in attrs.fields_dict(model):
        assert re.search(rf"^    #: [A-Z1].*\n    {name}: ", source, re.MULTILINE), name
