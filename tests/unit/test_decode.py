"""JSON bytes to models: every field as it arrives, every fault by its path, for every body of the API."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import attrs
import pytest

from pinecone_backups_async import (
    Backup,
    BackupPage,
    ResponseParsingError,
    ResponseTooLargeError,
)
from pinecone_backups_async import _decode as decode
from pinecone_backups_async._decode import MAX_DEPTH, MAX_ROWS, MAX_VALUES, decode_json, decode_page
from pinecone_backups_async._plain import FrozenDict
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
def test_the_specifications_examples_come_back_equal(example: bytes) -> None:
    page = decode_page(example)
    sent = json.loads(example)
    assert page.next_token is None
    for backup, original in zip(page.data, sent["data"], strict=True):
        returned = backup.to_dict()
        times = [dt.datetime.fromisoformat(text) for text in (returned.pop("created_at"), original.pop("created_at"))]
        assert times[0] == times[1]
        assert {key: returned[key] for key in original} == original
        assert all(value is None for key, value in returned.items() if key not in original)


def utc(year: int, month: int = 1, day: int = 1, *rest: int) -> dt.datetime:
    return dt.datetime(year, month, day, *rest, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-15T10:30:00Z", utc(2024, 3, 15, 10, 30)),
        ("2024-03-15t10:30:00z", utc(2024, 3, 15, 10, 30)),
        ("2024-03-15T10:30:00-00:00", utc(2024, 3, 15, 10, 30)),
        ("2024-03-15T12:30:00.5+02:00", utc(2024, 3, 15, 10, 30, 0, 500_000)),
        ("2024-03-15T10:30:00.1234564999Z", utc(2024, 3, 15, 10, 30, 0, 123_456)),
        ("2024-03-15T10:30:00.123456500Z", utc(2024, 3, 15, 10, 30, 0, 123_457)),
        ("2024-12-31T23:59:59.9999995+00:00", utc(2025)),
        ("2025-06-30T23:59:60Z", utc(2025, 7, 1)),
        ("2025-07-01T01:59:60.25+02:00", utc(2025, 7, 1, 0, 0, 0, 250_000)),
        ("0001-01-01T00:00:00Z", utc(1)),
    ],
)
@pytest.mark.parametrize("beside", [{}, {"novel": 1}, {"created_at": "2024-03-15T10:30:00+23:59"}])
def test_times_are_utc_and_rounded(text: str, moment: dt.datetime, beside: dict[str, Any]) -> None:
    """RFC 3339 exactly, whichever reader takes the page; second 60 is the first instant of the next minute."""
    other = row("b0", created_at="2024-03-15T10:30:00Z") | beside
    first, second = decode_page(page_body(row(created_at=text, source_index_deleted_at=text), other)).data
    assert (first.created_at, first.source_index_deleted_at) == (moment, moment)
    assert first.created_at is not None
    assert second.created_at is not None
    assert first.created_at.tzinfo is second.created_at.tzinfo is dt.UTC
    assert first.to_dict()["created_at"] == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


NO_TIMES = [
    "", "yesterday", "2024-03-15", "2024-03-15T10:30:00", "0001-01-01T00:00:00+05:00", 5, "2024-03-15 10:30:00Z", "2024-03-15x10:30:00Z",
    "20240315T103000Z", "2024-W11-5T10:30:00Z", "2024-03-15T10:30:00,5Z", "2024-03-15T10:30Z", "2024-03-15T10:30:00+0200", "2024-03-15T10:30:00.Z",
    "2024-03-15T10:30:00+02", "2024-03-15T10:30:00+00:00:01", "2024-03-15T10:30:61Z", "2024-03-15T24:00:00Z", "2024-02-30T10:30:00Z",
    "2024-03-15T10:60:00Z", "2024-03-15T10:30:00+24:00", "2024-03-15T10:30:00+00:60", "0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z",
    "9999-12-31T23:59:59.9999999Z", "\uff12024-03-15T10:30:00Z", "2024-03-15T10:30:00Z\n", " 2024-03-15T10:30:00Z", "2024-03-15T10:30:00Z\",\"2024-03-15T10:30:00Z",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_TIMES)
@pytest.mark.parametrize("beside", [{}, {"novel": 1}])
def test_what_is_no_rfc_3339_time_is_refused(text: object, beside: dict[str, Any]) -> None:
    for name in ("created_at", "source_index_deleted_at"):
        assert set(problems(page_body(row() | {name: text} | beside))) == {f"$.data[0].{name}"}


TYPED = {"embedding": {"type": "dense_vector", "dimension": 1536, "metric": "cosine", "quantised": [1]}, "title": {}}


def test_schemas_keep_old_and_new_shapes_and_unknown_keys() -> None:
    backup = only(page_body(row(schema={"fields": TYPED, "version": 2})))
    assert backup.schema is not None
    assert backup.schema.extra == {"version": 2}
    vector = backup.schema.fields["embedding"]
    assert (vector.type, vector.dimension, vector.metric, vector.filterable) == ("dense_vector", 1536, "cosine", None)
    assert vector.extra == {"quantised": [1]}
    assert backup.to_dict()["schema"] == {"fields": TYPED, "version": 2}


def test_unknown_fields_are_kept_and_come_back() -> None:
    body = page_body(row("b1", z={"a": [1, None]}, extra="theirs", a=0), row("b2"), row("b3", a=1, z=None))
    page = decode_page(body)
    assert [list(backup.extra.items()) for backup in page.data] == [
        [("z", {"a": [1, None]}), ("extra", "theirs"), ("a", 0)],
        [],
        [("a", 1), ("z", None)],
    ]
    assert page.data[0].to_dict()["z"] == {"a": [1, None]}


@pytest.mark.parametrize("key", ['a"b', "a\\b", "a\nb", "\u202e", "k" * 5000, "", "extra", "__class__", "data"])
def test_any_unknown_key_is_kept(key: str) -> None:
    assert only(page_body(row() | {key: {"n": 1}})).extra == {key: {"n": 1}}
    assert decode_page(page_body(row())[:-1] + b"," + json.dumps({key + "!": 1}).encode()[1:]).data


@pytest.mark.parametrize("beside", [{}, {"novel": {"a": [1]}}])
def test_rows_share_nothing_that_can_be_changed(beside: dict[str, Any]) -> None:
    fields = TYPED | {"number": {"filterable": True}}
    rows = [row(f"b{number}", schema={"fields": fields}, tags={"a": "b"}) | beside for number in range(2)]
    one, two = (attrs.asdict(backup, recurse=False) for backup in decode_page(page_body(*rows)).data)
    assert one["schema"] == two["schema"]
    for backup in (one, two):
        backup |= {"fields": backup["schema"].fields, "vector": backup["schema"].fields["embedding"].extra}
        backup["list"] = backup["vector"]["quantised"]
    for name in ("tags", "vector", "list", "extra"):
        assert one[name] is not two[name] or isinstance(one[name], FrozenDict)


def test_a_shared_schema_cannot_be_changed() -> None:
    backup = only(page_body(row(schema={"fields": {"a": {"filterable": True}}})))
    assert backup.schema is not None
    fields: Any = backup.schema.fields
    changes = ["clear()", "popitem()", "pop('a')", "update(b=1)", "setdefault('b', 1)", "__delitem__('a')"]
    for change in (*changes, "__setitem__('b', 1)"):
        with pytest.raises(TypeError, match="make a copy"):
            eval(f"fields.{change}")
    with pytest.raises(TypeError, match="make a copy"):
        fields |= {"b": 1}
    assert type(deepcopy(fields)) is dict


def test_a_structured_to_dict_is_the_same_backup() -> None:
    full = row(
        name="n", description="", dimension=3, metric="new-metric", schema={"fields": TYPED}, record_count=2**60, namespace_count=0,
        size_bytes=0, tags={"a": 1}, created_at="2024-03-15T10:30:00.000001Z", source_index_deleted_at=None, novel=[{}],
    )  # fmt: skip
    backup = only(page_body(full))
    assert only(page_body(backup.to_dict())) == backup
    page = decode_page(page_body(full, next_token="t+/="))
    assert decode_page(json.dumps(page.to_dict()).encode()) == page


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
def test_a_wrong_type_is_named_by_its_path(fields: dict[str, Any], path: str, reason: str) -> None:
    assert problems(page_body(row("b0"), row(**fields))) == {f"$.data[1].{path}": reason}


def test_every_fault_of_a_page_is_named() -> None:
    found = problems(page_body(row(cloud=1, region=2), {}, next_token=None))
    assert len(found) == 2 + len(REQUIRED)


NO_PAGES = {
    "$": ["[]", "null", '"page"', "5"],
    "$.data": ['{"data": null}', '{"data": {}}', '{"data": "none"}', '{"items": []}', '{"pagination": {"next": "t"}}'],
    "$.data[0]": ['{"data": [5]}', '{"data": [null]}'],
    "$.pagination": ['{"data": [], "pagination": []}', '{"data": [], "pagination": "t"}'],
    "$.pagination.next": [f'{{"data": [], "pagination": {p}}}' for p in ('{"nextToken": "t"}', '{"next": 5}', '{"next": {}}')],
    "$.error": ['{"data": [], "error": {"code": "UNKNOWN"}}', '{"data": [], "error": "boom"}'],
}  # fmt: skip


@pytest.mark.parametrize(("path", "body"), [(path, body) for path, bodies in NO_PAGES.items() for body in bodies])
def test_what_is_not_a_page_is_an_error(path: str, body: str) -> None:
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
def test_the_ways_to_say_that_there_is_nothing(body: str) -> None:
    assert decode_page(body.encode()) == BackupPage(data=(), next_token=None, data_missing='"data"' not in body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"   ", b"<html>", b'{"data": [', b'\xff\xfe{"data": []}', b'{"data": [NaN]}', b'{"x": 1e999}', b"[" * 20_000,
        b'{"x": ' + b"9" * 5000 + b"}", b'{"data": []} {}', b'{"data": ["\xff"]}', b'{"data": ["\\ud800"]}',
    ],
)  # fmt: skip
def test_what_the_json_library_refuses_is_told_apart(body: bytes) -> None:
    for decode_body in (decode_json, decode_page):
        with pytest.raises(ResponseParsingError) as caught:
            decode_body(body)
        assert not caught.value.decoded
        assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_of_many_faults_a_hundred_are_told() -> None:
    found = problems(page_body(row(schema={"fields": {f"f{number}": 1 for number in range(5000)}})))
    assert len(found) == 100
    assert found["$.data[0].schema.fields['f0']"] == "expected object, got int"
    assert len(problems(page_body(*[row(schema={"fields": {"a": 1, "b": 2}}, dimension=1.5)] * 90))) == 100


def too_large(body: bytes, decode_body: Callable[[bytes], object], text: str) -> None:
    with pytest.raises(ResponseTooLargeError, match=text):
        decode_body(body)


def test_a_page_has_at_most_a_thousand_rows() -> None:
    more: list[dict[str, Any]] = [{}, {"novel": 1}, {"cloud": 1}]
    for fields in more:
        too_large(page_body(*[row() | fields] * (MAX_ROWS + 1)), decode_page, "more than 1,000 rows")
    assert len(decode_page(page_body(*[row()] * MAX_ROWS)).data) == MAX_ROWS
    too_large(b'{"indexes": [' + b"{}," * MAX_ROWS + b"{}]}", decode.decode_indexes, "more than 1,000 rows")


@pytest.mark.parametrize("item", ["[]", "{}", "1", '""', r'"\\"', '"a,[{"', r'"\",[{"'])
@pytest.mark.parametrize("around", ["[@]", '{"data":[],"novel":[@]}', '{"data":[{"schema":{"fields":[@]}}]}'])
def test_a_body_has_at_most_so_many_values(item: str, around: str) -> None:
    """Counted are commas and opening brackets outside texts, for every reader alike."""
    counted_each = 1 + ("[" in item or "{" in item) * (item[0] != '"')
    around_it = around.count("[") + around.count("{") + around.count(",")
    most = (MAX_VALUES - around_it + 1) // counted_each
    too_large(around.replace("@", ",".join([item] * (most + 1))).encode(), decode_page, "more than 50,000 values")
    fitting = around.replace("@", ",".join([item] * most)).encode()
    assert decode_json(fitting) == json.loads(fitting)


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


@pytest.mark.parametrize(
    ("place", "above"), [("tags", 3), ("novel", 3), ("schema", 3), ("field", 6), ("page", 1), ("alone", 0)]
)
def test_nesting_ends_at_a_hundred_levels(place: str, above: int) -> None:
    def body(levels: int) -> bytes:
        value = nested(levels)
        fields: dict[str, Any] = {place: value}
        if place in {"schema", "field"}:
            inner: Any = {"fields": {"a": {"deep": value}}} if place == "field" else {"fields": {}, "deep": value}
            fields = {"schema": inner}
        pages: dict[str, Any] = {"page": {"data": [], "deep": value}, "alone": value}
        return json.dumps(pages.get(place, {"data": [row(**fields)]})).encode()

    above += place in {"schema"}
    left = MAX_DEPTH - above + (MAX_DEPTH - above) % 2 * 0
    left -= left % 2 == 1 and place == "tags"  # tags are an object
    accepts: Callable[[bytes], object] = decode_json if place == "alone" else decode_page
    accepts(body(left))
    for levels in (MAX_DEPTH + 2 - above, 600, 5000):
        with pytest.raises(ResponseParsingError, match="nested deeper than 100 levels") as caught:
            accepts(body(levels) if levels < 900 else b"[" * levels + b"]" * levels)
        assert not caught.value.decoded


JOB = {
    "restore_job_id": "r1", "backup_id": "b1", "target_index_name": "restored-index", "target_index_id": "i1", "status": "Completed",
    "created_at": "2025-04-25T18:14:05.227526Z", "completed_at": "2025-04-25T18:14:11.074618Z", "percent_complete": 100,
}  # fmt: skip
INDEX = {
    "name": "semantic-search", "dimension": 384, "metric": "cosine", "host": "semantic-search-c01b5b5.svc.example.pinecone.io",
    "spec": {"pod": {"environment": "us-west1-gcp", "pods": 4}}, "status": {"ready": True, "state": "Ready"}, "vector_type": "dense",
}  # fmt: skip
RECEIPT = {"restore_job_id": "r1", "index_id": "i1"}
FAMILY: dict[str, tuple[Callable[[bytes], Any], dict[str, Any], str]] = {
    "backup": (decode.decode_backup, row(created_at="2024-03-15T10:30:00Z"), "cloud"),
    "restore job": (decode.decode_restore_job, JOB, "target_index_name"),
    "receipt": (decode.decode_receipt, RECEIPT, "index_id"),
    "index": (lambda body: decode.decode_indexes(b'{"indexes":[' + body + b"]}")[0], INDEX, "host"),
}


@pytest.mark.parametrize("kind", FAMILY)
def test_each_object_keeps_all_it_brings(kind: str) -> None:
    decode_one, sent, needed = FAMILY[kind]
    value = decode_one(b"\xef\xbb\xbf" * (kind != "index") + json.dumps(sent | {"novel": [1]}).encode())
    returned = value.to_dict()
    assert {key: returned[key] for key in sent if "_at" not in key} == {k: v for k, v in sent.items() if "_at" not in k}
    assert (value.extra, returned["novel"]) == ({"novel": [1]}, [1])
    assert decode_one(json.dumps(returned).encode()) == value
    missing = {key: item for key, item in sent.items() if key != needed}
    wrongs: list[Any] = [sent | {needed: 5}, missing, [], None, "x"]
    for wrong in wrongs:
        with pytest.raises(ResponseParsingError) as caught:
            decode_one(json.dumps(wrong).encode())
        assert caught.value.decoded
    with pytest.raises(ResponseParsingError):
        decode_one(b"{")


@pytest.mark.parametrize(("sent", "read"), [(100, 100.0), (42.5, 42.5), (None, None), (0, 0.0)])
def test_percent_complete_is_a_float(sent: object, read: float | None) -> None:
    job = decode.decode_restore_job(json.dumps(JOB | {"percent_complete": sent}).encode())
    assert (job.percent_complete, type(job.percent_complete)) == (read, type(read))


@pytest.mark.parametrize("wrong", [True, "100", 10**400])
def test_percent_complete_is_nothing_else(wrong: object) -> None:
    with pytest.raises(ResponseParsingError, match="float"):
        decode.decode_restore_job(json.dumps(JOB | {"percent_complete": wrong}).encode())


def test_a_page_of_restore_jobs() -> None:
    page = decode.decode_restore_job_page(page_body(JOB, next_token="t"))
    assert ([job.restore_job_id for job in page.data], page.next_token, page.data_missing) == (["r1"], "t", False)
    assert decode.decode_restore_job_page(b"{}").data_missing
    with pytest.raises(ResponseParsingError, match=r"restore jobs: \$.data\[0\].status: expected str"):
        decode.decode_restore_job_page(page_body(JOB | {"status": None}))


@pytest.mark.parametrize(
    "body",
    ["{}", "[]", '{"indexes":null}', '{"data":[]}', '{"indexes":[],"pagination":{"next":"t"}}', '{"indexes":[],"error":{}}'],
)  # fmt: skip
def test_what_is_no_list_of_indexes_is_an_error(body: str) -> None:
    """The service never pages it, so a token for more says that something is left out."""
    with pytest.raises(ResponseParsingError):
        decode.decode_indexes(body.encode())
    assert decode.decode_indexes(b'{"indexes":[]}') == []


@pytest.mark.parametrize("body", [b"", b"{", b"anything", b"[" * 5000])
def test_where_nothing_is_expected_any_body_is_fine(body: bytes) -> None:
    decode.decode_nothing(body)


@pytest.mark.parametrize("text", ["1e300", "-1.5E-300", "5e-324", "0." + "1" * 700, "2.2250738585072011e-308", "-0.0"])
def test_floats_are_read_exactly(text: str) -> None:
    value = decode_json(text.encode())
    assert repr(value) == repr(json.loads(text))
