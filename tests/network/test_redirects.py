"""R: redirects are not followed, cookies not kept. That no status but 200 is a page: test_retries.py."""

from __future__ import annotations

import pytest

from pinecone_backups_async import ApiError, UnexpectedRedirectError
from tests.support.clients import client_of, failure, listed, listed_until_error
from tests.support.fault_server import answer, fault_server, head, keep_open


def redirect(status: int, location: str | None) -> bytes:
    return answer(b"", f"{status} Moved", "" if location is None else f"Location: {location}\r\n")


@pytest.mark.parametrize(("status", "location"), [
    *((status, "http://{}/backups") for status in (301, 302, 303, 307, 308)),
    *((302, place) for place in ("https://{}/backups", "//{}/backups", "http://u:p@{}", "file:///etc/passwd", None)),
])  # fmt: skip
async def test_R1_R2_no_redirect_is_followed(status: int, location: str | None) -> None:
    async with fault_server() as target:
        place = None if location is None else location.format(target.url.removeprefix("http://"))
        found, server = await failure([redirect(status, place)])
        assert (type(found), found.status) == (UnexpectedRedirectError, status)
        assert (len(server.heads), target.connections) == (1, 0)


@pytest.mark.parametrize("location", ["/backups", "{}/backups?paginationToken=3"])  # the latter would go on for ever
async def test_R3_nor_one_that_would_lose_the_token(location: str) -> None:
    async with fault_server(backups=6) as server, client_of(server) as client:
        server.script = [redirect(307, location.format(server.url))] * 20
        seen, found = await listed_until_error(client, pagination_token="3")
        assert (type(found), len(server.heads)) == (UnexpectedRedirectError, 1)
        assert (seen, found.pagination_token) == ([], "3")


async def test_R4_a_page_behind_a_switch_of_protocols_is_none() -> None:
    upgrade = head("Upgrade: x\r\nConnection: upgrade\r\n", "101 Switching Protocols")
    found, server = await failure([upgrade + answer(b'{"data": []}')] * 4)
    assert (type(found), found.status, len(server.heads)) == (ApiError, 101, 1)


async def test_R5_cookies_are_neither_kept_nor_sent() -> None:
    async with fault_server(backups=30) as server:
        named = server.url.replace("127.0.0.1", "localhost")  # aiohttp keeps none of a number
        pages = [server.page(b"GET /backups?paginationToken=%d HTTP/1.1" % start) for start in range(0, 30, 3)]
        server.script = [keep_open(answer(page, headers="Set-Cookie: session=1; Path=/\r\n")) for page in pages]
        async with client_of(server, base_url=named) as client:
            assert await listed(client) == server.ids
        assert len(server.heads) == 10
        assert not [seen for seen in server.heads if b"cookie" in seen.lower()]
