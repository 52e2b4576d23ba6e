"""What a test scripts and what it reads back: answers and recorded requests. Plain values, no server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import attrs

__all__ = ["Answer", "RecordedRequest", "RefusedError"]


@attrs.frozen(kw_only=True)
class Answer:
    """One response for `FakePinecone.play`.

    - `status`: the HTTP status.
    - `body`: bytes are sent as they are, a str in UTF-8, anything else as JSON.
    - `headers`: added to the usual ones; an equal name replaces the usual value.
    - `delay`: how many seconds the server waits before it responds.
    - `takes_effect`: whether the request is carried out although its own response is replaced; see `lost`.
    - `dropped`: whether the connection is closed instead of a response.
    - `cut`: whether the connection is closed in the middle of the body. With `takes_effect` it is the request's own
      response that is cut.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0
    takes_effect: bool = False
    dropped: bool = False
    cut: bool = False

    @classmethod
    def error(
        cls, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, delay: float = 0.0
    ) -> Self:
        """Return an answer whose body is the `ErrorResponse` of the specification; see `ErrorCode` for the codes."""
        body = {"error": {"code": code, "message": message}, "status": status}
        return cls(status=status, body=body, headers=headers or {}, delay=delay)

    @classmethod
    def lost(
        cls,
        status: int | None = None,
        *,
        body: Any = b"",
        headers: Mapping[str, str] | None = None,
        cut: bool = False,
        delay: float = 0.0,
    ) -> Self:
        """Return an answer for a request that takes effect and whose response is lost.

        The server carries the request out, and then:

        - with a `status` sends that, with `body` and `headers`: `Answer.lost(503)`, `Answer.lost(201, body="{")`;
        - with `cut` sends half of the true response, or nothing if that has no body, then closes the connection;
        - otherwise closes the connection and sends nothing.

        `delay` is how many seconds it waits in between: more than the client's limit, and the client times out.
        """
        return cls(
            status=status or 0,
            body=body,
            headers=headers or {},
            delay=delay,
            takes_effect=True,
            dropped=status is None and not cut,
            cut=cut,
        )

    def payload(self) -> bytes:
        """Return the bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class RefusedError(Exception):
    """A request that the service refuses; `answer` is what it sends. Only the server sees this error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer.error(status, code, message)


def _without_key(headers: Mapping[str, str]) -> str:
    return repr({name: "***" if name.lower() == "api-key" else value for name, value in headers.items()})


@attrs.frozen(kw_only=True, eq=False)
class RecordedRequest:
    """One request as the server received it. The repr shows neither the API key nor the body.

    - `method`: the HTTP method.
    - `path`: the path, decoded.
    - `query`: the query parameters, decoded.
    - `headers`: the headers; names are found in any case.
    - `body`: the bytes of the body.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = attrs.field(repr=_without_key)
    body: bytes = attrs.field(default=b"", repr=False)

    @property
    def json(self) -> Any:
        """Return the decoded JSON of the body, None if there is no body. Raises ValueError if it is not JSON."""
        return json.loads(self.body) if self.body else None
