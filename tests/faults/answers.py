"""Answers as bytes: what a healthy server would send, and the forms it can take on the wire. Knows no socket."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

import attrs

__all__ = [
    "Headers",
    "Listing",
    "Request",
    "answer",
    "bomb",
    "chunk",
    "chunked",
    "gzipped",
    "head",
    "page",
    "status_page",
    "until_close",
]

Headers = Iterable[tuple[str, str]]
_ROW = (
    '{"backup_id":"%s","source_index_name":"products-%d","source_index_id":"idx-%d","status":"Ready","cloud":"aws",'
    '"region":"us-east-1","name":"nightly-%d","description":null,"dimension":1536,"metric":"cosine",'
    '"record_count":120000,"namespace_count":3,"size_bytes":10000000,"tags":{"environment":"production"},'
    '"created_at":"2025-05-14T17:00:45.803146Z"}'
)
_SLIM_ROW = (
    '{"backup_id":"%s","source_index_name":"p%d","source_index_id":"i%d","status":"Ready","cloud":"aws","region":"r%d"}'
)


@attrs.frozen
class Request:
    """One request as it arrived: its head in raw bytes, the connection's number, and its place on that connection."""

    raw: bytes = attrs.field(repr=False)
    connection: int
    nth: int

    @property
    def target(self) -> str:
        return self.raw.split(b" ", 2)[1].decode("latin-1")

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def token(self) -> str | None:
        return self.query.get("paginationToken")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header in its order, names in lower case."""
        lines = self.raw.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return [(name.lower(), value.strip()) for name, _, value in pairs]

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name.lower())


class Listing:
    """A fixed list of backups, cut into pages as the service does: a token is a position and carries its page size.

    The last page has no token, so `count` backups at `limit` a page are exactly ceil(count / limit) requests.
    """

    def __init__(self, count: int = 3, *, slim: bool = False, prefix: str = "b") -> None:
        self.count = count
        self.prefix = prefix
        self._row = _SLIM_ROW if slim else _ROW
        self.body = lru_cache(maxsize=16)(self._body)

    @property
    def ids(self) -> list[str]:
        """The ids in the order of the listing: what a walk must return, no more and no less."""
        return [self.id(place) for place in range(self.count)]

    def id(self, place: int) -> str:
        return f"{self.prefix}{place:06}"

    def place(self, request: Request) -> tuple[int, int]:
        """Return the position and the page size that a request asks for."""
        if request.token is None:
            return 0, int(request.query.get("limit", "10"))
        start, _, size = request.token.partition("/+=&")
        return int(start), int(size)

    def answer(self, request: Request) -> bytes:
        """Return the body of the page that a request asks for."""
        return self.body(*self.place(request))

    def _body(self, start: int, size: int) -> bytes:
        end = min(start + size, self.count)
        rows = ",".join(self._row % (self.id(place), place % 7, place % 7, place) for place in range(start, end))
        pagination = "null" if end == self.count else json.dumps({"next": f"{end}/+=&{size}"})
        return f'{{"data":[{rows}],"pagination":{pagination}}}'.encode()


def page(count: int = 3, next_token: str | None = None, *, prefix: str = "b") -> bytes:
    """Return the body of a page of `count` backups, with a token or without."""
    rows = ",".join(_ROW % (f"{prefix}{place:06}", place, place, place) for place in range(count))
    pagination = json.dumps(None if next_token is None else {"next": next_token})
    return f'{{"data":[{rows}],"pagination":{pagination}}}'.encode()


def head(*headers: tuple[str, str], status: int = 200, reason: str = "Whatever") -> bytes:
    """Return a status line and exactly these headers, ended by the empty line."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def answer(body: bytes, *headers: tuple[str, str], status: int = 200) -> bytes:
    """Return an answer with Content-Length and the body."""
    return (
        head(("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers, status=status) + body
    )


def until_close(body: bytes) -> bytes:
    """Return an answer without a length: its body ends where the connection does."""
    return head(("Content-Type", "application/json"), ("Connection", "close")) + body


def chunk(data: bytes) -> bytes:
    """Return one chunk; of no data, the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunked(body: bytes, size: int = 100) -> bytes:
    """Return an answer in chunks."""
    pieces = b"".join(chunk(body[place : place + size]) for place in range(0, len(body), size))
    return head(("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")) + pieces + chunk(b"")


def gzipped(body: bytes) -> bytes:
    """Return an answer with a gzipped body."""
    return answer(gzip.compress(body, mtime=0), ("Content-Encoding", "gzip"))


def status_page(status: int, text: bytes = b"<html>Bad gateway</html>", *headers: tuple[str, str]) -> bytes:
    """Return an answer that is not the API's own: HTML with a status."""
    return head(("Content-Type", "text/html"), ("Content-Length", str(len(text))), *headers, status=status) + text


def bomb(megabytes: int, *, coding: str = "gzip") -> Iterator[bytes]:
    """Yield the compressed pieces of so many megabytes of spaces, small and one at a time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    megabyte = b" " * 2**20
    for _ in range(megabytes):
        yield packer.compress(megabyte) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
