"""Any answer ends in a page or in one of our errors; and the codec's fast path is strict cattrs, only sooner."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from pinecone_backups_async import ApiError, Backup, BackupPage, ResponseParsingError
from pinecone_backups_async._decode import decode_json, decode_page
from pinecone_backups_async._endpoints import LIST_PROJECT_BACKUPS
from pinecone_backups_async._protocol import Protocol, Response
from pinecone_backups_async._structure import structure_listing
from tests.support.samples import row


def encoded(page: Any) -> bytes:
    return json.dumps(page).encode()


PROTOCOL = Protocol("https://api.example", {}, ["pcsk_key-of-the-fuzz-tests"])
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
times = st.sampled_from(
    [
        "2024-03-15T10:30:00Z",
        "2024-03-15T10:30:00.123456789Z",
        "2024-03-15T10:30:00+02:00",
        "2024-03-15",
        "",
        "0001-01-01T00:00:00+09:00",
    ]
)
shapes = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.fixed_dictionaries(
        {}, optional={"filterable": st.booleans() | plain, "type": plain, "dimension": plain, "novel": plain}
    )
    | plain,
    max_size=2,
)
schemas = st.fixed_dictionaries({}, optional={"fields": shapes | plain, "version": plain}) | plain
rows = st.fixed_dictionaries(
    {},
    optional={
        "backup_id": plain, "status": plain, "cloud": st.none() | st.text(), "name": plain, "dimension": plain, "record_count": st.integers(),
        "size_bytes": plain, "tags": values, "schema": schemas, "created_at": times | plain, "source_index_deleted_at": times, "metric": plain,
        "extra": values, "novel": values, "unknown_0": values,
    },
).map(lambda fields: row() | fields)  # fmt: skip
good_rows = st.fixed_dictionaries(
    {},
    optional={
        "name": st.none() | st.text(), "dimension": st.none() | st.integers(), "size_bytes": st.integers(-(2**70), 2**70), "created_at": times,
        "tags": st.none() | st.dictionaries(st.text(), values, max_size=2), "schema": schemas, "novel": values,
    },
).map(lambda fields: row() | fields)  # fmt: skip
paginations = (
    st.none() | st.fixed_dictionaries({}, optional={"next": st.none() | st.text(max_size=9), "more": plain}) | plain
)
pages = st.fixed_dictionaries(
    {},
    optional={
        "data": st.lists(rows | good_rows | values, max_size=4) | values,
        "pagination": paginations,
        "error": values,
        "took": values,
    },
)


def strictly(body: bytes) -> BackupPage | tuple[tuple[str, str], ...]:
    try:
        found = structure_listing(decode_json(body), Backup, "a page of backups")
        return BackupPage(data=found.rows, next_token=found.token, data_missing=found.missing)
    except ResponseParsingError as error:
        return error.problems


def as_told(body: bytes) -> BackupPage | tuple[tuple[str, str], ...]:
    try:
        return decode_page(body)
    except ResponseParsingError as error:
        return error.problems


FEW, MANY = settings(max_examples=150, deadline=None), settings(max_examples=1500, deadline=None)
any_page = pages | st.fixed_dictionaries({"data": st.lists(good_rows, max_size=4), "pagination": paginations})


def check_that_both_say_the_same(page: Any) -> None:
    body = encoded(page)
    assert as_told(body) == strictly(body)


@FEW
@given(any_page)
def test_the_fast_path_and_strict_cattrs_say_the_same_value_for_value_and_error_for_error(page: Any) -> None:
    check_that_both_say_the_same(page)


@pytest.mark.soak
@MANY
@given(any_page)
def test_so_they_do_of_many_more_pages(page: Any) -> None:
    check_that_both_say_the_same(page)


FULL_ROW = row(schema={"fields": {"a": {"filterable": True}}}, created_at="2024-03-15T10:30:00Z", tags={"t": "v"})
GARBLED = encoded({"data": [FULL_ROW], "pagination": {"next": "later"}, "took": 5})
odd_bytes = st.sampled_from([b"\xff", b"\\ud800", b"1e999", b"9" * 400, b"NaN", b"\0", b'"', b"{", b"]", b",", b"null"])


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, len(GARBLED)), st.integers(0, 3), odd_bytes | st.binary(max_size=3))
@example(GARBLED.index(b"5}"), 1, b"1e999")
@example(GARBLED.index(b"5}"), 1, b'"\xff"')
def test_what_the_fast_path_takes_of_a_garbled_page_strict_cattrs_takes_too(start: int, cut: int, put: bytes) -> None:
    body = GARBLED[:start] + put + GARBLED[start + cut :]
    assert as_told(body) == strictly(body)


@pytest.mark.parametrize("body", [b'{"data": [], "data": null}', b'{"data": [{"backup_id": "a", "backup_id": 5}]}'])
def test_of_keys_that_come_twice_the_last_counts_in_both(body: bytes) -> None:
    assert as_told(body) == strictly(body)


bodies = st.binary(max_size=200) | pages.map(encoded) | values.map(encoded) | st.text(max_size=50).map(str.encode)
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "X-Request-Id", "X-Pinecone-Request-Id", "Content-Type"]),
    st.text(max_size=20),
)


Answered = tuple[int, dict[str, str], bytes]
any_answer = st.tuples(st.just(200) | st.integers(0, 999), headers, bodies)


def check_that_it_ends(answered: Answered) -> None:
    status, fields, body = answered
    try:
        outcome: BackupPage | Exception = PROTOCOL.read(
            LIST_PROJECT_BACKUPS, Response(status, CIMultiDict(fields), body)
        )
    except (ApiError, ResponseParsingError) as error:
        outcome = error
    if isinstance(outcome, BackupPage):
        assert status == 200
        listing = json.loads(body)
        assert len(outcome.data) == len(listing.get("data", []))
        assert outcome.data_missing == ("data" not in listing)
    else:
        assert str(outcome).isprintable()


@FEW
@given(any_answer)
def test_any_answer_ends_in_a_page_or_in_an_error_of_ours(answered: Answered) -> None:
    check_that_it_ends(answered)


@pytest.mark.soak
@MANY
@given(any_answer)
def test_so_do_many_more(answered: Answered) -> None:
    check_that_it_ends(answered)
