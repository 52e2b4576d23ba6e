"""The values that callers get: frozen, with the field names of the API. Knows neither JSON text nor HTTP.

Every model keeps what this version does not know in `extra`; its `to_dict` has the service's own shape.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

import attrs

from ._errors import ConfigurationError
from ._statuses import Outcome, outcome_of

_AS_IS: Final = frozenset({str, int, float, bool, type(None)})
_IMMUTABLE: Final = frozenset({str, str | None, int | None, float | None, bool | None})
_Row = TypeVar("_Row", bound="Model")
_T = TypeVar("_T")


class FrozenDict(dict[str, _T], Generic[_T]):
    """A dict that cannot be changed, so that many values can share it. What copy and pickle make of it is a dict."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this dict belongs to a frozen value: make a copy with dict() and change that")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = cast("Any", _refuse)

    def __reduce__(self) -> tuple[type[dict[str, _T]], tuple[dict[str, _T]]]:
        return dict, (dict(self),)


NOTHING_ELSE: Final[FrozenDict[Any]] = FrozenDict()  # the `extra` of a value that has none


@attrs.frozen(kw_only=True, init=False, eq=False, repr=False)
class Model:
    """What the service's objects become: the fields that are known, and `extra`."""

    #: What the service sent beside the other fields.
    extra: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready copy: every known field, None if absent, then `extra`. Times are RFC 3339 in UTC."""
        names, read, others = _reader_of(type(self))  # type: ignore[arg-type]
        known = dict(zip(names, read(self), strict=True))
        extra = known.pop("extra")
        for name in others:
            if known[name] is not None:
                known[name] = _copied(known[name])
        return known | _copied(extra) if extra else known


def known_names(cls: type[Any]) -> frozenset[str]:
    """Return the keys of an object that an attrs class has fields for; others go to its `extra`."""
    return frozenset(attrs.fields_dict(cls)) - {"extra"}


@cache
def _reader_of(cls: type[Model]) -> tuple[list[str], Callable[[Model], tuple[Any, ...]], list[str]]:
    """Return the names of a model's fields, what reads all of them at once, and which ones have to be copied."""
    fields = attrs.fields(cls)
    names = [field.name for field in fields]
    return names, attrgetter(*names), [field.name for field in fields[1:] if field.type not in _IMMUTABLE]


def _copied(value: Any) -> Any:
    """Return a copy of decoded JSON, of a time or of a model, JSON-ready."""
    if isinstance(value, dt.datetime):
        return _time(value)
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list):
        return [item if type(item) in _AS_IS else _copied(item) for item in cast("list[Any]", value)]
    return _object(value) if isinstance(value, (dict, Mapping)) else value


def _object(value: Any) -> dict[str, Any]:
    return {key: item if type(item) in _AS_IS else _copied(item) for key, item in value.items()}


def _time(value: dt.datetime) -> str:
    utc = value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)
    parts = utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % parts  # noqa: UP031 - twice as fast as isoformat


def _check_aware(_: object, attribute: "attrs.Attribute[Any]", value: dt.datetime | None) -> None:
    """Refuse a time without an offset: what it means would depend on the machine that reads it."""
    if value is not None and value.utcoffset() is None:
        raise ConfigurationError(f"{attribute.name} must be an aware datetime", argument=attribute.name)


@attrs.frozen(kw_only=True)
class MetadataField(Model):
    """One field of a `MetadataSchema`, in the shape that was current when the backup was taken."""

    #: Whether queries can filter by the field.
    filterable: bool | None = None
    #: The type of the field, such as `string` or `dense_vector`; None in older backups.
    type: str | None = None
    #: The dimension of a vector field.
    dimension: int | None = None
    #: The distance metric of a vector field.
    metric: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the field as plain JSON-ready Python: the keys that have a value, then `extra`."""
        known = {"filterable": self.filterable, "type": self.type, "dimension": self.dimension, "metric": self.metric}
        present = {name: value for name, value in known.items() if value is not None}
        return present | _copied(self.extra) if self.extra else present


@attrs.frozen(kw_only=True)
class MetadataSchema(Model):
    """The metadata fields that an index describes."""

    #: The fields by name. As read from the service, they are in alphabetical order and cannot be changed.
    fields: Mapping[str, MetadataField] = attrs.field(hash=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain JSON-ready Python: `fields`, then `extra`."""
        known = {"fields": {name: field.to_dict() for name, field in self.fields.items()}}
        return known | _copied(self.extra) if self.extra else known


