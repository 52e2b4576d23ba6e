"""Any response ends in a value or in one of our errors; and the readers of a page differ in speed alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from pinecone_backups_async import ApiError, Backup, BackupPage, ResponseParsingError
from pinecone_backups_async._decode import decode_json, decode_page
from pinecone_backups_async._endpoints import LIST_PROJECT_BACKUPS
from pinecone_backups_async._protocol import Protocol, Response
from pinecone_backups_async._structure import structure_page
from tests.support.samples import row

PROTOCOL = Protocol("https://api.example", {}, ["pcsk_key-of-the-fuzz-tests"])


def encoded(page: Any) -> bytes:
    return json.dumps(page).encode()


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of objects with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
times = st.sampled_from([
    "2024-03-15T10:30:00Z", "2024-03-15T10:30:00.123456789Z", "2024-03-15T10:30:00+02:00", "2024-03-15t10:30:60z",
    "2024-03-15", "", "0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59.9999999Z", "2024-03-15 10:30:00Z",
    "2024-03-15T10:30:00+0200", "2024-03-15T10:30:00", '2024-03-15T10:30:00Z","2024-03-15T10:30:00Z',
    "2024-03-15T10:30:00Z\n2024-03-15T10:30:00Z", "2024-13-15T10:30:00Z",
])  # fmt: skip
shape = some(filterable=st.booleans() | plain, type=plain, dimension=plain, novel=plain)
shapes = st.dictionaries(st.sampled_from(["a", "b"]), shape | plain, max_size=2)
good_rows = some(
    name=st.none() | st.text(), dimension=st.none() | st.integers(), size_bytes=st.integers(-(2**70), 2**70),
    tags=st.none() | st.dictionaries(st.text(), values, max_size=2), novel=values, created_at=times,
    schema=some(fields=shapes | plain, version=plain) | plain, source_index_deleted_at=times,
).map(lambda fields: row() | fields)  # fmt: skip
rows = good_rows.flatmap(
    lambda good: st.dictionaries(st.sampled_from([*good, "metric", "extra", "novel_0"]), values, max_size=3).map(
        good.__or__
    )
)
paginations = st.none() | some(next=st.none() | st.text(max_size=9), more=plain) | plain
data = st.lists(rows | good_rows | values, max_size=4) | values
pages = some(data=data, pagination=paginations, error=values, took=values)
any_page = pages | st.fixed_dictionaries({"data": st.lists(good_rows, max_size=4), "pagination": paginations})
EXAMPLES = [200, pytest.param(1500, marks=pytest.mark.soak)]


def strictly(body: bytes) -> BackupPage:
    return structure_page(decode_json(body), BackupPage, Backup)


def check_that_both_say_the_same(body: bytes) -> None:
    """Values, their order and their types; errors, their class, problems and whether they are retried."""
    said: list[object] = []
    for reader in (decode_page, strictly):
        try:
            page = reader(body)
        except ResponseParsingError as error:
            said.append((type(error), error.args, error.problems, error.decoded))
        else:
            said.append((page, repr(page.to_dict()), [(repr(backup.schema), backup.extra) for backup in page.data]))
    assert said[0] == said[1]


FULL = row(
    schema={"fields": {"a": {"filterable": True}}}, created_at="2024-03-15T10:30:00Z", tags={"t": "v"}, metric="m"
)
KNOWN, NOVEL = (encoded({"data": [FULL | more], "pagination": {"next": "later"}}) for more in ({}, {"took": 5}))
odd_bytes = st.sampled_from([
    b"\xff", b"\\ud800", b"1e999", b"1e300", b"9" * 400, b"9" * 5000, b"NaN", b"\0", b'"', b"{", b"]", b",", b"null",
    b"[" * 90 + b"]" * 90, b"[" * 99 + b"]" * 99, b"[" * 700 + b"]" * 700, b"\\u0073",
])  # fmt: skip
twice = st.sampled_from([
    b"null", b"5", b'"x"', b"{}", b"[]", b"1e999", b'"\xff"', b'{"fields":{}}', b'{"fields":1e999}',
    b'{"fields":"\xff"}', b'{"fields":{"a":{"type":"\xff"}}}', b"[" * 200 + b"]" * 200, b'{"next":"other"}',
    b'[{"backup_id":1e999}]',
])  # fmt: skip
keys = st.sampled_from([*FULL, "data", "pagination", "next", "error", "took", "type", "fields"])


@st.composite
def garbled(draw: st.DrawFn) -> bytes:
    """Return a good page in which some bytes are cut out, and odd ones put in their place."""
    body, put = draw(st.sampled_from([KNOWN, NOVEL])), draw(odd_bytes | st.binary(max_size=3))
    start = draw(st.integers(0, len(body)))
    return body[:start] + put + body[start + draw(st.integers(0, 3)) :]


@st.composite
def with_a_key_twice(draw: st.DrawFn) -> bytes:
    """Return a good page with a key more in one of its objects, spelled in one of two ways: mostly it comes twice."""
    body, key = draw(st.sampled_from([KNOWN, NOVEL])), draw(keys).encode()
    spelled = draw(st.sampled_from([key, b"\\u%04x%b" % (key[0], key[1:])]))
    start = draw(st.sampled_from([found.end() for found in re.finditer(rb"\{|, ", body)]))
    return body[:start] + b'"%b": %b, ' % (spelled, draw(twice)) + body[start:]


BODIES = {"any page": any_page.map(encoded), "a garbled page": garbled(), "a key that comes twice": with_a_key_twice()}


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("kind", BODIES)
def test_the_readers_differ_in_speed_alone(kind: str, examples: int) -> None:
    """The pages are read one after another: nothing is kept from one to the next. Of a key's values the last counts."""
    settings(max_examples=examples, deadline=None)(given(BODIES[kind])(check_that_both_say_the_same))()


headers = st.sampled_from(["Retry-After", "Date", "X-Request-Id", "X-Pinecone-Request-Id", "Content-Type"])
any_bytes = st.binary(max_size=200) | (pages | values).map(encoded) | st.text(max_size=50).map(str.encode)
Answered = tuple[int, dict[str, str], bytes]
any_answer = st.tuples(st.just(200) | st.integers(0, 999), st.dictionaries(headers, st.text(max_size=20)), any_bytes)


def check_that_it_ends(answered: Answered) -> None:
    status, fields, body = answered
    response = Response(status, CIMultiDict(fields), body)
    try:
        page = PROTOCOL.read(LIST_PROJECT_BACKUPS, response)
    except (ApiError, ResponseParsingError) as error:
        text = str(error)
    else:
        text = "page"
        listing = json.loads(body)
        assert (status, len(page.data), page.data_missing) == (200, len(listing.get("data", [])), "data" not in listing)
    assert text.isprintable()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_answer_ends_in_a_page_or_an_error_of_ours(examples: int) -> None:
    settings(max_examples=examples, deadline=None)(given(any_answer)(check_that_it_ends))()


@pytest.mark.parametrize("time", ["2024-03-15T10:30:45Z", "2024-03-15T10:30:45.8031465Z"])
def test_a_time_with_an_odd_character_is_read_alike(time: str) -> None:
    """Put before each place, or in its place."""
    for place in range(len(time) + 1):
        for odd in "\x00\x1f\x7f TZtz+-:.,0\u0660":
            for end in time[place:], time[place + 1 :]:
                check_that_both_say_the_same(encoded({"data": [row(created_at=time[:place] + odd + end)]}))
