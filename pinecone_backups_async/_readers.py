"""JSON bytes to plain values, within limits; and the two fast readers of a page of backups. Knows msgspec.

`_decode` says how the readers work together.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from math import isinf
from typing import Any, Final, cast

import attrs
import msgspec

from ._arguments import MAX_TOKEN_BYTES
from ._errors import ResponseParsingError, ResponseTooLargeError
from ._models import Backup, BackupPage, MetadataField, MetadataSchema
from ._plain import NOTHING_ELSE, FrozenDict
from ._structure import MAX_ROWS, read_time, wire_names

MAX_VALUES: Final = 50_000  # commas and opening brackets outside texts; a page of 100 backups has about 2,500
MAX_DEPTH: Final = 100  # levels of nesting
_BOM: Final = b"\xef\xbb\xbf"
_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} levels"
_CONTAINERS: Final = frozenset({dict, list})
_TYPES_OF_TAGS: Final = frozenset({dict, type(None)})
# What says that a faster reader does not take a body.
_NOT_TAKEN: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, TypeError, KeyError)
_new: Final = cast("Callable[[type], Any]", object.__new__)


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError("number out of range")
    return value


# msgspec's own reading of a float such as 1e300 takes ten times as long as Python's.
_decoder: Final = msgspec.json.Decoder(float_hook=_float)


def load(body: bytes) -> Any:
    """Return decoded JSON whose depth is still to be checked."""
    body = body.removeprefix(_BOM)
    _check_number_of_values(body)
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
    raise _not_json(_TOO_DEEP if reason == RecursionError.__name__ else reason)


def _not_json(reason: str) -> ResponseParsingError:
    return ResponseParsingError(f"the body is not JSON: {reason}", problems=[("$", reason)], decoded=False)


def check_depth(values: Iterable[Any], levels: int = MAX_DEPTH) -> None:
    """Raise if one of these values of decoded JSON is nested deeper than so many levels."""
    nodes: list[Any] = [value for value in values if type(value) in _CONTAINERS]
    while nodes:
        if levels == 0:
            raise _not_json(_TOO_DEEP)
        levels -= 1
        inner: list[Any] = list(chain.from_iterable(map(_inner, nodes)))
        found = not _CONTAINERS.isdisjoint(map(type, inner))
        nodes = [value for value in inner if type(value) in _CONTAINERS] if found else []


def _inner(node: Any) -> Iterable[Any]:
    return cast("Iterable[Any]", node.values() if type(node) is dict else node)


def _number_of_values(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _check_number_of_values(body: bytes) -> None:
    """Raise if a body has too many values, before they are made. Bytes within texts do not count."""
    if 2 * len(body) <= 3 * MAX_VALUES or _number_of_values(body) <= MAX_VALUES:
        return
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    # A value and its key have at most four quotes; with more of them, even taking the texts out would last.
    if body.count(b'"') > 4 * (MAX_VALUES + 1) or _number_of_values(b"".join(body.split(b'"')[::2])) > MAX_VALUES:
        raise ResponseTooLargeError(f"the response has more than {MAX_VALUES:,} values")


def _struct_of(cls: type, types: Mapping[Any, Any], *, forbid: bool = True) -> Any:
    """Make the struct that has the fields of an attrs class, with some types replaced, but for `extra`."""
    fields: list[Any] = [
        (field.name, types.get(field.type, field.type), *(() if field.default is attrs.NOTHING else (None,)))
        for field in attrs.fields(attrs.resolve_types(cls))
        if field.name != "extra"
    ]
    return msgspec.defstruct(cls.__name__, fields, forbid_unknown_fields=forbid, kw_only=True, gc=False)


def _decoder_of(fields: list[Any], *, forbid: bool) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(msgspec.defstruct("Page", fields, forbid_unknown_fields=forbid))


# msgspec skips what it does not know unread, so the first reader forbids it at every level. It takes no nested tags
# either, as their depth would have to be checked, nor floats.
_TAGS: Any = dict[str, str | int | bool | None]
_Field: Any = _struct_of(MetadataField, {})
_Schema: Any = _struct_of(MetadataSchema, {Mapping[str, MetadataField]: dict[str, _Field]})
_PARTS: Final = {dt.datetime | None: str | None, MetadataSchema | None: _Schema | None}
_KnownRow: Any = _struct_of(Backup, {**_PARTS, Mapping[str, Any] | None: _TAGS | None})
_AnyRow: Any = _struct_of(Backup, {**_PARTS, Mapping[str, Any] | None: Any}, forbid=False)
_KNOWN: Final = wire_names(Backup)
_Pagination: Any = msgspec.defstruct("Pagination", [("next", str | None)], forbid_unknown_fields=True)
_OTHERS: Final = [("pagination", _Pagination | None, None), ("error", None, None)]
_known_decoder: Final = _decoder_of([("data", list[_KnownRow]), *_OTHERS], forbid=True)
_times_decoder: Final = msgspec.json.Decoder(list[dt.datetime])


def read_known(body: bytes) -> BackupPage | None:
    """Return the page of a body whose keys are all known, or None."""
    body = body.removeprefix(_BOM)
    _check_number_of_values(body)
    try:
        page: Any = _known_decoder.decode(body)
        if len(page.data) > MAX_ROWS:
            return None
        rows = _filled(page.data, repeat(NOTHING_ELSE))
    except _NOT_TAKEN:
        return None
    token = "" if page.pagination is None else page.pagination.next or ""
    return None if len(token) > MAX_TOKEN_BYTES // 4 else BackupPage(data=tuple(rows), next_token=token or None)


def _unknown(rows: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what each row has beside the known keys. Most rows of a page have the same keys."""
    names_of: dict[tuple[str, ...], list[str]] = {}
    extras: list[Mapping[str, Any]] = []
    for row in rows:
        keys = tuple(row)
        names = names_of.get(keys)
        if names is None:
            names = names_of[keys] = [key for key in keys if key not in _KNOWN]
        extras.append({key: row[key] for key in names} if names else NOTHING_ELSE)
    return extras


