"""R: redirects and statuses that are no success. Nothing is followed, nothing but a 200 is a page."""

from __future__ import annotations

import pytest

from pinecone_backups_async import ApiError, TransportError, UnexpectedRedirectError

from .helpers import client_of, listed
from .server import answer, fault_server, head, keep_open


def redirect(status: int, location: str | None) -> bytes:
    headers = "" if location is None else f"Location: {location}\r\n"
    return answer(b"", f"{status} Moved", headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_R1_a_redirect_to_another_origin_is_an_error_and_not_followed(status: int) -> None:
    async with fault_server() as target, fault_server([redirect(status, f"{target.url}/backups")]) as server:
        async with client_of(server) as client:
            with pytest.raises(UnexpectedRedirectError) as caught:
                await listed(client)
        assert (caught.value.status, len(server.heads), target.connections) == (status, 1, 0)


@pytest.mark.parametrize("location", ["http://{}", "//{}", "https://u:p@{}", "file:///etc/passwd", None])
async def test_R2_nor_is_any_other_kind_of_location(location: str | None) -> None:
    async with fault_server() as target:
        place = None if location is None else location.format(target.url.removeprefix("http://"))
        async with fault_server([redirect(302, place)]) as server, client_of(server) as client:
            with pytest.raises(UnexpectedRedirectError):
                await listed(client)
            assert (len(server.heads), target.connections) == (1, 0)


async def test_R3_nor_one_to_the_same_origin_which_would_lose_the_token() -> None:
    async with fault_server(backups=6) as server, client_of(server) as client:
        server.script = [redirect(307, "/backups")]
        with pytest.raises(UnexpectedRedirectError) as caught:
            await client.fetch_page(pagination_token="3")
        assert (len(server.heads), caught.value.pagination_token) == (1, "3")


STATUSES = range(201, 400)


async def test_R4_no_status_but_200_is_ever_a_page() -> None:
    async with fault_server() as server, client_of(server) as client:
        for status in STATUSES:
            body = b"" if status in {204, 304} else server.page(b"GET /backups HTTP/1.1")
            server.script = [answer(body, f"{status} Odd")]
            with pytest.raises(ApiError) as caught:
                await listed(client)
            assert caught.value.status == status
            assert isinstance(caught.value, UnexpectedRedirectError) == (300 <= status < 400)


@pytest.mark.parametrize("status", [100, 102, 103, 150, 199])
async def test_R4_an_interim_answer_alone_is_no_answer(status: int) -> None:
    async with fault_server([head(status=f"{status} Interim")] * 4) as server, client_of(server) as client:
        with pytest.raises(TransportError):
            await listed(client)


async def test_R4_switching_protocols_is_an_error() -> None:
    upgrade = head("Upgrade: x\r\nConnection: upgrade\r\n", "101 Switching Protocols")
    async with fault_server([upgrade]) as server, client_of(server) as client:
        with pytest.raises(ApiError) as caught:
            await listed(client)
        assert caught.value.status == 101


async def test_R5_cookies_are_neither_kept_nor_sent() -> None:
    async with fault_server(backups=30) as server, client_of(server) as client:
        pages = [server.page(b"GET /backups?paginationToken=%d HTTP/1.1" % start) for start in range(0, 30, 3)]
        server.script = [keep_open(answer(page, headers="Set-Cookie: session=1; Path=/\r\n")) for page in pages]
        assert await listed(client) == server.ids
        assert len(server.heads) == 10
        assert not [seen for seen in server.heads if b"cookie" in seen.lower()]
