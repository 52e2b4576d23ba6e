"""C: what stands in a 200. A doubtful answer is an error, never a shorter list."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pinecone_backups_async import ApiError, ResponseParsingError, ServiceError
from tests.samples import page_body, row

from .helpers import client_of, listed
from .server import answer, fault_server


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


@pytest.mark.parametrize(
    "place", [b'{"data": [], "x": VALUE}', b'{"data": [], "pagination": {"x": VALUE, "next": null}}']
)
@pytest.mark.parametrize("value", [b'"\xff"', b"NaN", b"Infinity", b"1e999", b"9" * 5000, b"[" * 100_000])
async def test_C3_values_that_json_does_not_have_are_an_error_of_ours(place: bytes, value: bytes) -> None:
    async with fault_server([answer(place.replace(b"VALUE", b"5"))]) as server, client_of(server) as client:
        assert await listed(client) == []  # the value alone is at fault
        server.script = [answer(place.replace(b"VALUE", value))] * 4
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


@pytest.mark.parametrize(("code", "requests"), [("INTERNAL", 1), ("UNAVAILABLE", 4)])
async def test_C4_an_error_object_under_200_is_an_error(code: str, requests: int) -> None:
    body = json.dumps({"status": 500, "error": {"code": code, "message": "x"}}).encode()
    async with fault_server([answer(body)] * 4) as server, client_of(server) as client:
        with pytest.raises(ApiError) as caught:
            await listed(client)
        assert (caught.value.status, len(server.heads)) == (200, requests)
        assert isinstance(caught.value, ServiceError) == (code == "UNAVAILABLE")


@pytest.mark.parametrize("fields", [{"status": "Dreaming"}, {"metric": "manhattan"}, {"novel": {"a": [1]}}])
async def test_C5_unknown_values_and_fields_pass(fields: dict[str, Any]) -> None:
    async with fault_server([answer(page_body(row("b"), row("c", **fields)))]) as server, client_of(server) as client:
        assert await listed(client) == ["b", "c"]


@pytest.mark.parametrize(("fields", "path"), [({"backup_id": None}, "backup_id"), ({"size_bytes": "5"}, "size_bytes")])
async def test_C5_a_wrong_field_is_named_by_its_path(fields: dict[str, Any], path: str) -> None:
    async with fault_server([answer(page_body(row("b"), row() | fields))]) as server, client_of(server) as client:
        with pytest.raises(ResponseParsingError) as caught:
            await listed(client)
        assert [found for found, _ in caught.value.problems] == [f"$.data[1].{path}"]
        assert "products" not in str(caught.value)


async def test_C6_odd_text_crashes_nothing_and_messages_are_one_line() -> None:
    odd = "a\0b\x1b[31m\u202e\n"
    body = json.dumps({"status": 404, "error": {"code": odd, "message": odd}}).encode()
    async with fault_server([answer(page_body(row(odd, name=odd))), answer(body, "404 Not Found")]) as server:
        async with client_of(server) as client:
            (backup,) = await client.list_backups().to_list()
            assert repr(backup).isprintable()
            with pytest.raises(ApiError) as caught:
                await listed(client)
    assert str(caught.value).isprintable()


async def test_C6_a_lone_surrogate_is_refused_by_the_json_library() -> None:
    whole = page_body(row("b", name="NAME"))
    async with fault_server([answer(whole)], backups=1) as server, client_of(server) as client:
        assert await listed(client) == ["b"]
        server.script = [answer(whole.replace(b"NAME", b"\\ud800"))] * 4
        with pytest.raises(ResponseParsingError) as caught:
            await listed(client)
        assert (caught.value.decoded, caught.value.attempts) == (False, 4)
