"""JSON bytes to models: every field as it really arrives, and every fault by its path."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from copy import deepcopy
from typing import Any

import pytest

from pinecone_backups_async import (
    Backup,
    BackupPage,
    MetadataField,
    MetadataSchema,
    ResponseParsingError,
    ResponseTooLargeError,
)
from pinecone_backups_async._decode import decode_json, decode_page
from tests.support.samples import CURL_EXAMPLE, OPENAPI_EXAMPLE, page_body, row


def only(body: bytes) -> Backup:
    (backup,) = decode_page(body).data
    return backup


def problems(body: bytes) -> dict[str, str]:
    with pytest.raises(ResponseParsingError) as caught:
        decode_page(body)
    assert caught.value.decoded
    return dict(caught.value.problems)


@pytest.mark.parametrize("example", [CURL_EXAMPLE, OPENAPI_EXAMPLE])
def test_the_examples_of_the_specification_come_back_equal_in_every_value(example: bytes) -> None:
    page = decode_page(example)
    sent = json.loads(example)
    assert page.next_token is None
    for backup, original in zip(page.data, sent["data"], strict=True):
        returned = backup.to_dict()
        times = [dt.datetime.fromisoformat(text) for text in (returned.pop("created_at"), original.pop("created_at"))]
        assert times[0] == times[1]
        assert {key: returned[key] for key in original} == original
        assert all(value is None for key, value in returned.items() if key not in original)


def test_the_curl_example_in_the_callers_hands() -> None:
    first, _, third = decode_page(CURL_EXAMPLE).data
    assert (first.tags, first.dimension, first.metric, first.schema) == (None, 0, None, None)
    assert first.created_at == dt.datetime(2025, 5, 14, 17, 0, 45, 803146, tzinfo=dt.UTC)
    assert third.tags == {}


def test_the_openapi_example_in_the_callers_hands() -> None:
    first, second = decode_page(OPENAPI_EXAMPLE).data
    assert first.schema == MetadataSchema(
        fields={"genre": MetadataField(filterable=True), "title": MetadataField(filterable=True)}
    )
    assert (second.metric, second.size_bytes, second.tags) == (
        "cosine",
        10_500_000,
        {"environment": "production", "type": "pre-deploy"},
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-15T10:30:00Z", dt.datetime(2024, 3, 15, 10, 30, tzinfo=dt.UTC)),
        ("2024-03-15T10:30:00+00:00", dt.datetime(2024, 3, 15, 10, 30, tzinfo=dt.UTC)),
        ("2024-03-15T12:30:00.5+02:00", dt.datetime(2024, 3, 15, 10, 30, 0, 500_000, tzinfo=dt.UTC)),
        ("2024-03-15T10:30:00.123456789Z", dt.datetime(2024, 3, 15, 10, 30, 0, 123_457, tzinfo=dt.UTC)),
        ("2024-03-15T10:30:00.999999999Z", dt.datetime(2024, 3, 15, 10, 30, 1, tzinfo=dt.UTC)),
    ],
)
def test_times_are_aware_utc_and_finer_digits_are_rounded(text: str, moment: dt.datetime) -> None:
    backup = only(page_body(row(created_at=text, source_index_deleted_at=text)))
    assert (backup.created_at, backup.source_index_deleted_at) == (moment, moment)
    assert backup.created_at is not None
    assert backup.created_at.tzinfo is dt.UTC
    assert backup.to_dict()["created_at"] == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize("text", ["", "yesterday", "2024-03-15", "2024-03-15T10:30:00", "0001-01-01T00:00:00+05:00", 5])
def test_a_time_that_is_none_or_has_no_offset_is_refused(text: object) -> None:
    assert set(problems(page_body(row(created_at=text)))) == {"$.data[0].created_at"}


TYPED = {"embedding": {"type": "dense_vector", "dimension": 1536, "metric": "cosine", "quantised": [1]}, "title": {}}


def test_schemas_keep_old_and_new_shapes_and_unknown_keys() -> None:
    backup = only(page_body(row(schema={"fields": TYPED, "version": 2})))
    assert backup.schema is not None
    assert backup.schema.extra == {"version": 2}
    vector = backup.schema.fields["embedding"]
    assert (vector.type, vector.dimension, vector.metric, vector.filterable) == ("dense_vector", 1536, "cosine", None)
    assert vector.extra == {"quantised": [1]}
    assert backup.to_dict()["schema"] == {"fields": TYPED, "version": 2}


@pytest.mark.parametrize("seen_before", [False, True])
def test_unknown_fields_are_kept_and_come_back(seen_before: bool) -> None:
    fresh = f"field_{seen_before}"
    body = page_body(row("b1", **{fresh: {"a": [1, None]}, "extra": "theirs"}), row("b2"), row("b3", **{fresh: None}))
    if seen_before:
        decode_page(body)
    page = decode_page(body)
    assert [backup.extra for backup in page.data] == [{fresh: {"a": [1, None]}, "extra": "theirs"}, {}, {fresh: None}]
    assert page.data[0].to_dict()[fresh] == {"a": [1, None]}


def test_more_unknown_fields_than_anyone_adds_are_kept_too() -> None:
    many: dict[str, Any] = {f"more_{number}": number for number in range(100)}
    body = page_body(row(**many))
    assert only(body).extra == only(body).extra == many


def test_a_structured_to_dict_is_the_same_backup() -> None:
    full = row(
        name="n", description="", dimension=3, metric="new-metric", schema={"fields": TYPED}, record_count=2**60, namespace_count=0,
        size_bytes=0, tags={"a": 1}, created_at="2024-03-15T10:30:00.000001Z", source_index_deleted_at=None, novel=[{}],
    )  # fmt: skip
    backup = only(page_body(full))
    assert only(page_body(backup.to_dict())) == backup
    page = decode_page(page_body(full, next_token="t+/="))
    assert decode_page(json.dumps(page.to_dict()).encode()) == page


def test_backups_are_equal_by_value_hashed_by_id_frozen_and_survive_pickle_and_copy() -> None:
    backup = only(page_body(row(schema={"fields": TYPED}, tags={"a": 1}, unknown=[1])))
    again = only(page_body(row(schema={"fields": TYPED}, tags={"a": 1}, unknown=[1])))
    other = only(page_body(row(status="Failed")))
    assert backup == again
    assert len({backup, again, other}) == 2
    assert hash(backup.schema) == hash(again.schema)
    assert backup.schema is not None
    assert len(set(backup.schema.fields.values())) == 2
    assert pickle.loads(pickle.dumps(backup)) == deepcopy(backup) == backup
    with pytest.raises(AttributeError):
        backup.status = "Ready"  # type: ignore[misc]


REQUIRED = ["backup_id", "source_index_name", "source_index_id", "status", "cloud", "region"]


@pytest.mark.parametrize("field", REQUIRED)
def test_required_fields_may_be_neither_absent_nor_null(field: str) -> None:
    absent = row()
    null: dict[str, Any] = {field: None}
    del absent[field]
    assert problems(page_body(row(), absent)) == {f"$.data[1].{field}": "required, but missing"}
    assert problems(page_body(row() | null)) == {f"$.data[0].{field}": "expected str, got null"}


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"backup_id": 5}, "backup_id", "expected str, got int"),
        ({"name": True}, "name", "expected str, got bool"),
        ({"dimension": True}, "dimension", "expected int, got bool"),
        ({"dimension": "5"}, "dimension", "expected int, got str"),
        ({"size_bytes": 1.0}, "size_bytes", "expected int, got float"),
        ({"tags": []}, "tags", "expected object, got array"),
        ({"tags": "x"}, "tags", "expected object, got str"),
        ({"schema": []}, "schema", "expected object, got array"),
        ({"schema": {}}, "schema.fields", "required, but missing"),
        ({"schema": {"fields": 5}}, "schema.fields", "expected object, got int"),
        ({"schema": {"fields": {"a": None}}}, "schema.fields['a']", "expected object, got null"),
        ({"schema": {"fields": {"a": {"filterable": 1}}}}, "schema.fields['a'].filterable", "expected bool, got int"),
    ],
)
def test_a_wrong_type_is_an_error_that_names_its_path_and_nothing_is_coerced(
    fields: dict[str, Any], path: str, reason: str
) -> None:
    assert problems(page_body(row("b0"), row(**fields))) == {f"$.data[1].{path}": reason}


def test_every_fault_of_a_page_is_named_but_not_without_end() -> None:
    found = problems(page_body(row(cloud=1, region=2), {}, next_token=None))
    assert len(found) == 2 + len(REQUIRED)
    assert len(problems(page_body(*[{}] * 100_000))) < 200


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("[]", "$"),
        ("null", "$"),
        ('"page"', "$"),
        ("5", "$"),
        ('{"data": null}', "$.data"),
        ('{"data": {}}', "$.data"),
        ('{"data": "none"}', "$.data"),
        ('{"items": []}', "$.data"),
        ('{"pagination": {"next": "t"}}', "$.data"),
        ('{"data": [5]}', "$.data[0]"),
        ('{"data": [null]}', "$.data[0]"),
        ('{"data": [], "pagination": []}', "$.pagination"),
        ('{"data": [], "pagination": "t"}', "$.pagination"),
        ('{"data": [], "pagination": {"nextToken": "t"}}', "$.pagination.next"),
        ('{"data": [], "pagination": {"next": 5}}', "$.pagination.next"),
        ('{"data": [], "pagination": {"next": {}}}', "$.pagination.next"),
        ('{"data": [], "error": {"code": "UNKNOWN"}}', "$.error"),
        ('{"data": [], "error": "boom"}', "$.error"),
    ],
)
def test_what_is_not_a_page_is_an_error(body: str, path: str) -> None:
    assert path in problems(body.encode())


@pytest.mark.parametrize("size", [3000, 8192])
def test_a_long_token_passes_up_to_8_kib(size: int) -> None:
    assert decode_page(page_body(next_token="t" * size)).next_token == "t" * size


@pytest.mark.parametrize("token", ["t" * 8193, "é" * 4097])
def test_a_longer_token_is_refused(token: str) -> None:
    assert problems(page_body(next_token=token)) == {"$.pagination.next": "longer than 8192 bytes"}


@pytest.mark.parametrize(
    "body",
    [
        "{}", '{"data": []}', '{"data": [], "pagination": null}', '{"data": [], "pagination": {}}', '{"pagination": null}',
        '{"data": [], "pagination": {"next": ""}}', '{"data": [], "pagination": {"next": null}}', '{"data": [], "error": null}',
        '{"data": [], "pagination": {"next": null, "more": 1}, "took": 5}', '\ufeff{"data": []}',
    ],
)  # fmt: skip
def test_the_ways_to_say_that_there_are_no_backups_and_no_next_page(body: str) -> None:
    assert decode_page(body.encode()) == BackupPage(data=(), next_token=None, data_missing='"data"' not in body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"   ", b"<html>", b'{"data": [', b'\xff\xfe{"data": []}', b'{"data": [NaN]}', b'{"x": 1e999}', b"[" * 100_000,
        b'{"x": ' + b"9" * 5000 + b"}", b'{"data": []} {}', b'{"data": ["\xff"]}', b'{"data": ["\\ud800"]}',
    ],
)  # fmt: skip
def test_what_the_json_library_refuses_is_told_apart(body: bytes) -> None:
    for decode in (decode_json, decode_page):
        with pytest.raises(ResponseParsingError) as caught:
            decode(body)
        assert not caught.value.decoded
        assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("key", ['a"b', "a\\b", "a\nb", "\u202e", "k" * 5000, "", "extra", "unknown_0", "__class__"])
def test_any_unknown_key_is_kept_also_when_it_comes_again(key: str) -> None:
    body = page_body(row() | {key: {"n": 1}})
    assert [only(body).extra for _ in range(3)] == [{key: {"n": 1}}] * 3


def test_of_many_faults_a_hundred_are_told() -> None:
    found = problems(page_body(row(schema={"fields": {f"f{number}": 1 for number in range(5000)}})))
    assert len(found) == 100
    assert found["$.data[0].schema.fields['f0']"] == "expected object, got int"
    assert len(problems(page_body(*[row(schema={"fields": {"a": 1, "b": 2}}, dimension=1.5)] * 90))) == 100


def test_a_page_of_more_backups_than_any_has_is_too_large() -> None:
    assert len(decode_page(page_body(*[row()] * 1000)).data) == 1000
    with pytest.raises(ResponseTooLargeError, match="more than 1,000 rows"):
        decode_page(page_body(*[row()] * 1001))


@pytest.mark.parametrize("item", [b"[]", b"{}", b"1", b'""'])
@pytest.mark.parametrize("start", [b"[", b'{"data":['])
def test_a_body_of_more_values_than_any_page_has_is_not_taken_apart(item: bytes, start: bytes) -> None:
    body = start + b",".join([item] * 200_000) + start.translate(bytes.maketrans(b"[{", b"]}"), b'"data:')[::-1]
    json.loads(body)
    with pytest.raises(ResponseTooLargeError, match="more than 100,000 values"):
        decode_page(body)


def test_a_large_page_of_few_values_is_read_and_one_of_many_is_not_even_begun() -> None:
    assert len(only(page_body(row(description="long" * 2**20))).description or "") == 2**22
    fields = {str(number): {"filterable": True} for number in range(80_000)}
    with pytest.raises(ResponseTooLargeError):
        decode_page(page_body(row(schema={"fields": fields})))
