"""What callers hold: frozen values. Knows neither JSON text nor HTTP, only what a backup is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from copy import deepcopy
from enum import StrEnum
from typing import Any

import attrs

__all__ = ["Backup", "BackupPage", "BackupStatus", "ErrorCode", "MetadataField", "MetadataSchema", "Metric"]


class BackupStatus(StrEnum):
    """Name the states of a backup that are known today; `Backup.status` is an open string and may hold others."""

    INITIALIZING = "Initializing"
    PENDING = "Pending"
    READY = "Ready"
    FAILED = "Failed"
    INITIALIZATION_FAILED = "InitializationFailed"


class Metric(StrEnum):
    """Name the distance metrics of `BackupModel.metric`; `Backup.metric` is an open string and may hold others."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"
    DOTPRODUCT = "dotproduct"


class ErrorCode(StrEnum):
    """Name the codes of `ErrorResponse.error.code`; `ApiError.code` is an open string and may hold others."""

    OK = "OK"
    UNKNOWN = "UNKNOWN"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    DATA_LOSS = "DATA_LOSS"
    FORBIDDEN = "FORBIDDEN"
    UNPROCESSABLE_ENTITY = "UNPROCESSABLE_ENTITY"
    PAYMENT_REQUIRED = "PAYMENT_REQUIRED"


@attrs.frozen(kw_only=True)
class MetadataField:
    """Describe one field of a `MetadataSchema`, in the shape that was current when the backup was taken.

    Older backups carry `filterable` alone; newer ones a `type`, and for vectors `dimension` and `metric`. What this
    version does not know is kept in `extra`.
    """

    filterable: bool | None = None
    type: str | None = None
    dimension: int | None = None
    metric: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def __hash__(self) -> int:
        return hash((self.filterable, self.type, self.dimension, self.metric))

    def to_dict(self) -> dict[str, Any]:
        """Return the field as plain JSON-ready Python: the keys that have a value, then `extra`."""
        known = attrs.asdict(self, recurse=False, filter=lambda a, value: a.name != "extra" and value is not None)
        return known | _copied(self.extra)


@attrs.frozen(kw_only=True)
class MetadataSchema:
    """Hold the `MetadataSchema` of the specification: which metadata fields the index describes, by name."""

    fields: Mapping[str, MetadataField]
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def __hash__(self) -> int:
        return hash(frozenset(self.fields))

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain JSON-ready Python: `fields`, then `extra`."""
        return {"fields": {name: field.to_dict() for name, field in self.fields.items()}} | _copied(self.extra)


@attrs.frozen(kw_only=True)
class Backup:
    """Hold one backup: the `BackupModel` of the specification, under its names.

    Times are aware UTC datetimes, `size_bytes` is in bytes, and the counts may be None or 0 until the backup is Ready.
    A field that was absent is None, as is one that was null. `status` and `metric` are open strings (compare them with
    `BackupStatus` and `Metric`). Fields that this version does not know are kept in `extra`. Equal by value, hashed
    by `backup_id`.
    """

    backup_id: str
    source_index_name: str
    source_index_id: str
    status: str
    cloud: str
    region: str
    name: str | None = None
    description: str | None = None
    dimension: int | None = None
    metric: str | None = None
    schema: MetadataSchema | None = None
    record_count: int | None = None
    namespace_count: int | None = None
    size_bytes: int | None = None
    tags: Mapping[str, Any] | None = None
    created_at: dt.datetime | None = None
    source_index_deleted_at: dt.datetime | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def __hash__(self) -> int:
        return hash(self.backup_id)

    def to_dict(self) -> dict[str, Any]:
        """Return the backup as plain JSON-ready Python: every known field under the wire's name, then `extra`.

        Absent fields are None. Times are RFC 3339 in UTC with Z and microseconds; finer digits were cut when they
        were read.
        """
        known: dict[str, Any] = attrs.asdict(self, recurse=False, filter=lambda a, _: a.name != "extra")
        known["schema"] = None if self.schema is None else self.schema.to_dict()
        known["tags"] = None if self.tags is None else _copied(self.tags)
        known["created_at"] = _rfc3339(self.created_at)
        known["source_index_deleted_at"] = _rfc3339(self.source_index_deleted_at)
        return known | _copied(self.extra)


@attrs.frozen(kw_only=True)
class BackupPage:
    """Hold one page of the listing: the `BackupList` of the specification.

    `next_token` is what to pass as `pagination_token` for the page after this one, None where the list ends here.
    `request_id` is what the service called this answer, for its support.
    """

    data: tuple[Backup, ...]
    next_token: str | None = None
    request_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the page as plain JSON-ready Python, in the shape of the service's own answer."""
        pagination = None if self.next_token is None else {"next": self.next_token}
        return {"data": [backup.to_dict() for backup in self.data], "pagination": pagination}


def _copied(json: Mapping[str, Any]) -> dict[str, Any]:
    """Return decoded JSON anew: whoever changes it must not change the frozen value that it came from."""
    return deepcopy(dict(json)) if json else {}


def _rfc3339(moment: dt.datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
