"""What a test scripts and what it reads back: answers and recorded requests. Plain values, no server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import attrs

__all__ = ["Answer", "RecordedRequest"]


@attrs.frozen(kw_only=True)
class Answer:
    """Hold one answer for `FakePinecone.play`.

    A `body` of bytes is sent as it is, a str in UTF-8, anything else as JSON. `headers` are added to the usual ones and
    take their place where the names are equal. `delay` is how many seconds the server waits before it answers.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0

    @classmethod
    def error(
        cls, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, delay: float = 0.0
    ) -> Self:
        """Return an answer whose body is the `ErrorResponse` of the specification; see `ErrorCode` for the codes."""
        body = {"error": {"code": code, "message": message}, "status": status}
        return cls(status=status, body=body, headers=headers or {}, delay=delay)

    def payload(self) -> bytes:
        """Return the bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def _without_key(headers: Mapping[str, str]) -> str:
    return repr({name: "***" if name.lower() == "api-key" else value for name, value in headers.items()})


@attrs.frozen(kw_only=True, eq=False)
class RecordedRequest:
    """Hold one request as the server saw it.

    `path` and `query` are decoded; `headers` are found in any case. The repr does not show the API key.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = attrs.field(repr=_without_key)
