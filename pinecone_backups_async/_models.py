"""The values that callers get: frozen, with the field names of the API. Knows neither JSON text nor HTTP.

Every model keeps what this version does not know in `extra`, and returns the service's own shape from `to_dict`.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import attrs

from ._errors import ConfigurationError
from ._plain import NOTHING_ELSE, copied, plain
from ._statuses import BackupStatus, Outcome, RestoreStatus, outcome_of


def _check_aware(_: object, attribute: "attrs.Attribute[Any]", value: dt.datetime | None) -> None:
    """Refuse a time without an offset: what it means would depend on the machine that reads it."""
    if value is not None and value.utcoffset() is None:
        raise ConfigurationError(f"{attribute.name} must be an aware datetime", argument=attribute.name)


@attrs.frozen(kw_only=True)
class MetadataField:
    """One field of a `MetadataSchema`, in the shape that was current when the backup was taken."""

    #: Whether queries can filter by the field.
    filterable: bool | None = None
    #: The type of the field, such as `string` or `dense_vector`; None in older backups.
    type: str | None = None
    #: The dimension of a vector field.
    dimension: int | None = None
    #: The distance metric of a vector field.
    metric: str | None = None
    #: What the service sent beside these fields.
    extra: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the field as plain JSON-ready Python: the keys that have a value, then `extra`."""
        known = {"filterable": self.filterable, "type": self.type, "dimension": self.dimension, "metric": self.metric}
        present = {name: value for name, value in known.items() if value is not None}
        return present | copied(self.extra) if self.extra else present


@attrs.frozen(kw_only=True)
class MetadataSchema:
    """The metadata fields that an index describes."""

    #: The fields by name.
    fields: Mapping[str, MetadataField]
    #: What the service sent beside `fields`.
    extra: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False)

    def __hash__(self) -> int:
        return hash(frozenset(self.fields))

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain JSON-ready Python: `fields`, then `extra`."""
        known = {"fields": {name: field.to_dict() for name, field in self.fields.items()}}
        return known | copied(self.extra) if self.extra else known


@attrs.frozen(kw_only=True)
class Backup:
    """One backup, with the field names of the API.

    A field that was absent or null is None. Equal by value, hashed by `backup_id`. A time without an offset is a
    ConfigurationError.
    """

    #: The id, unique in the project.
    backup_id: str
    #: The name of the index that was backed up. Several indexes can have had the same name over time.
    source_index_name: str
    #: The id of the index that was backed up; each index has its own.
    source_index_id: str = attrs.field(repr=False)
    #: The state, such as `Ready`; an open string (see `BackupStatus`).
    status: str
    #: The cloud of the index, such as `aws`.
    cloud: str = attrs.field(repr=False)
    #: The region of the index, such as `us-east-1`.
    region: str = attrs.field(repr=False)
    #: The name that was given to the backup. Several backups can have the same.
    name: str | None = None
    #: The description that was given to the backup.
    description: str | None = attrs.field(default=None, repr=False)
    #: The dimension of the vectors.
    dimension: int | None = attrs.field(default=None, repr=False)
    #: The distance metric; an open string (see `Metric`).
    metric: str | None = attrs.field(default=None, repr=False)
    #: The metadata fields of the index.
    schema: MetadataSchema | None = attrs.field(default=None, repr=False)
    #: The number of records; None or 0 until the backup is Ready, and for a while after that.
    record_count: int | None = attrs.field(default=None, repr=False)
    #: The number of namespaces; None or 0 until the backup is Ready.
    namespace_count: int | None = attrs.field(default=None, repr=False)
    #: The size in bytes; None or 0 until the backup is Ready.
    size_bytes: int | None = attrs.field(default=None, repr=False)
    #: The tags, copied from the index when the backup was taken.
    tags: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    #: When the backup was created, an aware time in UTC.
    created_at: dt.datetime | None = attrs.field(default=None, validator=_check_aware, repr=str)
    #: When the index was deleted, an aware time in UTC; None while the index exists.
    source_index_deleted_at: dt.datetime | None = attrs.field(default=None, validator=_check_aware, repr=False)
    #: What the service sent beside these fields.
    extra: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False)

    def __hash__(self) -> int:
        return hash(self.backup_id)

    @property
    def outcome(self) -> Outcome:
        """Return what the status means: `reached` (Ready), `waiting`, or `failed`, also for an unknown status."""
        known = BackupStatus
        return outcome_of(self.status, known.READY, known.INITIALIZING, known.PENDING, known.SCHEDULED)

    def to_dict(self) -> dict[str, Any]:
        """Return the backup as plain JSON-ready Python: every known field, then `extra`.

        Absent fields are None. Times are RFC 3339 in UTC with microseconds.
        """
        return plain(self)


class _Page:
    """What the pages of both listings have in common."""

    data: tuple[Any, ...]
    next_token: str | None

    def __repr__(self) -> str:
        more = "the last page" if self.next_token is None else "more pages follow"
        items = f"{len(self.data)} item{'' if len(self.data) == 1 else 's'}"
        return f"<{type(self).__name__}: {items}, {more}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the page as plain JSON-ready Python, in the shape of the service's own response."""
        pagination = None if self.next_token is None else {"next": self.next_token}
        return {"data": [item.to_dict() for item in self.data], "pagination": pagination}


