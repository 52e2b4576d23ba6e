"""R: redirects and statuses that are no success. Nothing is followed, nothing but a 200 is a page."""

from __future__ import annotations

import pytest
import trustme

from pinecone_backups_async import ApiError, TransportError, UnexpectedRedirectError
from tests.support.certificates import client_context, server_context
from tests.support.clients import client_of, eager, listed
from tests.support.fault_server import answer, fault_server, head, keep_open


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


@pytest.mark.parametrize("scheme", ["http:", "https:", ""])
async def test_R2_nor_one_from_https_least_of_all_to_http(scheme: str) -> None:
    authority = trustme.CA()
    tls, trust = server_context(authority), client_context(authority)
    async with fault_server(tls=tls if scheme == "https:" else None) as target:
        place = f"{scheme}//{target.url.split('//', 1)[1]}/backups"
        async with fault_server([redirect(302, place)], tls=tls) as server:
            async with client_of(server, ssl_context=trust) as client:
                with pytest.raises(UnexpectedRedirectError):
                    await listed(client)
            assert (len(server.heads), target.connections) == (1, 0)


@pytest.mark.parametrize("location", ["/backups", "{}/backups?paginationToken=3"])  # the latter would go on for ever
async def test_R3_nor_one_to_the_same_origin_which_would_lose_the_token(location: str) -> None:
    async with fault_server(backups=6) as server, client_of(server) as client:
        server.script = [redirect(307, location.format(server.url))] * 20
        seen: list[str] = []
        with pytest.raises(UnexpectedRedirectError) as caught:
            async for backup in client.list_backups(pagination_token="3"):
                seen.append(backup.backup_id)  # noqa: PERF401 - what came before the error is the point
        assert (len(server.heads), seen, caught.value.pagination_token) == (1, [], "3")


@pytest.mark.parametrize("hundred", [100, 200, 300])
async def test_R4_no_status_but_200_is_ever_a_page(hundred: int) -> None:
    async with fault_server() as server, client_of(server, retry=eager()) as client:
        page = server.page(b"GET /backups HTTP/1.1")
        for status in sorted({*range(hundred, hundred + 100)} - {101, 200}):
            interim = status < 200
            body = b"" if status in {204, 304} else page
            server.script = [head(status=f"{status} Odd") if interim else answer(body, f"{status} Odd")] * 4
            server.heads.clear()
            seen: list[str] = []
            with pytest.raises(TransportError if interim else ApiError) as caught:
                seen += await listed(client)
            # An interim answer alone is none at all, and that is tried again.
            assert (seen, len(server.heads)) == ([], 4 if interim else 1)
            assert vars(caught.value)["status"] == (None if interim else status)
            assert isinstance(caught.value, UnexpectedRedirectError) == (hundred == 300)


async def test_R4_nor_a_page_behind_the_switch_to_another_protocol() -> None:
    upgrade = head("Upgrade: x\r\nConnection: upgrade\r\n", "101 Switching Protocols")
    async with fault_server() as server, client_of(server, retry=eager()) as client:
        server.script = [upgrade + answer(server.page(b"GET /backups HTTP/1.1"))]
        with pytest.raises(ApiError) as caught:
            await listed(client)
        assert (caught.value.status, len(server.heads)) == (101, 1)


async def test_R5_cookies_are_neither_kept_nor_sent() -> None:
    async with fault_server(backups=30) as server, client_of(server) as client:
        pages = [server.page(b"GET /backups?paginationToken=%d HTTP/1.1" % start) for start in range(0, 30, 3)]
        server.script = [keep_open(answer(page, headers="Set-Cookie: session=1; Path=/\r\n")) for page in pages]
        assert await listed(client) == server.ids
        assert len(server.heads) == 10
        assert not [seen for seen in server.heads if b"cookie" in seen.lower()]
