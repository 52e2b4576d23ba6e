"""Types of responses. Their schemas are made from the attrs classes, so that each field is defined in one place.

Knows what the fields mean to those who call a service; knows no HTTP.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Final, NotRequired, Union, get_args, get_origin

import attrs
from pydantic import ConfigDict, Field, InstanceOf, PlainSerializer, WithJsonSchema
from typing_extensions import TypedDict

from pinecone_backups_async import (
    Backup,
    BackupPage,
    Index,
    MetadataField,
    MetadataSchema,
    RestoreJob,
    RestoreJobPage,
    RestoreReceipt,
)

__all__ = [
    "BackupModel",
    "BackupPageModel",
    "IndexModel",
    "RestoreJobModel",
    "RestoreJobPageModel",
    "RestoreReceiptModel",
]

_PAGES: Final = {
    "data": "The rows of this page.",
    "pagination": "Where the next page is; null on the last page.",
    "next": "The token of the next page.",
}
# What each class and its fields mean to those who call a service.
_TEXTS: Final[Mapping[type, tuple[str, Mapping[str, str]]]] = {
    Backup: (
        "A backup of an index.",
        {
            "backup_id": "The id of the backup.",
            "source_index_name": "The name of the index that was backed up. An index of this name may be another one.",
            "source_index_id": "The id of the index that was backed up.",
            "status": "The state, such as Initializing, Ready or Failed. New states may appear.",
            "cloud": "The cloud in which the backup is stored.",
            "region": "The region of the cloud.",
            "name": "The name of the backup. Names are not unique.",
            "description": "The description of the backup.",
            "dimension": "The dimension of the vectors.",
            "metric": "The distance metric, such as cosine. New metrics may appear.",
            "schema": "Which metadata fields the index describes.",
            "record_count": "How many records the backup has; null or 0 until it is Ready, and sometimes after.",
            "namespace_count": "How many namespaces the backup has; null or 0 until it is Ready.",
            "size_bytes": "The size in bytes; null or 0 until the backup is Ready.",
            "tags": "The tags that the index had.",
            "created_at": "When the backup was created, or is planned to be.",
            "source_index_deleted_at": "When the index was deleted; null if it was not.",
        },
    ),
    MetadataSchema: ("The metadata fields that an index describes.", {"fields": "The fields, by name."}),
    MetadataField: (
        "One metadata field. Only the keys that the backup has are present.",
        {
            "filterable": "Whether queries can filter by the field.",
            "type": "The type of the field.",
            "dimension": "The dimension, if the field has vectors.",
            "metric": "The distance metric, if the field has vectors.",
        },
    ),
    RestoreJob: (
        "A job that makes an index from a backup.",
        {
            "restore_job_id": "The id of the job.",
            "backup_id": "The id of the backup that is restored.",
            "target_index_name": "The name of the new index.",
            "target_index_id": "The id of the new index.",
            "status": "The state, such as Pending, Completed or Failed. New states may appear.",
            "created_at": "When the job was created.",
            "completed_at": "When the job ended; null while it runs.",
            "percent_complete": "100 once the job is complete, else null. It shows no progress.",
        },
    ),
    RestoreReceipt: (
        "What a restore that has begun can be followed by.",
        {"restore_job_id": "The id of the restore job.", "index_id": "The id of the new index."},
    ),
    Index: (
        "An index. Keys without a value are absent.",
        {
            "name": "The name of the index.",
            "host": "The host that serves the index.",
            "status": "The state of the index: `state` and `ready`.",
            "spec": "Where the index runs: `serverless`, `pod` or `byoc`. Absent in API version 2026-07.",
            "dimension": "The dimension of the vectors.",
            "metric": "The distance metric, such as cosine.",
            "vector_type": "The type of the vectors: dense or sparse.",
        },
    ),
}
_WITHOUT_NULLS: Final = {MetadataField, Index}  # whose to_dict() leaves out what has no value

_make_typed_dict: Final[Any] = TypedDict  # made at run time, which type checkers do not follow
_described: Final[Any] = Annotated
_TIME: Final = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def _wire(kind: Any) -> Any:
    """Return what a field is in `to_dict()`, if its attrs class says what it is in Python."""
    if kind is dt.datetime:
        return _TIME
    if get_origin(kind) in {Union, UnionType}:
        return Union[tuple(_wire(part) for part in get_args(kind))]  # noqa: UP007 - built at run time
    if get_origin(kind) is Mapping:
        return dict[str, _wire(get_args(kind)[1])]  # type: ignore[misc]
    return _shape(kind) if attrs.has(kind) else kind


def _wire_field(cls: type, field: attrs.Attribute[Any]) -> Any:
    text = Field(description=_TEXTS[cls][1].get(field.name))
    if cls not in _WITHOUT_NULLS or field.default is attrs.NOTHING:
        return _described[_wire(field.type), text]
    kinds = get_args(field.type)
    kind = next(kind for kind in kinds if kind is not type(None)) if type(None) in kinds else field.type
    return NotRequired[_described[_wire(kind), text]]


def _shape(cls: type) -> Any:
    """Return a class's `to_dict()` as a type; it allows further keys, as newer versions of the API may send them."""
    fields = attrs.fields(attrs.resolve_types(cls))
    return _typed_dict(
        cls.__name__, _TEXTS[cls][0], {field.name: _wire_field(cls, field) for field in fields if field.name != "extra"}
    )


