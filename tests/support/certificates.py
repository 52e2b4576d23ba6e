"""TLS contexts for the tests: of servers with good and bad certificates, and of clients that trust an authority."""

from __future__ import annotations

import datetime as dt
import ssl

import trustme


def server_context(authority: trustme.CA, name: str = "localhost", *, expired: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC) if expired else None
    authority.issue_cert(name, not_after=past).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


def self_signed_context() -> ssl.SSLContext:
    """Return a server's context with a certificate that nobody but itself has signed."""
    context, alone = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
    with alone.cert_pem.tempfile() as certificate, alone.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    return context
