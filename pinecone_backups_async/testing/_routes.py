"""The routes: which path and method does what, and how its answer looks in each API version.

Knows paths, queries and statuses; the rules of the project are in `_project`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import attrs

from pinecone_backups_async import Backup, BackupStatus, RestoreJob

from ._bodies import create_backup_body, create_index_body
from ._indexes import index_row
from ._listing import MAX_LIMIT, Window, odd_page, page
from ._messages import Answer, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._messages import RecordedRequest
    from ._project import Project

__all__ = ["respond"]

_NEWEST: Final = "2026-07"
# By API version: how many rows a page has if neither a limit nor a token is given.
_DEFAULT_LIMITS: Final = {"2025-10": 10, "2026-04": 10, _NEWEST: 100}
_MOST_DIGITS: Final = 10
_UNFINISHED: Final = frozenset({BackupStatus.INITIALIZING, BackupStatus.PENDING})
# The service leaves these out if they have no value; name, description and tags are sent as null.
_OMITTED: Final = frozenset(
    {
        "created_at",
        "dimension",
        "metric",
        "namespace_count",
        "record_count",
        "schema",
        "size_bytes",
        "source_index_deleted_at",
    }
)


@attrs.frozen
class _Call:
    """One request, its path taken apart: `values` are the parameters of the path."""

    project: Project
    request: RecordedRequest
    version: str
    values: Sequence[str]

    @property
    def is_newest(self) -> bool:
        return self.version == _NEWEST

    @property
    def begins_listing(self) -> bool:
        return "paginationToken" not in self.request.query

    @property
    def body(self) -> tuple[bytes, str]:
        """Return the bytes of the body and their media type."""
        content_type = self.request.headers.get("Content-Type", "")
        return self.request.body, content_type.partition(";")[0].strip().lower()


def respond(project: Project, api_key: str, raw_path: str, request: RecordedRequest) -> Answer:
    """Return the answer to a request; `raw_path` is its path before anything is decoded."""
    try:
        return _respond(project, api_key, raw_path, request)
    except RefusedError as refused:
        return refused.answer


def _respond(project: Project, api_key: str, raw_path: str, request: RecordedRequest) -> Answer:
    methods, values = _route(raw_path)
    if not methods:
        raise RefusedError(404, "NOT_FOUND", f"{request.method} {request.path} is not served here.")
    handler = methods.get(request.method)
    if handler is None:
        refusal = Answer.error(405, "UNIMPLEMENTED", f"{request.method} is not allowed here.")
        return attrs.evolve(refusal, headers={"Allow": ", ".join(methods)})
    version = request.headers.get("X-Pinecone-Api-Version", "")
    if request.headers.get("Api-Key") != api_key:
        return _unauthorized(version)
    if version not in _DEFAULT_LIMITS:
        raise _invalid(f"The X-Pinecone-Api-Version header must be {' or '.join(_DEFAULT_LIMITS)}.")
    return handler(_Call(project, request, version, values))


def _unauthorized(version: str) -> Answer:
    if version == _NEWEST:
        return Answer(status=401, body="Invalid API key", headers={"Content-Type": "text/plain"})
    return Answer.error(401, "UNAUTHENTICATED", "Invalid API key.")


def _route(raw_path: str) -> tuple[Mapping[str, Callable[[_Call], Answer]], list[str]]:
    """Return the methods of a path and its parameters, each decoded once; no methods if the path is unknown."""
    try:
        segments = [unquote(segment, errors="strict") for segment in raw_path.split("/")[1:]]
    except ValueError:
        raise _invalid("The path is not UTF-8.") from None
    for template, methods in _ROUTES.items():
        parts = template.split("/")[1:]
        if len(parts) == len(segments) and all(
            found == part or (part == "*" and found) for part, found in zip(parts, segments, strict=True)
        ):
            return methods, [found for part, found in zip(parts, segments, strict=True) if part == "*"]
    return {}, []


def _list_backups(call: _Call) -> Answer:
    rows = call.project.listed_backups(counts=call.begins_listing)
    return _listing(call, rows, _backup_row)


def _list_index_backups(call: _Call) -> Answer:
    include_deleted = call.request.query.get("include_deleted", "false")
    if include_deleted not in {"true", "false"}:
        raise _invalid("include_deleted must be true or false.")
    rows = call.project.listed_backups_of(
        call.values[0], include_deleted=include_deleted == "true", counts=call.begins_listing
    )
    return _listing(call, rows, _backup_row)


def _create_backup(call: _Call) -> Answer:
    body = create_backup_body(*call.body)
    backup = call.project.create_backup(call.values[0], body.get("name"), body.get("description"))
    return Answer(status=200 if call.is_newest else 201, body=_backup_row(backup, call.version))


def _describe_backup(call: _Call) -> Answer:
    return Answer(body=_backup_row(call.project.described_backup(call.values[0]), call.version))


def _delete_backup(call: _Call) -> Answer:
    call.project.delete_backup(call.values[0])
    return Answer(status=202)


def _create_index(call: _Call) -> Answer:
    body = create_index_body(*call.body, read_capacity=call.is_newest)
    protection = body.get("deletion_protection", "disabled")
    receipt = call.project.restore(call.values[0], body["name"], body.get("tags"), protection)
    return Answer(status=202, body=receipt.to_dict())


def _list_restore_jobs(call: _Call) -> Answer:
    rows = call.project.listed_restore_jobs(counts=call.begins_listing)
    return _listing(call, rows, _job_row, odd=call.project.odd_restore_listing)


def _describe_restore_job(call: _Call) -> Answer:
    return Answer(body=_job_row(call.project.described_restore_job(call.values[0]), call.version))


def _list_indexes(call: _Call) -> Answer:
    return Answer(body={"indexes": [index_row(index, call.version) for index in list(call.project.indexes.values())]})


def _describe_index(call: _Call) -> Answer:
    return Answer(body=index_row(call.project.described_index(call.values[0]), call.version))


_ROUTES: Final[Mapping[str, Mapping[str, Callable[[_Call], Answer]]]] = {
    "/backups": {"GET": _list_backups},
    "/backups/*": {"GET": _describe_backup, "DELETE": _delete_backup},
    "/backups/*/create-index": {"POST": _create_index},
    "/indexes": {"GET": _list_indexes},
    "/indexes/*": {"GET": _describe_index},
    "/indexes/*/backups": {"GET": _list_index_backups, "POST": _create_backup},
    "/restore-jobs": {"GET": _list_restore_jobs},
    "/restore-jobs/*": {"GET": _describe_restore_job},
}


def _listing(
    call: _Call, rows: Sequence[Any], row: Callable[[Any, str], dict[str, Any]], *, odd: bool = False
) -> Answer:
    data, following = (odd_page if odd else page)(rows, _window(call))
    pagination = None if following is None else {"next": following.token()}
    return Answer(body={"data": [row(value, call.version) for value in data], "pagination": pagination})


def _window(call: _Call) -> Window:
    token, limit = (call.request.query.get(name) for name in ("paginationToken", "limit"))
    window = Window(0, _DEFAULT_LIMITS[call.version]) if token is None else Window.from_token(token)
    if window is None:
        raise _invalid("Invalid pagination token.")
    if limit is None:
        return window
    if not (limit.isascii() and limit.isdigit() and len(limit) <= _MOST_DIGITS and 1 <= int(limit) <= MAX_LIMIT):
        raise _invalid(f"limit must be an integer from 1 to {MAX_LIMIT}.")
    # Also beside a token: its position stays and the page is cut anew, which skips or repeats rows.
    return attrs.evolve(window, size=int(limit))


def _backup_row(backup: Backup, version: str) -> dict[str, Any]:
    row = {name: value for name, value in backup.to_dict().items() if value is not None or name not in _OMITTED}
    if backup.created_at is not None and backup.status in _UNFINISHED:
        row["created_at"] = _nine_digits(backup.created_at)
    if version == _NEWEST:
        row.pop("dimension", None)
        row.pop("metric", None)
    return row


def _job_row(job: RestoreJob, _: str) -> dict[str, Any]:
    return {name: value for name, value in job.to_dict().items() if value is not None}


def _nine_digits(moment: dt.datetime) -> str:
    """Return a time as the service writes it for a new backup; the three last digits do not change the microsecond."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%f}123Z"


def _invalid(message: str) -> RefusedError:
    return RefusedError(400, "INVALID_ARGUMENT", message)
