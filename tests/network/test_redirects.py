"""R: redirects are not followed, cookies not kept. That no status but 200 is a page: test_retries.py."""

from __future__ import annotations

import pytest
import trustme

from pinecone_backups_async import ApiError, UnexpectedRedirectError
from tests.support.certificates import client_context, server_context
from tests.support.clients import client_of, eager, failure, listed
from tests.support.fault_server import answer, fault_server, head, keep_open


def redirect(status: int, location: str | None) -> bytes:
    return answer(b"", f"{status} Moved", "" if location is None else f"Location: {location}\r\n")


@pytest.mark.parametrize(
    ("status", "location"),
    [
        *((status, "http://{}/backups") for status in (301, 302, 303, 307, 308)),
        *((302, location) for location in ("http://{}", "//{}", "https://u:p@{}", "file:///etc/passwd", None)),
    ],
)
async def test_R1_R2_no_redirect_is_followed(status: int, location: str | None) -> None:
    async with fault_server() as target:
        place = None if location is None else location.format(target.url.removeprefix("http://"))
        found, server = await failure([redirect(status, place)])
        assert (type(found), found.status) == (UnexpectedRedirectError, status)
        assert (len(server.heads), target.connections) == (1, 0)


@pytest.mark.parametrize("scheme", ["http:", "https:", ""])
async def test_R2_nor_one_from_https_least_of_all_to_http(scheme: str) -> None:
    authority = trustme.CA()
    tls, trust = server_context(authority), client_context(authority)
    async with fault_server(tls=tls if scheme == "https:" else None) as target:
        place = f"{scheme}//{target.url.split('//', 1)[1]}/backups"
        found, server = await failure([redirect(302, place)], tls=tls, ssl_context=trust)
        assert (type(found), len(server.heads), target.connections) == (UnexpectedRedirectError, 1, 0)


@pytest.mark.parametrize("location", ["/backups", "{}/backups?paginationToken=3"])  # the latter would go on for ever
async def test_R3_nor_one_that_would_lose_the_token(location: str) -> None:
    async with fault_server(backups=6) as server, client_of(server) as client:
        server.script = [redirect(307, location.format(server.url))] * 20
        seen: list[str] = []
        with pytest.raises(UnexpectedRedirectError) as caught:
            async for backup in client.list_backups(pagination_token="3"):
                seen.append(backup.backup_id)  # noqa: PERF401 - what came before the error is the point
        assert (len(server.heads), seen, caught.value.pagination_token) == (1, [], "3")


async def test_R4_a_page_behind_a_switch_of_protocols_is_none() -> None:
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
