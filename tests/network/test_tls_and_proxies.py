"""X: whom the client talks to. Certificates, plain http, proxies, and what the environment says about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trustme

from pinecone_backups_async import BackupsClient, ConfigurationError, TLSError, TransportError
from tests.support.certificates import client_context, self_signed_context, server_context
from tests.support.clients import AT_ONCE, client_of, listed
from tests.support.error_reporters import ONLOOKERS
from tests.support.fault_server import fault_server, listening
from tests.support.guard import CANARY, find_canary

PASSWORD = "hush-hush"


async def test_X1_a_trusted_certificate_will_do() -> None:
    authority = trustme.CA()
    async with fault_server(tls=server_context(authority)) as server:
        async with client_of(server, ssl_context=client_context(authority)) as client:
            assert await listed(client) == server.ids


@pytest.mark.parametrize("fault", ["self-signed", "unknown authority", "other authority", "other host", "expired"])
async def test_X1_any_other_is_refused_at_the_first_handshake_and_nothing_is_sent(fault: str) -> None:
    authority, handshakes = trustme.CA(), 0
    tls = {
        "self-signed": self_signed_context(),
        "unknown authority": server_context(authority),
        "other authority": server_context(trustme.CA()),
        "other host": server_context(authority, "elsewhere.example"),
        "expired": server_context(authority, expired=True),
    }[fault]
    trust = None if fault == "unknown authority" else client_context(authority)

    def count(*_: object) -> None:
        nonlocal handshakes
        handshakes += 1

    tls.sni_callback = count
    async with fault_server(tls=tls) as server, client_of(server, ssl_context=trust) as client:
        with pytest.raises(TLSError) as caught:
            await listed(client)
        assert (caught.value.attempts, handshakes, server.heads) == (1, 1, [])


async def test_X1_a_server_that_does_not_speak_tls_is_an_error() -> None:
    async with fault_server() as server:
        url = server.url.replace("http:", "https:")
        async with BackupsClient(CANARY, base_url=url, retry=AT_ONCE, attempt_timeout=0.2) as client:
            with pytest.raises(TransportError):
                await listed(client)


PROTOCOL_VERSION_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"


@pytest.mark.parametrize("spoken", [b"HTTP/1.1 400 Bad Request\r\n\r\n", PROTOCOL_VERSION_ALERT])
async def test_X1_a_handshake_that_fails_is_not_tried_again(spoken: bytes) -> None:
    handshakes = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal handshakes
        handshakes += 1
        await reader.read(1000)
        writer.write(spoken)
        await writer.drain()

    async with listening(speak) as port:
        async with BackupsClient(CANARY, base_url=f"https://localhost:{port}", retry=AT_ONCE) as client:
            with pytest.raises(TLSError, match="the TLS handshake failed") as caught:
                await listed(client)
    assert (caught.value.attempts, handshakes) == (1, 1)


def test_X2_plain_http_is_for_loopback_alone() -> None:
    with pytest.raises(ConfigurationError, match="plain http is for loopback"):
        BackupsClient(CANARY, base_url="http://api.example")
    BackupsClient(CANARY, base_url="http://127.0.0.1:1")


def is_hushed(error: BaseException) -> bool:
    """Say whether the password of the proxy is nowhere in an error, whoever looks; an open session has to hold it."""
    return not find_canary(error, PASSWORD) and not any(PASSWORD in look(error) for look in ONLOOKERS.values())


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@attrs.define
class Proxy:
    """A proxy that refuses as it is told, then tunnels; it remembers the bytes of its own requests."""

    refusals: list[bytes]
    url: str = ""
    seen: bytes = b""
    connects: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.seen += request
        self.connects += 1
        if self.refusals:
            writer.write(b"HTTP/1.1 " + self.refusals.pop(0) + b"\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = request.split(b" ")[1].decode().split(":")
        upstream = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(pump(reader, upstream[1]), pump(upstream[0], writer), return_exceptions=True)


@asynccontextmanager
async def proxy(refusals: list[bytes]) -> AsyncGenerator[Proxy]:
    between = Proxy(refusals)
    async with listening(between.handle) as port:
        between.url = f"http://user:{PASSWORD}@127.0.0.1:{port}"
        yield between


@pytest.mark.parametrize("encrypted", [False, True])
async def test_X3_the_environments_proxies_and_netrc_are_not_asked(
    encrypted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc, authority = tmp_path / ".netrc", trustme.CA()
    netrc.write_text(f"default login user password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    tls, trust = (server_context(authority), client_context(authority)) if encrypted else (None, None)
    async with proxy([]) as between, fault_server(tls=tls) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, between.url)
            monkeypatch.setenv(name.lower(), between.url)
        async with client_of(server, ssl_context=trust) as client:
            assert await listed(client) == server.ids
        assert between.connects == 0
        assert b"authorization" not in server.heads[0].lower()


async def test_X3_an_explicit_proxy_works_whatever_no_proxy_says_and_never_sees_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    authority = trustme.CA()
    async with proxy([]) as between, fault_server(tls=server_context(authority)) as server:
        async with client_of(server, ssl_context=client_context(authority), proxy=between.url) as client:
            assert await listed(client) == server.ids
        assert between.connects == 1
        assert between.seen.startswith(b"CONNECT localhost:")
        assert CANARY.encode() not in between.seen
        assert CANARY.encode() in server.heads[0]
        assert b"authorization" not in server.heads[0].lower()


@pytest.mark.parametrize(("refusal", "connects"), [(b"407 Who are you", 1), (b"502 Bad", 4), (b"403 No", 1)])
async def test_X4_what_a_proxy_refuses_is_told_without_its_password(refusal: bytes, connects: int) -> None:
    authority = trustme.CA()
    async with proxy([refusal] * 4) as between, fault_server(tls=server_context(authority)) as server:
        async with client_of(server, ssl_context=client_context(authority), proxy=between.url) as client:
            with pytest.raises(TransportError) as caught:
                await listed(client)
            assert PASSWORD not in repr(client)
        assert (caught.value.status, between.connects) == (int(refusal[:3]), connects)
        assert is_hushed(caught.value)


async def test_X4_a_proxy_that_is_down_is_an_error_without_its_password() -> None:
    async with BackupsClient(CANARY, proxy=f"http://user:{PASSWORD}@127.0.0.1:9", retry=AT_ONCE) as client:
        with pytest.raises(TransportError) as caught:
            await listed(client)
        assert caught.value.attempts == 4
        assert PASSWORD not in repr(client)
    assert is_hushed(caught.value)
