"""X: whom the client talks to. Certificates, plain http, proxies, and what the environment says about them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
import trustme

from pinecone_backups_async import BackupsClient, ConfigurationError, TLSError, TransportError
from tests.support.certificates import client_context, self_signed_context, server_context
from tests.support.clients import client_of, failed_at, failure, listed
from tests.support.fault_server import fault_server, listening
from tests.support.guard import CANARY, find_canary

PASSWORD = "hush-hush"
AUTHORITY = trustme.CA()
TRUST = client_context(AUTHORITY)


@pytest.mark.parametrize(("tls", "words"), {
    self_signed_context(): "self-signed certificate",
    server_context(trustme.CA()): "unable to get local issuer certificate",
    server_context(AUTHORITY, "elsewhere.example"): "Hostname mismatch, certificate is not v",
    server_context(AUTHORITY, expired=True): "certificate has expired",
}.items())  # fmt: skip
async def test_X1_a_certificate_that_is_not_accepted(tls: ssl.SSLContext, words: str) -> None:
    """It ends the call at the first handshake, and the error says which host's it is, and why."""
    tls.sni_callback = handshake = Mock(return_value=None)
    found, server = await failure([], tls=tls, ssl_context=TRUST)
    assert (type(found), found.attempts, handshake.call_count, server.heads) == (TLSError, 1, 1, [])
    place = server.url.removeprefix("https://")
    assert str(found).startswith(f"the certificate of the server {place} is not accepted: ")
    assert str(found).endswith(" (to trust a CA: ssl_context=, SSL_CERT_FILE)")
    assert words in str(found)


async def test_X1_a_fingerprint_that_does_not_match() -> None:
    async with fault_server(tls=server_context(AUTHORITY)) as server:
        async with aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(b"0" * 32)) as connector:
            # By number: aiohttp goes on to the other addresses of a name, and raises what the last one said.
            error = await failed_at(server.url.replace("localhost", "127.0.0.1"), connector=connector)
    assert (type(error), error.attempts, server.heads) == (TLSError, 1, [])


async def test_X1_ssl_cert_file_is_read_for_each_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that is replaced counts for the next client."""
    other, path = trustme.CA(), tmp_path / "authorities"
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with fault_server(tls=server_context(AUTHORITY)) as server:
        for authority in (other, AUTHORITY, other, None):
            path.unlink(missing_ok=True)
            if authority is not None:
                authority.cert_pem.write_to_path(path)
            async with client_of(server) as client:
                with contextlib.nullcontext() if authority is AUTHORITY else pytest.raises(TLSError):
                    assert await listed(client) == server.ids


@pytest.mark.parametrize("path", ["x" * 5_000, "no-such-file", "/", "\udcff"])
def test_an_ssl_cert_file_that_is_none_is_passed_over(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenSSL does; only the certificates of servers are refused then."""
    monkeypatch.setenv("SSL_CERT_FILE", path)
    assert "api.pinecone.io" in repr(BackupsClient("key"))


PROTOCOL_VERSION_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"


@pytest.mark.parametrize(("spoken", "kind", "attempts", "words"), [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", TLSError, 1, "wrong version number"),
    (PROTOCOL_VERSION_ALERT, TLSError, 1, "alert protocol version"),
    (b"", TransportError, 4, ""),
])  # fmt: skip
async def test_X1_a_server_that_speaks_no_tls(spoken: bytes, kind: type[Any], attempts: int, words: str) -> None:
    handshakes = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal handshakes
        handshakes += 1
        await reader.read(1000)
        writer.write(spoken)
        await writer.drain()

    async with listening(speak) as port:
        found = await failed_at(f"https://localhost:{port}")
    assert (type(found), found.attempts, handshakes) == (kind, attempts, attempts)
    assert words in str(found)


