"""X: whom the client talks to. Certificates, plain http, proxies, and what the environment says about them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trustme

from pinecone_backups_async import BackupsClient, ConfigurationError, TLSError, TransportError
from tests.support.certificates import client_context, self_signed_context, server_context
from tests.support.clients import AT_ONCE, client_of, failure, listed
from tests.support.error_reporters import ONLOOKERS
from tests.support.fault_server import fault_server, listening
from tests.support.guard import CANARY, find_canary

PASSWORD = "hush-hush"


AUTHORITY = trustme.CA()
TRUST = client_context(AUTHORITY)


async def test_X1_a_trusted_certificate_will_do() -> None:
    async with fault_server(tls=server_context(AUTHORITY)) as server, client_of(server, ssl_context=TRUST) as client:
        assert await listed(client) == server.ids


CERTIFICATES: dict[str, Callable[[], ssl.SSLContext]] = {
    "self-signed": self_signed_context,
    "unknown authority": lambda: server_context(AUTHORITY),
    "other authority": lambda: server_context(trustme.CA()),
    "other host": lambda: server_context(AUTHORITY, "elsewhere.example"),
    "expired": lambda: server_context(AUTHORITY, expired=True),
}


@pytest.mark.parametrize("fault", CERTIFICATES)
async def test_X1_any_other_ends_at_the_first_handshake(fault: str) -> None:
    handshakes: list[object] = []
    tls = CERTIFICATES[fault]()

    def count(*_: object) -> None:
        handshakes.append(None)

    tls.sni_callback = count
    found, server = await failure([], tls=tls, ssl_context=None if fault == "unknown authority" else TRUST)
    assert type(found) is TLSError
    assert (found.attempts, len(handshakes), server.heads) == (1, 1, [])


PROTOCOL_VERSION_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"


@pytest.mark.parametrize(
    ("spoken", "kind", "attempts"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", TLSError, 1),
        (PROTOCOL_VERSION_ALERT, TLSError, 1),
        (b"", TransportError, 4),
    ],
)
async def test_X1_a_server_that_speaks_no_tls(spoken: bytes, kind: type[TransportError], attempts: int) -> None:
    handshakes = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal handshakes
        handshakes += 1
        await reader.read(1000)
        writer.write(spoken)
        await writer.drain()

    async with listening(speak) as port:
        async with BackupsClient(CANARY, base_url=f"https://localhost:{port}", retry=AT_ONCE) as client:
            with pytest.raises(kind) as caught:
                await listed(client)
    assert (caught.value.attempts, handshakes) == (attempts, attempts)


def test_X2_plain_http_is_for_loopback_alone() -> None:
    with pytest.raises(ConfigurationError, match="plain http is for loopback"):
        BackupsClient(CANARY, base_url="http://api.example")
    BackupsClient(CANARY, base_url="http://127.0.0.1:1")


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
async def test_X3_the_environment_decides_nothing(
    encrypted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor a netrc of the environment is asked."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"default login user password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    tls, trust = (server_context(AUTHORITY), TRUST) if encrypted else (None, None)
    async with proxy([]) as between, fault_server(tls=tls) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, between.url)
            monkeypatch.setenv(name.lower(), between.url)
        async with client_of(server, ssl_context=trust) as client:
            assert await listed(client) == server.ids
        assert between.connects == 0
        assert b"authorization" not in server.heads[0].lower()


async def test_X3_an_explicit_proxy_never_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used whatever NO_PROXY says, and the service never sees its password."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    async with proxy([]) as between, fault_server(tls=server_context(AUTHORITY)) as server:
        async with client_of(server, ssl_context=TRUST, proxy=between.url) as client:
            assert await listed(client) == server.ids
        assert between.connects == 1
        assert between.seen.startswith(b"CONNECT localhost:")
        assert (CANARY.encode() in between.seen, CANARY.encode() in server.heads[0]) == (False, True)
        assert b"authorization" not in server.heads[0].lower()


@pytest.mark.parametrize(("refusal", "connects"), [(b"407 Who are you", 1), (b"502 Bad", 4), (b"403 No", 1), (b"", 4)])
async def test_X4_what_a_proxy_refuses_hides_its_password(refusal: bytes, connects: int) -> None:
    async with proxy([refusal] * 4) as between:
        url = between.url if refusal else f"http://user:{PASSWORD}@127.0.0.1:9"  # nobody listens there
        async with BackupsClient(CANARY, proxy=url, retry=AT_ONCE) as client:
            with pytest.raises(TransportError) as caught:
                await listed(client)
            assert PASSWORD not in repr(client)
    assert caught.value.status == (int(refusal[:3]) if refusal else None)
    assert (caught.value.attempts, between.connects) == (connects, connects if refusal else 0)
    assert not find_canary(caught.value, PASSWORD)
    assert not any(PASSWORD in look(caught.value) for look in ONLOOKERS.values())
