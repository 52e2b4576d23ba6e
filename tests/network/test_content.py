"""C: what stands in a 200. A doubtful answer is an error, never a shorter list. The fields are unit/test_decode's."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from pinecone_backups_async import ApiError, ResponseParsingError, ServiceError
from tests.support.clients import client_of, failure, listed
from tests.support.fault_server import answer, error, fault_server, keep_open
from tests.support.samples import page_body, row

PAGE = {"data": [row()], "pagination": {"next": None}}
PLACES: dict[str, Any] = {
    "the page": PAGE | {"novel": "@"},
    "its pagination": PAGE | {"pagination": {"next": None, "novel": "@"}},
    "an unknown field": PAGE | {"data": [row(novel="@")]},
    **{name: PAGE | {"data": [row() | {name: "@"}]} for name in ("name", "dimension", "tags")},
}
GOOD = {"name": b'"fine"', "dimension": b"5", "tags": b'{"a": "b"}'}
GARBLED = [
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b'"\\ud800"', b'"\xff"',
    b"[" * 20_000, b'{"a":' * 20_000,
]  # fmt: skip


@pytest.mark.parametrize(("body", "decoded"), [
    *((body, False) for body in (b"<html>Hi</html>", b"", b"   ", b'{"data": ["\xff"]}')),
    *((body, True) for body in (b"[]", b"null", b'{"data": null}', b'{"items": []}', b'{"message": "hi"}')),
])  # fmt: skip
async def test_C1_C4_what_is_no_page_is_an_error(body: bytes, decoded: bool) -> None:
    """What is not even JSON is asked for again."""
    found, server = await failure([answer(body)] * 4)
    assert (type(found), found.decoded, len(server.heads)) == (ResponseParsingError, decoded, 1 if decoded else 4)


@pytest.mark.parametrize("charset", ["application/json; charset=bz2", "text/html; charset=latin-1", "", None])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
async def test_C2_the_body_is_utf_8_whatever_headers_say(charset: str | None, mark: bytes) -> None:
    headers = "" if charset is None else f"Content-Type: {charset}\r\n"
    async with fault_server([answer(mark + page_body(row("b-é")), headers=headers)]) as server:
        async with client_of(server) as client:
            assert await listed(client) == ["b-é"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", GARBLED, ids=lambda value: f"{value[:8]!r} {len(value)}")
async def test_C3_one_garbled_value_spoils_the_page(place: str, value: bytes) -> None:
    page = json.dumps(PLACES[place]).encode()
    good = page.replace(b'"@"', GOOD.get(place, b'"fine"'))
    async with fault_server([answer(good)]) as server, client_of(server) as client:
        assert await listed(client) == ["b1"]  # the value alone is at fault
    found, server = await failure([answer(page.replace(b'"@"', value))] * 4)
    assert (type(found), found.decoded, len(server.heads)) == (ResponseParsingError, False, 4)


async def test_C4_an_empty_object_ends_no_listing() -> None:
    async with fault_server(backups=6) as server:
        first = server.page(b"GET /backups HTTP/1.1")
    found, server = await failure([answer(first), answer(b"{}")])
    assert (type(found), len(server.heads)) == (ResponseParsingError, 2)
    assert "$.data" in str(found)


@pytest.mark.parametrize("beside", [{}, {"data": [row()]}])
@pytest.mark.parametrize(("code", "kind", "requests"), [("INTERNAL", ApiError, 1), ("UNAVAILABLE", ServiceError, 4)])
async def test_C4_an_error_object_under_200_is_an_error(
    code: str, kind: type[ApiError], requests: int, beside: dict[str, Any]
) -> None:
    body = json.dumps({"status": 500, "error": {"code": code, "message": "x"}} | beside).encode()
    found, server = await failure([answer(body)] * 4)
    assert (type(found), found.status, len(server.heads)) == (kind, 200, requests)


async def test_C5_a_wrong_field_is_named_and_no_value_told() -> None:
    short = {key: value for key, value in row("b-hidden").items() if key != "region"}
    found, server = await failure([answer(page_body(row(status="Dreaming", novel=[1]), short))])
    assert (found.problems, len(server.heads)) == ((("$.data[1].region", "required, but missing"),), 1)
    assert not [hidden for hidden in ("b-hidden", "products", "pcsk_") if hidden in str(found)]


ODD = "a\0b\x1b[31m\u202e\r\nroot: pwned\n"


async def test_C6_odd_text_passes_and_messages_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failing = keep_open(error("503 Down", ODD, "X-Pinecone-Request-Id: a\u0085b\r\n", message=ODD))
    async with fault_server([keep_open(answer(page_body(row(ODD, name=ODD))))]) as server:
        async with client_of(server) as client:
            (backup,) = await client.list_backups().to_list()
            assert (backup.backup_id, backup.name) == (ODD, ODD)
            server.script = [failing] * 4
            with pytest.raises(ServiceError) as caught:
                await client.fetch_page()
    logging.getLogger("pinecone_backups_async").error("failed: %s", caught.value)
    lines = [found.getMessage() for found in caplog.records if found.name == "pinecone_backups_async"]
    assert len(lines) >= 5  # the end of a listing, three retries, and the user's own
    assert all(line.isprintable() for line in (*lines, repr(backup)))