@pytest.mark.parametrize(("shown", "words"), [(False, "certificate required"), (True, "unknown ca")])
async def test_a_client_certificate_that_is_not_accepted(shown: bool, words: str) -> None:
    """Under TLS 1.3 the refusal arrives when the request is on its way: it is final, and not the system's error 1."""
    tls, ours = server_context(AUTHORITY), client_context(AUTHORITY)
    tls.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.configure_trust(tls)  # pyright: ignore[reportUnknownMemberType]
    if shown:
        trustme.CA().issue_cert("client").configure_cert(ours)  # pyright: ignore[reportUnknownMemberType]

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Shake hands with OpenSSL itself: asyncio's servers send no alert."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        connection = tls.wrap_bio(incoming, outgoing, server_side=True)
        with contextlib.suppress(ssl.SSLCertVerificationError, ssl.SSLError):
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    connection.do_handshake()
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
        writer.write(outgoing.read())
        await reader.read()

    async with listening(refuse) as port:
        error = await failed_at(f"https://localhost:{port}", ssl_context=ours)
    assert (type(error), error.attempts, error.sent) == (TLSError, 1, False)
    assert str(error).startswith(f"the TLS handshake failed with the server localhost:{port}: ")
    assert words in str(error)


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes] = lambda data: data
) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(change(data))
            await writer.drain()
    finally:
        writer.close()


async def test_a_broken_record_in_mid_stream_is_transient() -> None:
    async with fault_server(tls=server_context(AUTHORITY)) as server:

        async def corrupting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            records = 0

            def count(data: bytes) -> bytes:
                nonlocal records
                records += 1
                return data

            def corrupt(data: bytes) -> bytes:
                return data if records < 2 else data[:-1] + bytes([data[-1] ^ 1])

            from_server, to_server = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
            await asyncio.gather(pump(reader, to_server, count), pump(from_server, writer, corrupt))

        async with listening(corrupting) as between:
            error = await failed_at(f"https://localhost:{between}", ssl_context=TRUST)
    assert (type(error), error.attempts) == (TransportError, 4)
    assert "no complete response from the server localhost" in str(error)


def test_X2_plain_http_is_for_loopback_alone() -> None:
    with pytest.raises(ConfigurationError, match="plain http is for loopback"):
        BackupsClient(CANARY, base_url="http://api.example")
    BackupsClient(CANARY, base_url="http://127.0.0.1:1")


@asynccontextmanager
async def proxy(*refusals: bytes) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """Run a proxy that refuses as it is told, then tunnels; yield its URL and the requests that it gets itself."""
    left, seen = list(refusals), list[bytes]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if left:
            writer.write(b"HTTP/1.1 " + left.pop(0) + b"\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = seen[-1].split(b" ")[1].decode().split(":")
        from_server, to_server = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(pump(reader, to_server), pump(from_server, writer), return_exceptions=True)

    async with listening(handle) as port:
        yield f"http://user:{PASSWORD}@127.0.0.1:{port}", seen


@pytest.mark.parametrize("tls", [None, server_context(AUTHORITY)], ids=["plain", "encrypted"])
async def test_X3_the_environment_decides_nothing(
    tls: ssl.SSLContext | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor a netrc of the environment is asked."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"default login user password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with proxy() as (url, seen), fault_server(tls=tls) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url)
            monkeypatch.setenv(name.lower(), url)
        async with client_of(server, ssl_context=TRUST) as client:
            assert await listed(client) == server.ids
        assert seen == []
        assert b"authorization" not in server.heads[0].lower()


async def test_X3_an_explicit_proxy_never_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used whatever NO_PROXY says, and the service never sees its password."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    async with proxy() as (url, seen), fault_server(tls=server_context(AUTHORITY)) as server:
        async with client_of(server, ssl_context=TRUST, proxy=url) as client:
            assert await listed(client) == server.ids
        (request,) = seen
        assert request.startswith(b"CONNECT localhost:")
        assert (CANARY.encode() in request, CANARY.encode() in server.heads[0]) == (False, True)
        assert b"authorization" not in server.heads[0].lower()


@pytest.mark.parametrize(("refusal", "connects"), [(b"407 Who are you", 1), (b"502 Bad", 4), (b"403 No", 1)])
async def test_X4_what_a_proxy_refuses_hides_its_password(refusal: bytes, connects: int) -> None:
    async with proxy(*[refusal] * 4) as (url, seen):
        assert PASSWORD not in repr(BackupsClient(CANARY, proxy=url))
        found = await failed_at("https://api.example", proxy=url)
    assert (found.status, found.attempts, len(seen)) == (int(refusal[:3]), connects, connects)
    assert not find_canary(found, PASSWORD)