def read_rows(raw: Any) -> list[Backup] | None:
    """Return the backups of a decoded page, whatever keys it has beside the known ones, or None."""
    try:
        rows = msgspec.convert(raw["data"], list[_AnyRow])
        if len(rows) > MAX_ROWS:
            return None
        extras = _unknown(raw["data"])
        tags = [row.tags for row in rows]
        if not _TYPES_OF_TAGS.issuperset(map(type, tags)):
            return None
        check_depth(chain(tags, *[extra.values() for extra in extras]), MAX_DEPTH - 3)
        check_depth([value for key, value in raw.items() if key != "data"], MAX_DEPTH - 1)
        return _filled(rows, extras)
    except _NOT_TAKEN:
        return None


def _read_schemas(schemas: list[Any]) -> Iterable[MetadataSchema | None]:
    """Return the frozen schemas of structs; equal ones share a value, which nothing can change."""
    if not any(schemas):
        return repeat(None)
    shared = defaultdict[tuple[str, ...], tuple[Any, MetadataSchema | None]](lambda: (None, None))
    values: list[MetadataSchema | None] = []
    for schema in schemas:
        names = () if schema is None else tuple(schema.fields)
        like, value = shared[names]
        if like != schema:
            value = _filled_schema(schema)
            shared[names] = schema, value
        values.append(value)
    return values


_DIGITS_AS_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
_SHAPES_OF_TIMES: Final = frozenset(
    b"0000-00-00T00:00:00%b%b" % (b"." * (digits > 0) + b"0" * digits, zone)
    for digits in range(10)
    for zone in (b"Z", b"+00:00", b"-00:00")
)


def _read_times(texts: list[str | None]) -> Iterable[dt.datetime | None]:
    """Return the moments that texts name; raise ValueError or OverflowError if one names none.

    msgspec reads them fast, but it takes more than RFC 3339 does, so the shape of the texts is checked first.
    """
    known = [text for text in texts if text is not None]
    if not known:
        return repeat(None)
    texts_as_json = ('["' + '","'.join(known) + '"]').encode()
    shapes = texts_as_json.translate(_DIGITS_AS_ZERO)[2:-2]
    first = shapes.partition(b'"')[0]
    uniform = shapes == b'","'.join([first] * len(known))
    if _SHAPES_OF_TIMES.issuperset([first] if uniform else shapes.split(b'","')):
        moments = _times_decoder.decode(texts_as_json)
        if not (uniform and first.endswith(b"Z")):
            moments = [moment.astimezone(dt.UTC) for moment in moments]
    else:
        moments = [read_time(text) for text in known]
    if len(moments) != len(known):  # a text had a quote in it
        raise ValueError
    if len(known) == len(texts):
        return moments
    each = iter(moments)
    return [None if text is None else next(each) for text in texts]


def _open(cls: type) -> Any:
    """Make a subclass of a frozen class whose slots can be stored into."""
    namespace = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(cls.__name__, (cls,), namespace)


# Filling frozen values. Their own constructor takes half of the time of a page, as it stores into each slot by way of
# `object.__setattr__`. So the slots are stored into while a value belongs to a subclass that is not frozen, and then
# it gets its own class. A value that lacks a field would fail when the field is read: a test reads all of them.
_OpenBackup: Final = _open(Backup)
_OpenField: Final = _open(MetadataField)
_OpenSchema: Final = _open(MetadataSchema)


def _filled(rows: Sequence[Any], extras: Iterable[Mapping[str, Any]]) -> list[Backup]:
    """Return the frozen backups of structs."""
    created = _read_times([row.created_at for row in rows])
    deleted = _read_times([row.source_index_deleted_at for row in rows])
    schemas = _read_schemas([row.schema for row in rows])
    values: list[Any] = list(map(_new, repeat(_OpenBackup, len(rows))))
    columns = zip(values, rows, schemas, extras, created, deleted, strict=False)  # some of them have no end
    for value, row, schema, extra, created_at, deleted_at in columns:
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


def _filled_schema(schema: Any) -> Any:
    """Return the frozen schema of a struct."""
    fields: dict[str, MetadataField] = {}
    for name, field in () if schema is None else schema.fields.items():
        value = _new(_OpenField)
        value.filterable, value.type = field.filterable, field.type
        value.dimension, value.metric = field.dimension, field.metric
        value.extra, value.__class__ = NOTHING_ELSE, MetadataField
        fields[name] = value
    value = _new(_OpenSchema)
    value.fields, value.extra = FrozenDict(fields), NOTHING_ELSE
    value.__class__ = MetadataSchema
    return None if schema is None else value