@attrs.frozen(kw_only=True)
class Backup(Model):
    """One backup, with the field names of the API.

    A field that was absent or null is None. Equal by value. A time without an offset is a ConfigurationError.
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
    tags: Mapping[str, Any] | None = attrs.field(default=None, repr=False, hash=False)
    #: When the backup was created, an aware time in UTC.
    created_at: dt.datetime | None = attrs.field(default=None, validator=_check_aware, repr=str)
    #: When the index was deleted, an aware time in UTC; None while the index exists.
    source_index_deleted_at: dt.datetime | None = attrs.field(default=None, validator=_check_aware, repr=False)

    @property
    def outcome(self) -> Outcome:
        """Return what the status means: `reached` (Ready), `waiting`, or `failed`, also for an unknown status."""
        return outcome_of(self.status, "Ready", "Initializing", "Pending", "Scheduled")


@attrs.frozen(kw_only=True, repr=False)
class Page(Generic[_Row]):
    """What the pages of all listings have in common."""

    #: The rows, in the order of the service.
    data: tuple[_Row, ...]
    #: What to pass as `pagination_token` for the next page; None on the last page.
    next_token: str | None = None
    #: The service's id of the request, for its support.
    request_id: str | None = None
    #: Whether the response had no `data` at all. Such a page is empty, and proves nothing.
    data_missing: bool = False

    def __repr__(self) -> str:
        more = "the last page" if self.next_token is None else "more pages follow"
        return f"<{type(self).__name__}: {len(self.data)} in data, {more}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the page as plain JSON-ready Python, in the shape of the service's own response."""
        pagination = None if self.next_token is None else {"next": self.next_token}
        return {"data": [item.to_dict() for item in self.data], "pagination": pagination}


class BackupPage(Page[Backup]):
    """One page of a listing of backups: `data` is a tuple of `Backup`."""

    __slots__ = ()


@attrs.frozen(kw_only=True)
class RestoreJob(Model):
    """One restore job, with the field names of the API. Equal by value."""

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

    @property
    def outcome(self) -> Outcome:
        """Return what the status means: `reached` (Completed), `waiting`, or `failed`, also for an unknown status."""
        return outcome_of(self.status, "Completed", "Pending", "Running")


class RestoreJobPage(Page[RestoreJob]):
    """One page of the listing of restore jobs: `data` is a tuple of `RestoreJob`."""

    __slots__ = ()


@attrs.frozen(kw_only=True)
class RestoreReceipt(Model):
    """What the service returns when a restore begins. Equal by value."""

    #: The id of the restore job.
    restore_job_id: str
    #: The id of the index that the restore makes.
    index_id: str


@attrs.frozen(kw_only=True)
class Index(Model):
    """One index of the project, as far as backups need it. Equal by value."""

    #: The name, unique among the indexes that exist.
    name: str
    #: The host name at which the index serves its data.
    host: str = attrs.field(repr=False)
    #: The service's `status` object; see `state` and `ready`.
    status: Mapping[str, Any] = attrs.field(hash=False)
    #: The service's `spec` object: `serverless`, `pod` or `byoc`. Version 2026-07 has `extra["deployment"]` instead.
    spec: Mapping[str, Any] = attrs.field(default=NOTHING_ELSE, repr=False, hash=False)
    #: The dimension of the vectors.
    dimension: int | None = attrs.field(default=None, repr=False)
    #: The distance metric; an open string (see `Metric`).
    metric: str | None = attrs.field(default=None, repr=False)
    #: The type of the vectors, `dense` or `sparse`.
    vector_type: str | None = attrs.field(default=None, repr=False)

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
        absent = {field.name for field in attrs.fields(Index) if getattr(self, field.name) == field.default}
        return {name: value for name, value in super().to_dict().items() if name not in absent}


#: The models that the service's objects become; each keeps unknown keys in `extra`.
MODELS: Final = (Backup, MetadataField, MetadataSchema, RestoreJob, RestoreReceipt, Index)
