"""FastAPI support: a lifespan, a dependency, error handlers, and types of responses. Uses only the public API.

Needs the extra [fastapi].
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, Final

from pinecone_backups_async import BackupsClient

try:
    from fastapi import Depends, FastAPI
    from fastapi.requests import HTTPConnection
except ModuleNotFoundError as _error:
    raise ImportError("this module needs FastAPI: pip install 'pinecone-backups-async[fastapi]'") from _error

from ._errors import Problem, install_error_handlers, mark_key_as_callers, problem_responses
from ._models import BackupModel, BackupPageModel, IndexModel, RestoreJobModel, RestoreJobPageModel, RestoreReceiptModel
from ._ndjson import NdjsonResponse, backups_ndjson

__all__ = [
    "BackupModel",
    "BackupPageModel",
    "BackupsDep",
    "IndexModel",
    "NdjsonResponse",
    "Problem",
    "RestoreJobModel",
    "RestoreJobPageModel",
    "RestoreReceiptModel",
    "backups_ndjson",
    "client_of",
    "install_error_handlers",
    "lifespan",
    "problem_responses",
    "request_client",
]

_STATE: Final = "pinecone_backups"

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any] | None]]


def lifespan(
    client_factory: Callable[[], BackupsClient] = BackupsClient, then: Lifespan | None = None
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    """Return a lifespan for FastAPI(lifespan=...) that opens one client for the application and closes it at the end.

    `client_factory` is called each time the application starts. `then` is the application's own lifespan: it runs
    inside, and the state that it yields is kept.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        async with client_factory() as client:
            if then is None:
                yield {_STATE: client}
            else:
                async with then(app) as state:
                    yield {**(state or {}), _STATE: client}

    return run


def client_of(connection: HTTPConnection) -> BackupsClient:
    """Return the application's client; raise RuntimeError if the lifespan did not run."""
    client = getattr(connection.state, _STATE, None)
    if not isinstance(client, BackupsClient):
        raise RuntimeError(
            "no BackupsClient in this application's state: the lifespan did not run. Pass FastAPI(lifespan=lifespan()),"
            " and in tests use `with TestClient(app)`; the lifespan of a mounted application never runs"
        )
    return client


BackupsDep = Annotated[BackupsClient, Depends(client_of)]
"""The application's client, for a handler or a websocket that asks for it: `client: BackupsDep`."""


def request_client(connection: HTTPConnection, api_key: str | None, **settings: Any) -> BackupsClient:
    """Return a client for an API key that came with this request, to be used with `async with`.

    Pass `connector=` to share connections between such clients. From now on, if a key is refused in this request, the
    error handlers take it for the caller's and answer 401, not 502. None is a missing key; the key of the environment
    is never used. Raises ConfigurationError, as BackupsClient does.
    """
    try:
        mark_key_as_callers(connection)
        return BackupsClient("" if api_key is None else api_key, **settings)
    finally:
        del api_key, settings  # a traceback that shows local variables must not show these
