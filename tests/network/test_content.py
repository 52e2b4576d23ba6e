"""C: what stands in a 200. A doubtful answer is an error, never a shorter list."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from pinecone_backups_async import ApiError, ResponseParsingError, ServiceError
from tests.support.clients import client_of, listed
from tests.support.fault_server import answer, error, fault_server, keep_open
from tests.support.samples import page_body, row


@pytest.mark.parametrize("body", [b"<html>Hi</html>", b"", b"   ", b'{"data": ["\xff"]}'])
async def test_C1_what_is_not_json_is_retried_and_then_an_error(body: bytes) -> None:
    async with fault_server([answer(body)]) as server, client_of(server) as client:
        assert await listed(client) == server.ids
        server.script = [answer(body)] * 4
        with pytest.raises(ResponseParsingError) as caught:
            await listed(client)
        assert (caught.value.attempts, caught.value.decoded) == (4, False)


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Type: application/json; charset=bz2\r\n",
        "Content-Type: text/html; charset=latin-1\r\n",
        "Content-Type: \r\n",
        "",
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
async def test_C2_the_body_is_json_in_utf_8_whatever_its_headers_say(headers: str, mark: bytes) -> None:
    body = mark + page_body(row("b-é"))
    async with fault_server([answer(body, headers=headers)]) as server, client_of(server) as client:
        assert await listed(client) == ["b-é"]


PAGE = {"data": [row()], "pagination": {"next": None}}
PLACES: dict[str, Any] = {
    "the page": PAGE | {"novel": "@"},
    "its pagination": PAGE | {"pagination": {"next": None, "novel": "@"}},
    "an unknown field": PAGE | {"data": [row(novel="@")]},
    **{name: PAGE | {"data": [row() | {name: "@"}]} for name in ("name", "dimension", "tags")},
}
GOOD = {"name": b'"fine"', "dimension": b"5", "tags": b'{"a": "b"}'}
GARBLED = [
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 50_000, b'{"a":' * 50_000, b'"\\ud800"', b'"\xff"',
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", GARBLED, ids=lambda value: value[:8].decode(errors="replace"))
async def test_C1_C3_C6_one_garbled_value_anywhere_spoils_the_page_and_is_retried(place: str, value: bytes) -> None:
    page = json.dumps(PLACES[place]).encode()
    good = page.replace(b'"@"', GOOD.get(place, b'"fine"'))
    async with fault_server([keep_open(answer(good))]) as server:
        async with client_of(server) as client:
            assert await listed(client) == ["b1"]  # the value alone is at fault
            server.script = [answer(page.replace(b'"@"', value))] * 4
            with pytest.raises(ResponseParsingError) as caught:
                await listed(client)
            assert (caught.value.decoded, caught.value.attempts, len(server.heads)) == (False, 4, 5)


@pytest.mark.parametrize("value", [b"[" * 100_000, b'{"a":' * 100_000])
@pytest.mark.parametrize("place", PLACES)
async def test_C3_nesting_a_hundred_thousand_deep_crashes_nothing(place: str, value: bytes) -> None:
    body = json.dumps(PLACES[place]).encode().replace(b'"@"', value)
    async with fault_server([answer(body)] * 4) as server, client_of(server) as client:
        with pytest.raises(ResponseParsingError):
            await listed(client)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": "x"}',
        b'{"items": []}',
        b'{"message": "hi"}',
        b"5",
    ],
)
async def test_C4_json_that_is_no_page_is_an_error_and_not_retried(body: bytes) -> None:
    async with fault_server([answer(body)]) as server, client_of(server) as client:
        with pytest.raises(ResponseParsingError):
            await listed(client)
        assert len(server.heads) == 1


async def test_C4_an_empty_object_is_no_end_behind_the_first_page() -> None:
    async with fault_server(backups=6) as server, client_of(server) as client:
        server.script = [answer(server.page(b"GET /backups HTTP/1.1")), answer(b"{}")]
        with pytest.raises(ResponseParsingError, match=r"\$\.data"):
            await listed(client)
        assert len(server.heads) == 2


@pytest.mark.parametrize(("code", "requests"), [("INTERNAL", 1), ("UNAVAILABLE", 4)])
async def test_C4_an_error_object_under_200_is_an_error(code: str, requests: int) -> None:
    body = json.dumps({"status": 500, "error": {"code": code, "message": "x"}}).encode()
    async with fault_server([answer(body)] * 4) as server, client_of(server) as client:
        with pytest.raises(ApiError) as caught:
            await listed(client)
        assert (caught.value.status, len(server.heads)) == (200, requests)
        assert isinstance(caught.value, ServiceError) == (code == "UNAVAILABLE")


async def test_C4_an_error_with_a_page_beside_it_is_no_page() -> None:
    both = json.dumps({"data": [row()], "error": {"code": "INTERNAL", "message": "x"}}).encode()
    async with fault_server([answer(both)]) as server, client_of(server) as client:
        with pytest.raises(ApiError):
            await listed(client)
        assert len(server.heads) == 1


@pytest.mark.parametrize("fields", [{"status": "Dreaming"}, {"metric": "manhattan"}, {"novel": {"a": [1]}}])
async def test_C5_unknown_values_and_fields_pass(fields: dict[str, Any]) -> None:
    async with fault_server([answer(page_body(row("b"), row("c", **fields)))]) as server, client_of(server) as client:
        assert await listed(client) == ["b", "c"]


async def complained_of(second_row: dict[str, Any]) -> ResponseParsingError:
    """Return what is said of a page whose second row is this one."""
    async with fault_server([answer(page_body(row(), second_row))]) as server, client_of(server) as client:
        with pytest.raises(ResponseParsingError) as caught:
            await listed(client)
        assert len(server.heads) == 1
    for hidden in ("b-hidden", "products", "pcsk_"):  # of the values around it none is told
        assert hidden not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", ["backup_id", "source_index_name", "source_index_id", "status", "cloud", "region"])
async def test_C5_a_missing_field_is_named_by_its_path(name: str) -> None:
    short = {key: value for key, value in row("b-hidden").items() if key != name}
    assert (await complained_of(short)).problems == ((f"$.data[1].{name}", "required, but missing"),)
    (problem,) = (await complained_of(row("b-hidden") | {name: None})).problems
    assert problem[0] == f"$.data[1].{name}"


@pytest.mark.parametrize(("name", "value"), [("size_bytes", "5"), ("tags", []), ("name", 5), ("created_at", "today")])
async def test_C5_so_is_one_of_a_wrong_type(name: str, value: object) -> None:
    (problem,) = (await complained_of(row("b-hidden") | {name: value})).problems
    assert problem[0] == f"$.data[1].{name}"


ODD = "a\0b\x1b[31m\u202e\r\nroot: pwned\n"


async def test_C6_odd_text_crashes_nothing_and_messages_are_one_line() -> None:
    body = json.dumps({"status": 404, "error": {"code": ODD, "message": ODD}}).encode()
    async with fault_server([answer(page_body(row(ODD, name=ODD))), answer(body, "404 Not Found")]) as server:
        async with client_of(server) as client:
            (backup,) = await client.list_backups().to_list()
            assert (backup.backup_id, backup.name) == (ODD, ODD)
            assert repr(backup).isprintable()
            with pytest.raises(ApiError) as caught:
                await listed(client)
    assert str(caught.value).isprintable()


async def test_C6_a_record_of_the_log_is_one_line_whatever_the_service_says(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failing = keep_open(error("503 Down", ODD, "X-Pinecone-Request-Id: a\u0085b\r\n", message=ODD))
    async with fault_server([failing] * 5) as server, client_of(server) as client:
        with pytest.raises(ServiceError) as caught:
            await client.fetch_page()
        await listed(client)
    logging.getLogger("pinecone_backups_async").error("failed: %s", caught.value)
    lines = [found.getMessage() for found in caplog.records if found.name == "pinecone_backups_async"]
    assert len(lines) == 6  # four retries, the end of a walk, and the user's own
    assert all(line.isprintable() for line in lines)
