"""JSON bytes to models, for every body of the API. Knows msgspec; knows no status, no header, no request.

Theory of operation. Strict cattrs (`_structure`) is the authority for every body. A page of backups is what a listing
reads all the time, so there are two faster ways to read its rows, which are tried first. Each is given up for what it
does not take, and never reads anything that strict cattrs would read differently:

1. A page of known keys alone: msgspec decodes the bytes into structs, which have the fields of the models, and the
   frozen values are filled from these. msgspec skips unread what a struct does not know, so unknown keys are forbidden
   at every level.
2. A page with unknown keys: the bytes are decoded into dicts, these are converted to structs, and what no struct has
   becomes `extra`.
3. `_structure` reads everything else, and names what is wrong. It also reads what stands around the rows.

Nothing is kept from one body to the next. The limits hold for all ways alike, so that no body within `MAX_BODY` blocks
the event loop for long.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import repeat
from math import isinf
from typing import Any, Final, cast

import attrs
import msgspec

from . import _models as models  # pyright: ignore[reportPrivateUsage]
from ._errors import ResponseParsingError, ResponseTooLargeError
from ._models import NOTHING_ELSE, Backup, FrozenDict, MetadataField, MetadataSchema
from ._structure import read_time, structure, structure_page

MAX_BODY: Final = 2 * 2**20  # bytes of a successful response, decompressed; a page of 100 backups has about 60,000
MAX_ERROR_BODY: Final = 64 * 2**10  # bytes that are read of an error response
MAX_VALUES: Final = 50_000  # commas and opening brackets outside texts; a page of 100 backups has about 2,500
MAX_DEPTH: Final = 100  # levels of nesting
_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} levels"
_ITEMS: Final[dict[type, Callable[[Any], Iterable[Any]]]] = {dict: dict[str, Any].values, list: iter}
# What says that a faster way does not take a body.
_NOT_TAKEN: Final = (msgspec.MsgspecError, ValueError, OverflowError, TypeError, KeyError)


def decode_page(body: bytes) -> models.BackupPage:
    """Return the page of backups in a body."""
    try:
        page: Any = _known_decoder.decode(_within_limits(body))
        raw, rows = msgspec.structs.asdict(page), _filled(page.data, repeat(NOTHING_ELSE))
    except _NOT_TAKEN:
        raw, rows = _read_any(body)
    return structure_page(raw, models.BackupPage, Backup, rows=rows)


def decode_job_page(body: bytes) -> models.RestoreJobPage:
    """Return the page of restore jobs in a body."""
    return structure_page(decode_json(body), models.RestoreJobPage, models.RestoreJob)


def decode_indexes(body: bytes) -> list[models.Index]:
    """Return the indexes in a body. The service never pages them."""
    page = structure_page(decode_json(body), models.Page[models.Index], models.Index, key="indexes")
    if page.next_token is not None:
        raise ResponseParsingError("the list of indexes has a token for more, which this version cannot ask for")
    return list(page.data)


def decode_backup(body: bytes) -> Backup:
    """Return the backup in a body."""
    return structure(decode_json(body), Backup)


def decode_job(body: bytes) -> models.RestoreJob:
    """Return the restore job in a body."""
    return structure(decode_json(body), models.RestoreJob)


def decode_receipt(body: bytes) -> models.RestoreReceipt:
    """Return the receipt of a restore in a body."""
    return structure(decode_json(body), models.RestoreReceipt)


def decode_nothing(body: bytes) -> None:
    """Accept any body: the status has said everything."""


def decode_json(body: bytes) -> Any:
    """Return decoded JSON; raise ResponseParsingError if the bytes are not JSON in UTF-8, or beyond a limit."""
    value = _load(body)
    _check_depth(value)
    return value


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError("number out of range")
    return value


# msgspec's own reading of a float such as 1e300 takes ten times as long as Python's.
_decoder: Final = msgspec.json.Decoder(float_hook=_float)


def _load(body: bytes) -> Any:
    """Return decoded JSON whose depth is still to be checked."""
    try:
        return _decoder.decode(_within_limits(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(_TOO_DEEP if isinstance(error, RecursionError) else str(error)) from None


def _not_json(reason: str) -> ResponseParsingError:
    return ResponseParsingError(f"the body is not JSON: {reason}", problems=[("$", reason)], decoded=False)


def _check_depth(value: Any) -> None:
    """Raise if decoded JSON is nested too deep."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [item for node in level if type(node) in _ITEMS for item in _ITEMS[type(node)](node)]
    if not _ITEMS.keys().isdisjoint(map(type, level)):
        raise _not_json(_TOO_DEEP)


def _within_limits(body: bytes) -> bytes:
    """Return a body without a byte order mark; raise if it has too many values. Bytes within texts do not count."""
    if 2 * len(body) > 3 * MAX_VALUES:
        # A value and its key have at most four quotes: what is behind so many of them is not split, which would last.
        pieces = body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"', 4 * (MAX_VALUES + 1))
        outside = b"".join(pieces[::2])
        if outside.count(b",") + outside.count(b"[") + outside.count(b"{") > MAX_VALUES:
            raise ResponseTooLargeError(f"the response has more than {MAX_VALUES:,} values")
    return body.removeprefix(b"\xef\xbb\xbf")


