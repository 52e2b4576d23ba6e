"""What callers hold: frozen values. Knows neither JSON text nor HTTP, only what a backup is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from copy import deepcopy
from enum import StrEnum
from typing import Any, Final

import attrs

__all__ = [
    "MODELS",
    "Backup",
    "BackupPage",
    "BackupStatus",
    "ErrorCode",
    "Index",
    "MetadataField",
    "MetadataSchema",
    "Metric",
    "Outcome",
    "RestoreJob",
    "RestoreJobPage",
    "RestoreReceipt",
    "RestoreStatus",
    "outcome_of",
]


class BackupStatus(StrEnum):
    """The states of a backup that are known today; `Backup.status` is an open string and may hold others."""

    INITIALIZING = "Initializing"
    PENDING = "Pending"
    SCHEDULED = "Scheduled"
    READY = "Ready"
    FAILED = "Failed"
    INITIALIZATION_FAILED = "InitializationFailed"


class RestoreStatus(StrEnum):
    """The states of a restore job that are known today; `RestoreJob.status` is an open string and may hold others."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


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
    data_missing: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the page as plain JSON-ready Python, in the shape of the service's own answer."""
        pagination = None if self.next_token is None else {"next": self.next_token}
        return {"data": [backup.to_dict() for backup in self.data], "pagination": pagination}


class Outcome(StrEnum):
    """What a status means for whoever waits."""

    REACHED = "reached"
    WAITING = "waiting"
    FAILED = "failed"


# By class and status; every status that is not here has failed, unknown ones too.
_OUTCOMES: Final[Mapping[tuple[str, str], Outcome]] = {
    ("Backup", BackupStatus.READY): Outcome.REACHED,
    ("Backup", BackupStatus.INITIALIZING): Outcome.WAITING,
    ("Backup", BackupStatus.PENDING): Outcome.WAITING,
    ("Backup", BackupStatus.SCHEDULED): Outcome.WAITING,
    ("RestoreJob", RestoreStatus.COMPLETED): Outcome.REACHED,
    ("RestoreJob", RestoreStatus.PENDING): Outcome.WAITING,
    ("RestoreJob", RestoreStatus.RUNNING): Outcome.WAITING,
}


@attrs.frozen(kw_only=True)
class RestoreJob:
    """One restore job, with the field names of the API (`RestoreJobModel`). Equal by value, hashed by its id."""

    restore_job_id: str
    backup_id: str
    target_index_name: str
    target_index_id: str
    status: str
    created_at: dt.datetime
    completed_at: dt.datetime | None = None
    percent_complete: float | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def __hash__(self) -> int:
        return hash(self.restore_job_id)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as plain JSON-ready Python: every known field, then `extra`. Absent fields are None."""
        known: dict[str, Any] = attrs.asdict(self, recurse=False, filter=lambda a, _: a.name != "extra")
        known["created_at"] = _rfc3339(self.created_at)
        known["completed_at"] = _rfc3339(self.completed_at)
        return known | _copied(self.extra)


@attrs.frozen(kw_only=True)
class RestoreJobPage:
    """One page of restore jobs (`RestoreJobList`); `next_token` is None on the last page."""

    data: tuple[RestoreJob, ...]
    next_token: str | None = None
    request_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the page as plain JSON-ready Python, in the shape of the service's own response."""
        pagination = None if self.next_token is None else {"next": self.next_token}
        return {"data": [job.to_dict() for job in self.data], "pagination": pagination}


@attrs.frozen(kw_only=True)
class RestoreReceipt:
    """What the service returns when a restore begins (`CreateIndexFromBackupResponse`)."""

    restore_job_id: str
    index_id: str
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def __hash__(self) -> int:
        return hash(self.restore_job_id)

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as plain JSON-ready Python: its two ids, then `extra`."""
        return {"restore_job_id": self.restore_job_id, "index_id": self.index_id} | _copied(self.extra)


@attrs.frozen(kw_only=True)
class Index:
    """One index of the project, as far as backups need it (`IndexModel`). Equal by value, hashed by its name."""

    name: str
    host: str
    status: Mapping[str, Any]
    spec: Mapping[str, Any]
    dimension: int | None = None
    metric: str | None = None
    vector_type: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def state(self) -> str:
        """Return the state, such as `Ready`; an open string, empty where the service sent none."""
        return str(self.status.get("state") or "")

    @property
    def ready(self) -> bool:
        """Return whether the service calls the index ready."""
        return self.status.get("ready") is True

    @property
    def can_be_backed_up(self) -> bool:
        """Return whether the service can back the index up: it refuses indexes that run on pods."""
        return "pod" not in self.spec

    def to_dict(self) -> dict[str, Any]:
        """Return the index as plain JSON-ready Python, as the service sent it: without the fields that are absent."""
        known = attrs.asdict(self, recurse=False, filter=lambda a, value: a.name != "extra" and value is not None)
        return _copied(known) | _copied(self.extra)


def outcome_of(value: Backup | RestoreJob) -> Outcome:
    """Return what a status means. A status that this version does not know has failed."""
    return _OUTCOMES.get((type(value).__name__, value.status), Outcome.FAILED)


def _copied(json: Mapping[str, Any]) -> dict[str, Any]:
    """Return decoded JSON anew: whoever changes it must not change the frozen value that it came from."""
    return deepcopy(dict(json)) if json else {}


def _rfc3339(moment: dt.datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


MODELS: Final = (Backup, MetadataField, MetadataSchema, RestoreJob, RestoreReceipt, Index)
