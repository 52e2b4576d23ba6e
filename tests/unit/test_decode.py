"""JSON bytes to models: every field as it arrives, every fault by its path, for every body of the API."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import attrs
import pytest

from pinecone_backups_async import Backup, BackupPage, MetadataField, MetadataSchema, ResponseParsingError
from pinecone_backups_async import ResponseTooLargeError as TooLarge
from pinecone_backups_async import _decode as decode
from pinecone_backups_async._decode import MAX_DEPTH, MAX_VALUES, decode_json, decode_page
from pinecone_backups_async._models import FrozenDict
from pinecone_backups_async._structure import MAX_ROWS
from tests.support.samples import CURL_EXAMPLE, OPENAPI_EXAMPLE, page_body, row

NOVEL: list[dict[str, Any]] = [{}, {"novel": {"a": [1]}}]  # what a row has beside the known keys: another reader


def problems(body: bytes | str, decode_body: Callable[[bytes], object] = decode_page) -> dict[str, str]:
    with pytest.raises(ResponseParsingError) as caught:
        decode_body(body.encode() if isinstance(body, str) else body)
    assert caught.value.decoded
    return dict(caught.value.problems)


def utc(year: int, month: int = 1, day: int = 1, *rest: int) -> dt.datetime:
    return dt.datetime(year, month, day, *rest, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


TYPED = {"embedding": {"type": "dense_vector", "dimension": 1536, "metric": "cosine", "quantised": [1]}, "title": {}}
TYPED_EXAMPLE = page_body(row(schema={"fields": TYPED, "version": 2}, created_at="2024-03-15T10:30:00Z"))
EMBEDDING = MetadataField(type="dense_vector", dimension=1536, metric="cosine", extra={"quantised": [1]})
TYPED_SCHEMA = MetadataSchema(fields={"embedding": EMBEDDING, "title": MetadataField()}, extra={"version": 2})


@pytest.mark.parametrize("example", [CURL_EXAMPLE, OPENAPI_EXAMPLE, TYPED_EXAMPLE])
def test_the_examples_of_the_specification(example: bytes) -> None:
    """They are equal in every value."""
    page = decode_page(example)
    assert page.next_token is None
    assert (page.data[0].schema == TYPED_SCHEMA) == (example == TYPED_EXAMPLE)
    for backup, original in zip(page.data, json.loads(example)["data"], strict=True):
        returned = backup.to_dict()
        assert len({dt.datetime.fromisoformat(each.pop("created_at")) for each in (returned, original)}) == 1
        assert {key: returned.pop(key) for key in original} == original
        assert set(returned.values()) <= {None}


@pytest.mark.parametrize(("text", "moment"), {
    "2024-03-15T10:30:00Z": utc(2024, 3, 15, 10, 30), "2024-03-15t10:30:00z": utc(2024, 3, 15, 10, 30),
    "2024-03-15T10:30:00-00:00": utc(2024, 3, 15, 10, 30), "2025-06-30T23:59:60Z": utc(2025, 7, 1),
    "2024-03-15T12:30:00.5+02:00": utc(2024, 3, 15, 10, 30, 0, 500_000), "0001-01-01T00:00:00Z": utc(1),
    "2024-03-15T10:30:00.1234564999Z": utc(2024, 3, 15, 10, 30, 0, 123_456),
    "2024-03-15T10:30:00.123456500Z": utc(2024, 3, 15, 10, 30, 0, 123_457),
    "2024-03-15T10:30:00.1234565000Z": utc(2024, 3, 15, 10, 30, 0, 123_457),
    "2024-12-31T23:59:59.9999995+00:00": utc(2025),
    "2025-07-01T01:59:60.25+02:00": utc(2025, 7, 1, 0, 0, 0, 250_000),
}.items())  # fmt: skip
def test_times_are_utc_and_rounded(text: str, moment: dt.datetime) -> None:
    """RFC 3339 exactly, whichever reader takes the page; second 60 is the first instant of the next minute."""
    for beside in (*NOVEL, {"created_at": "2024-03-15T10:30:00+23:59"}):
        other = row("b0", created_at="2024-03-15T10:30:00Z") | beside
        first, second = decode_page(page_body(row(created_at=text, source_index_deleted_at=text), other)).data
        assert first.created_at == first.source_index_deleted_at == moment
        times: list[Any] = [first.created_at, second.created_at]
        assert times[0].tzinfo is times[1].tzinfo is dt.UTC
        assert first.to_dict()["created_at"] == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


NO_TIMES = [
    "", "yesterday", "2024-03-15", "2024-03-15T10:30:00", "0001-01-01T00:00:00+05:00", 5, "2024-03-15 10:30:00Z",
    "2024-03-15x10:30:00Z", "20240315T103000Z", "2024-W11-5T10:30:00Z", "2024-03-15T10:30:00,5Z", "2024-03-15T10:30Z",
    "2024-03-15T10:30:00+0200", "2024-03-15T10:30:00.Z", "2024-03-15T10:30:00+02", "2024-03-15T10:30:00+00:00:01",
    "2024-03-15T10:30:61Z", "2024-03-15T24:00:00Z", "2024-02-30T10:30:00Z", "2024-03-15T10:60:00Z",
    "2024-03-15T10:30:00+24:00", "2024-03-15T10:30:00+00:60", "0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z",
    "9999-12-31T23:59:59.9999999Z", "\uff12024-03-15T10:30:00Z", "2024-03-15T10:30:00Z\n", " 2024-03-15T10:30:00Z",
    '2024-03-15T10:30:00Z","2024-03-15T10:30:00Z',
]  # fmt: skip


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_rfc_3339_time_is_refused(text: object) -> None:
    for name, beside in itertools.product(("created_at", "source_index_deleted_at"), NOVEL):
        assert set(problems(page_body(row() | {name: text} | beside))) == {f"$.data[0].{name}"}


KNOWN = attrs.fields_dict(Backup).keys() - {"extra"}
FULL = row(
    name="n", description="", dimension=3, metric="new-metric", schema={"fields": TYPED}, record_count=2**60,
    namespace_count=0, size_bytes=0, tags={"a": 1}, created_at="2024-03-15T10:30:00.000001Z", novel=[{}],
    source_index_deleted_at=None,
)  # fmt: skip
SCHEMAS: list[Any] = [None, {"fields": {}}, *[{"fields": {"a": {"type": type_}}} for type_ in ("string", "float")]]
ODD_KEYS = ['a"b', "a\\b", "a\nb", "\u202e", "k" * 5000, "", "extra", "__class__", "data"]
EXTRAS: list[list[dict[str, Any]]] = [
    [{"z": {"a": [1, None]}, "extra": "theirs", "a": 0}, {}, {"a": 1, "z": None}], [FULL],
    [{key: {"n": 1}} for key in ODD_KEYS], [dict.fromkeys(ODD_KEYS, 1.5)],
    [{"schema": schema} for schema in SCHEMAS],
    [{"schema": schema} for schema in (*SCHEMAS, {"fields": TYPED, "version": 2})],
]  # fmt: skip


@pytest.mark.parametrize("extras", EXTRAS)
def test_rows_come_back_as_they_were_sent(extras: list[dict[str, Any]]) -> None:
    """Unknown fields are kept, in their order."""
    page = decode_page(page_body(*[row() | extra for extra in extras], next_token="t+/="))
    for backup, sent in zip(page.data, extras, strict=True):
        assert {key: backup.to_dict()[key] for key in sent} == sent
        assert list(backup.extra.items()) == [(key, value) for key, value in sent.items() if key not in KNOWN]
    assert decode_page(json.dumps(page.to_dict()).encode()) == page


@pytest.mark.parametrize("beside", NOVEL)
@pytest.mark.parametrize("fields", [TYPED, {"title": {}, "genre": {"type": "string"}}])
def test_rows_share_only_what_cannot_be_changed(fields: dict[str, Any], beside: dict[str, Any]) -> None:
    """They share a schema if it is equal; its fields are in alphabetical order."""
    schemas = [{"fields": fields}, {"fields": fields | {"title": {"type": "float"}}}, {"fields": fields}] * 2
    backups = decode_page(page_body(*[row(schema=each, tags={"a": "b"}) | beside for each in schemas])).data
    assert [backup.to_dict()["schema"] for backup in backups] == schemas
    for backup, other in zip(backups, backups[1:] + backups[:1], strict=True):
        assert backup.schema
        assert list(backup.schema.fields) == sorted(fields)
        assert isinstance(backup.schema.fields, FrozenDict)
        assert backup.tags is not other.tags
        assert backup.extra is not other.extra or isinstance(backup.extra, FrozenDict)
    assert (backups[2].schema is backups[3].schema) == ("embedding" not in fields)


@pytest.mark.parametrize("change", [
    "clear()", "popitem()", "pop('a')", "update(b=1)", "setdefault('b', 1)", "__setitem__('b', 1)", "__delitem__('a')",
    "__ior__({'b': 1})",
])  # fmt: skip
def test_a_shared_schema_cannot_be_changed(change: str) -> None:
    (backup,) = decode_page(page_body(row(schema={"fields": {"a": {"filterable": True}}}))).data
    fields: Any = backup.schema and backup.schema.fields
    with pytest.raises(TypeError, match="make a copy"):
        eval(f"fields.{change}")
    assert type(deepcopy(fields)) is dict


REQUIRED = ["backup_id", "source_index_name", "source_index_id", "status", "cloud", "region"]


@pytest.mark.parametrize(("fields", "path", "reason"), [
    *[({name: ...}, name, "required, but missing") for name in REQUIRED],
    *[({name: None}, name, "expected str, got null") for name in REQUIRED],
    ({"backup_id": 5}, "backup_id", "expected str, got int"), ({"name": True}, "name", "expected str, got bool"),
    ({"dimension": True}, "dimension", "expected int, got bool"),
    ({"tags": []}, "tags", "expected object, got array"),
    ({"dimension": "5"}, "dimension", "expected int, got str"), ({"tags": "x"}, "tags", "expected object, got str"),
    ({"size_bytes": 1.0}, "size_bytes", "expected int, got float"),
    ({"schema": []}, "schema", "expected object, got array"),
    ({"schema": {}}, "schema.fields", "required, but missing"),
    ({"schema": {"fields": 5}}, "schema.fields", "expected object, got int"),
    ({"schema": {"fields": {"a": None}}}, "schema.fields['a']", "expected object, got null"),
    ({"schema": {"fields": {"a": {"filterable": 1}}}}, "schema.fields['a'].filterable", "expected bool, got int"),
])  # fmt: skip
def test_a_wrong_type_is_named_and_never_coerced(fields: dict[str, Any], path: str, reason: str) -> None:
    sent = {name: value for name, value in row(**fields).items() if value is not ...}
    assert problems(page_body(row("b0"), sent)) == {f"$.data[1].{path}": reason}


NO_PAGES = {
    "$": ["[]", "null", '"page"', "5"],
    "$.data": ['{"data": null}', '{"data": {}}', '{"data": "none"}', '{"items": []}', '{"pagination": {"next": "t"}}'],
    "$.data[0]": ['{"data": [5]}', '{"data": [null]}'],
    "$.pagination": ['{"data": [], "pagination": []}', '{"data": [], "pagination": "t"}'],
    "$.pagination.next": [f'{{"data": [], "pagination": {{"next{end}}}}}' for end in ('Token": "t"', '": 5', '": {}')],
    "$.error": ['{"data": [], "error": {"code": "UNKNOWN"}}', '{"data": [], "error": "boom"}'],
}


@pytest.mark.parametrize(("path", "body"), [(path, body) for path, bodies in NO_PAGES.items() for body in bodies])
def test_what_is_not_a_page_is_an_error(body: str, path: str) -> None:
    assert set(problems(body)) == {path}


def test_P4_a_token_has_at_most_8_kib() -> None:
    assert decode_page(page_body(next_token="t" * 8192)).next_token == "t" * 8192
    for token in ("t" * 8193, "é" * 4097):
        assert problems(page_body(next_token=token)) == {"$.pagination.next": "longer than 8192 bytes"}


@pytest.mark.parametrize("body", [
    "{}", '{"data": []}', '\ufeff{"data": []}', '{"pagination": null}', '{"data": [], "error": null}',
    *[f'{{"data": [], "pagination": {end}}}' for end in ("null", "{}", '{"next": ""}', '{"next": null}')],
    '{"data": [], "pagination": {"next": null, "more": 1}, "took": 5}',
])  # fmt: skip
def test_P2_no_backups_and_no_next_page(body: str) -> None:
    assert decode_page(body.encode()) == BackupPage(data=(), next_token=None, data_missing='"data"' not in body)


@pytest.mark.parametrize("body", [
    b"", b"   ", b"<html>", b'{"data": [', b'\xff\xfe{"data": []}', b'{"data": [NaN]}', b'{"x": 1e999}',
    b"[" * 20_000, b'{"x": ' + b"9" * 5000 + b"}", b'{"data": []} {}', b'{"data": ["\xff"]}',
    b'{"data": ["\\ud800"]}', b'{"data": [], "novel": "\xff"}',
])  # fmt: skip
def test_what_is_not_json_is_told_apart(body: bytes) -> None:
    for decode_body in (decode_json, decode_page):
        with pytest.raises(ResponseParsingError) as caught:
            decode_body(body)
        assert not caught.value.decoded
        assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_every_fault_is_named_up_to_a_hundred() -> None:
    assert len(problems(page_body(row(cloud=1, region=2), {}, next_token=None))) == 2 + len(REQUIRED)
    found = problems(page_body(row(schema={"fields": {f"f{number}": 1 for number in range(5000)}})))
    assert len(found) == 100
    assert found["$.data[0].schema.fields['f0']"] == "expected object, got int"
    assert len(problems(page_body(*[row(schema={"fields": {"a": 1, "b": 2}}, dimension=1.5)] * 90))) == 100


@pytest.mark.parametrize("fields", [*NOVEL, {"cloud": 1}])
def test_a_page_has_at_most_a_thousand_rows(fields: dict[str, Any]) -> None:
    assert len(decode_page(page_body(*[row() | fields | {"cloud": "c"}] * MAX_ROWS)).data) == MAX_ROWS
    with pytest.raises(TooLarge, match="more than 1,000 rows"):
        decode_page(page_body(*[row() | fields] * (MAX_ROWS + 1)))
    with pytest.raises(TooLarge, match="more than 1,000 rows"):
        decode.decode_indexes(b'{"indexes": [' + b"{}," * MAX_ROWS + b"{}]}")


@pytest.mark.parametrize("item", ["[]", "{}", "1", '""', r'"\\"', '"a,[{"', r'"\",[{"'])
@pytest.mark.parametrize("around", ["[@]", '{"data":[],"novel":[@]}', '{"data":[{"schema":{"fields":[@]}}]}'])
def test_a_body_has_at_most_so_many_values(item: str, around: str) -> None:
    """Counted are commas and opening brackets outside texts, for every reader alike."""
    most = (MAX_VALUES - sum(map(around.count, "[{,")) + 1) // (2 if item in {"[]", "{}"} else 1)
    with pytest.raises(TooLarge, match="more than 50,000 values"):
        decode_page(around.replace("@", ",".join([item] * (most + 1))).encode())
    fitting = around.replace("@", ",".join([item] * most)).encode()
    assert decode_json(fitting) == json.loads(fitting)


def nested(levels: int) -> str:
    pairs = [('{"a":', "}"), ("[", "]")] * levels
    return "".join(pair[0] for pair in pairs[:levels]) + "1" + "".join(pair[1] for pair in pairs[levels - 1 :: -1])


IN_A_ROW = {'"tags":@': 3, '"novel":@': 3, '"schema":{"fields":{},"deep":@}': 4, '"schema":{"fields":{"a":{"n":@}}}': 6}
PLACES = {"@": 0, '{"data":[],"deep":@}': 1} | {
    f'{{"data":[{json.dumps(row())[:-1]},{place}}}]}}': above for place, above in IN_A_ROW.items()
}


@pytest.mark.parametrize(("around", "above"), PLACES.items())
def test_nesting_ends_at_a_hundred_levels(around: str, above: int) -> None:
    accepts: Callable[[bytes], object] = decode_page if above else decode_json
    accepts(around.replace("@", nested(MAX_DEPTH - above)).encode())
    for levels in (MAX_DEPTH + 1 - above, 600, 5000):
        with pytest.raises(ResponseParsingError, match="nested deeper than 100 levels") as caught:
            accepts(around.replace("@", nested(levels)).encode())
        assert not caught.value.decoded


JOB = {
    "restore_job_id": "r1", "backup_id": "b1", "target_index_name": "restored-index", "target_index_id": "i1",
    "status": "Completed", "created_at": "2025-04-25T18:14:05.227526Z", "completed_at": "2025-04-25T18:14:11.074618Z",
    "percent_complete": 100,
}  # fmt: skip
INDEX = {
    "name": "semantic-search", "dimension": 384, "metric": "cosine", "host": "semantic-search-c01b5b5.example",
    "spec": {"pod": {"environment": "us-west1-gcp", "pods": 4}}, "status": {"ready": True, "state": "Ready"},
    "vector_type": "dense",
}  # fmt: skip
FAMILY: dict[str, tuple[Callable[[bytes], Any], dict[str, Any], str]] = {
    "backup": (decode.decode_backup, row(created_at="2024-03-15T10:30:00Z"), "cloud"),
    "restore job": (decode.decode_job, JOB, "target_index_name"),
    "receipt": (decode.decode_receipt, {"restore_job_id": "r1", "index_id": "i1"}, "index_id"),
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
    assert all(problems(json.dumps(wrong), decode_one) for wrong in wrongs)
    with pytest.raises(ResponseParsingError):
        decode_one(b"{")


@pytest.mark.parametrize(("sent", "read"), [(100, 100.0), (42.5, 42.5), (None, None), (0, 0.0)])
def test_percent_complete_is_a_float(sent: object, read: object) -> None:
    job = decode.decode_job(json.dumps(JOB | {"percent_complete": sent}).encode())
    assert (job.percent_complete, type(job.percent_complete)) == (read, type(read))


@pytest.mark.parametrize(
    "wrong", [{"percent_complete": value} for value in (True, "100", 10**400)] + [{"status": None}]
)
def test_a_page_of_restore_jobs(wrong: dict[str, Any]) -> None:
    page = decode.decode_job_page(page_body(JOB, next_token="t"))
    assert ([job.restore_job_id for job in page.data], page.next_token, page.data_missing) == (["r1"], "t", False)
    assert decode.decode_job_page(b"{}").data_missing
    assert {*problems(page_body(JOB | wrong), decode.decode_job_page)} == {f"$.data[0].{name}" for name in wrong}


@pytest.mark.parametrize("body", [
    "{}", "[]", '{"indexes":null}', '{"data":[]}', '{"indexes":[],"error":{}}',
    '{"indexes":[],"pagination":{"next":"t"}}',
])  # fmt: skip
def test_what_is_no_list_of_indexes_is_an_error(body: str) -> None:
    """The service never pages it, so a token for more says that something is left out."""
    with pytest.raises(ResponseParsingError):
        decode.decode_indexes(body.encode())
    assert decode.decode_indexes(b'{"indexes":[]}') == []


@pytest.mark.parametrize("text", ["1e300", "-1.5E-300", "5e-324", "0." + "1" * 700, "2.2250738585072011e-308", "-0.0"])
def test_floats_are_read_exactly(text: str) -> None:
    assert repr(decode_json(text.encode())) == repr(json.loads(text))