def _struct_of(cls: type[models.Model], types: Mapping[Any, Any], *, forbid: bool = True) -> Any:
    """Make the struct that has the fields of a model, with some types replaced, but for `extra`."""
    fields: list[Any] = [
        (field.name, types.get(field.type, field.type), *(() if field.default is attrs.NOTHING else (None,)))
        for field in attrs.fields(cls)
        if field.name != "extra"
    ]
    return msgspec.defstruct(cls.__name__, fields, forbid_unknown_fields=forbid, kw_only=True, gc=False)


# The tags of a faster way are not nested, as their depth would have to be checked, and have no floats.
_Field: Any = _struct_of(MetadataField, {})
_Schema: Any = _struct_of(MetadataSchema, {Mapping[str, MetadataField]: dict[str, _Field]})
_Tags: Any = dict[str, str | int | bool | None] | None
_TYPES: Final = {dt.datetime | None: str | None, MetadataSchema | None: _Schema | None, Mapping[str, Any] | None: _Tags}
_KnownRow: Any = _struct_of(Backup, _TYPES)
_AnyRow: Any = _struct_of(Backup, _TYPES, forbid=False)
_KNOWN: Final = models.known_names(Backup)
_PAGE: Any = [("data", list[_KnownRow]), ("pagination", dict[str, str | None] | None, None), ("error", None, None)]
_known_decoder: Final = msgspec.json.Decoder(msgspec.defstruct("Page", _PAGE, forbid_unknown_fields=True))
_times_decoder: Final = msgspec.json.Decoder(list[dt.datetime | None])


def _read_any(body: bytes) -> tuple[Any, Any]:
    """Return decoded JSON, and the list of backups in it, or None if it is not what this way takes."""
    raw = _load(body)
    try:
        structs = msgspec.convert(raw["data"], list[_AnyRow])
        names_of = cache(_unknown)  # most rows of a page have the same keys
        extras = [{name: row[name] for name in names_of(tuple(row))} or NOTHING_ELSE for row in raw["data"]]
        _check_depth({**raw, "data": extras})  # all that is nested in the rows
        return raw, _filled(structs, extras)
    except _NOT_TAKEN:
        _check_depth(raw)
        return raw, None


def _unknown(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name not in _KNOWN]


def _times(texts: list[str | None]) -> Iterable[dt.datetime | None]:
    """Return the moments that texts name; raise ValueError or OverflowError if one names none.

    msgspec reads them fast, but it takes more than RFC 3339 does. What it takes with one T, one Z and no escape is
    RFC 3339; a NUL, which is escaped, it passes over.
    """
    present = len(texts) - texts.count(None)
    if not present:
        return repeat(None)
    body = msgspec.json.encode(texts)
    if body.count(b"T") == body.count(b"Z") == present and b"\\" not in body:  # it takes no text with two of either
        return _times_decoder.decode(body)
    return [None if text is None else read_time(text) for text in texts]


def _open(cls: type) -> Any:
    """Make a subclass of a frozen class whose slots can be stored into."""
    namespace = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(cls.__name__, (cls,), namespace)


# Filling frozen values. Their own constructor takes half of the time of a page, as it stores into each slot by way of
# `object.__setattr__`. So the slots are stored into while a value belongs to a subclass that is not frozen, and then
# it gets its own class. A value that lacks a field would fail when the field is read: property tests read all of them.
_OpenBackup, _OpenSchema, _OpenField = _open(Backup), _open(MetadataSchema), _open(MetadataField)
_new: Final = cast("Callable[[type], Any]", object.__new__)


def _filled(rows: Sequence[Any], extras: Iterable[Mapping[str, Any]]) -> list[Backup]:
    """Return the frozen backups of structs. Those of an index share its schema, which nothing can change."""
    created = _times([row.created_at for row in rows])
    deleted = _times([row.source_index_deleted_at for row in rows])
    schemas: dict[str, tuple[Any, Any]] = {}
    values: list[Any] = list(map(_new, repeat(_OpenBackup, len(rows))))
    # Not strict, as some of these have no end.
    for value, row, extra, created_at, deleted_at in zip(values, rows, extras, created, deleted, strict=False):
        schema = row.schema
        if schema is not None:
            like = schemas.get(row.source_index_id)
            if like is None or like[0] != schema:
                like = schemas[row.source_index_id] = schema, _filled_schema(schema)
            schema = like[1]
        value.backup_id, value.status = row.backup_id, row.status
        value.source_index_name, value.source_index_id = row.source_index_name, row.source_index_id
        value.cloud, value.region = row.cloud, row.region
        value.name, value.description = row.name, row.description
        value.dimension, value.metric = row.dimension, row.metric
        value.record_count, value.namespace_count = row.record_count, row.namespace_count
        value.size_bytes, value.tags = row.size_bytes, row.tags
        value.created_at, value.source_index_deleted_at = created_at, deleted_at
        value.schema, value.extra = schema, extra
        value.__class__ = Backup
    return values


def _filled_schema(struct: Any) -> Any:
    """Return the frozen schema of a struct, its fields in alphabetical order."""
    fields: dict[str, MetadataField] = {}
    for name in sorted(struct.fields):
        field, value = struct.fields[name], _new(_OpenField)
        fields[name] = value
        value.filterable, value.type = field.filterable, field.type
        value.dimension, value.metric = field.dimension, field.metric
        value.extra, value.__class__ = NOTHING_ELSE, MetadataField
    schema = _new(_OpenSchema)
    schema.fields, schema.extra = FrozenDict(fields), NOTHING_ELSE
    schema.__class__ = MetadataSchema
    return schema