def _typed_dict(name: str, text: str, fields: dict[str, Any], extra: Any = "allow") -> Any:
    made = _make_typed_dict(name, fields)
    made.__doc__, made.__pydantic_config__ = text, ConfigDict(extra=extra)
    return made


_PaginationShape: Final = _typed_dict(
    "Pagination", "Where the next page is.", {"next": _described[str, Field(description=_PAGES["next"])]}, "ignore"
)


def _page_shape(name: str, row: Any) -> Any:
    kinds = {"data": list[row], "pagination": _PaginationShape | None}
    fields = {key: _described[kind, Field(description=_PAGES[key])] for key, kind in kinds.items()}
    return _typed_dict(name, "One page of a listing.", fields, "ignore")


_BackupShape: Final = _shape(Backup)
_RestoreJobShape: Final = _shape(RestoreJob)

BackupModel = Annotated[InstanceOf[Backup], PlainSerializer(Backup.to_dict, return_type=_BackupShape)]
"""A Backup that leaves a handler as its `to_dict()`, with a schema: `-> BackupModel`, `-> list[BackupModel]`."""

BackupPageModel = Annotated[
    InstanceOf[BackupPage],
    PlainSerializer(BackupPage.to_dict, return_type=_page_shape("BackupPage", _BackupShape)),
]
"""A BackupPage that leaves a handler as its `to_dict()`, with a schema."""

RestoreJobModel = Annotated[InstanceOf[RestoreJob], PlainSerializer(RestoreJob.to_dict, return_type=_RestoreJobShape)]
"""A RestoreJob that leaves a handler as its `to_dict()`, with a schema."""

RestoreJobPageModel = Annotated[
    InstanceOf[RestoreJobPage],
    PlainSerializer(RestoreJobPage.to_dict, return_type=_page_shape("RestoreJobPage", _RestoreJobShape)),
]
"""A RestoreJobPage that leaves a handler as its `to_dict()`, with a schema."""

RestoreReceiptModel = Annotated[
    InstanceOf[RestoreReceipt], PlainSerializer(RestoreReceipt.to_dict, return_type=_shape(RestoreReceipt))
]
"""A RestoreReceipt that leaves a handler as its `to_dict()`, with a schema."""

IndexModel = Annotated[InstanceOf[Index], PlainSerializer(Index.to_dict, return_type=_shape(Index))]
"""An Index that leaves a handler as its `to_dict()`, with a schema."""