@attrs.frozen(kw_only=True, repr=False)
class BackupPage(_Page):
    """One page of a listing of backups."""

    #: The backups, in the order of the service.
    data: tuple[Backup, ...]
    #: What to pass as `pagination_token` for the next page; None on the last page.
    next_token: str | None = None
    #: The service's id of the request, for its support.
    request_id: str | None = None
    #: Whether the response had no `data` at all. Such a page is empty, and proves nothing.
    data_missing: bool = False


@attrs.frozen(kw_only=True)
class RestoreJob:
    """One restore job, with the field names of the API. Equal by value, hashed by `restore_job_id`."""

    #: The id of the job.
    restore_job_id: str
    #: The id of the backup that is restored.
    backup_id: str = attrs.field(repr=False)
    #: The name of the index that the job makes.
    target_index_name: str
    #: The id of the index that the job makes.
    target_index_id: str = attrs.field(repr=False)
    #: The state, such as `Completed`; an open string (see `RestoreStatus`).
    status: str
    #: When the job was created, an aware time in UTC.
    created_at: dt.datetime = attrs.field(validator=_check_aware, repr=str)
    #: When the job ended, an aware time in UTC; None until then.
    completed_at: dt.datetime | None = attrs.field(default=None, validator=_check_aware, repr=False)
    #: 100.0 when the job is done, else None or absent: no measure of progress.
    percent_complete: float | None = attrs.field(default=None, repr=False)
    #: What the service sent beside these fields.
    extra: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False)

    def __hash__(self) -> int:
        return hash(self.restore_job_id)

    @property
    def outcome(self) -> Outcome:
        """Return what the status means: `reached` (Completed), `waiting`, or `failed`, also for an unknown status."""
        return outcome_of(self.status, RestoreStatus.COMPLETED, RestoreStatus.PENDING, RestoreStatus.RUNNING)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as plain JSON-ready Python: every known field, then `extra`. Absent fields are None."""
        return plain(self)


@attrs.frozen(kw_only=True, repr=False)
class RestoreJobPage(_Page):
    """One page of the listing of restore jobs."""

    #: The restore jobs, in the order of the service.
    data: tuple[RestoreJob, ...]
    #: What to pass as `pagination_token` for the next page; None on the last page.
    next_token: str | None = None
    #: The service's id of the request, for its support.
    request_id: str | None = None
    #: Whether the response had no `data` at all.
    data_missing: bool = False


@attrs.frozen(kw_only=True)
class RestoreReceipt:
    """What the service returns when a restore begins. Equal by value, hashed by `restore_job_id`."""

    #: The id of the restore job.
    restore_job_id: str
    #: The id of the index that the restore makes.
    index_id: str
    #: What the service sent beside these fields.
    extra: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False)

    def __hash__(self) -> int:
        return hash(self.restore_job_id)

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as plain JSON-ready Python: its two ids, then `extra`."""
        return plain(self)


@attrs.frozen(kw_only=True)
class Index:
    """One index of the project, as far as backups need it. Equal by value, hashed by its name."""

    #: The name, unique among the indexes that exist.
    name: str
    #: The host name at which the index serves its data.
    host: str = attrs.field(repr=False)
    #: The service's `status` object; see `state` and `ready`.
    status: Mapping[str, Any]
    #: The service's `spec` object: `serverless`, `pod` or `byoc`. Version 2026-07 has `extra["deployment"]` instead.
    spec: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False)
    #: The dimension of the vectors.
    dimension: int | None = attrs.field(default=None, repr=False)
    #: The distance metric; an open string (see `Metric`).
    metric: str | None = attrs.field(default=None, repr=False)
    #: The type of the vectors, `dense` or `sparse`.
    vector_type: str | None = attrs.field(default=None, repr=False)
    #: What the service sent beside these fields.
    extra: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def state(self) -> str:
        """Return the state, such as `Ready`; an open string, empty if the service sent none."""
        return str(self.status.get("state") or "")

    @property
    def ready(self) -> bool:
        """Return whether the service calls the index ready."""
        return self.status.get("ready") is True

    @property
    def can_be_backed_up(self) -> bool:
        """Return whether the service can back the index up: it refuses indexes that run on pods."""
        match self.extra:
            case {"deployment": {"deployment_type": "pod"}}:
                return False
            case _:
                return "pod" not in self.spec

    def to_dict(self) -> dict[str, Any]:
        """Return the index as plain JSON-ready Python, as the service sent it: without the fields that are absent."""
        return plain(self, absent=False)


#: The models that the service's objects become; each keeps unknown keys in `extra`.
MODELS: Final = (Backup, MetadataField, MetadataSchema, RestoreJob, RestoreReceipt, Index)
