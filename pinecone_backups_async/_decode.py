"""JSON bytes to models, fast where that can be. Knows msgspec; knows no status, no header, no request.

cattrs is the entry, and strict cattrs the authority. A page that it would accept usually takes the fast path instead:
msgspec decodes the bytes into structs generated from the attrs classes and converts these. What the fast path does not
take as it stands goes to strict cattrs, so the two can differ in speed alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

import attrs
import msgspec

from ._arguments import MAX_TOKEN_BYTES
from ._errors import ResponseParsingError, ResponseTooLargeError
from ._models import (
    Backup,
    BackupPage,
    Index,
    MetadataField,
    MetadataSchema,
    RestoreJob,
    RestoreJobPage,
    RestoreReceipt,
)
from ._structure import MAX_BACKUPS, ValidationError, converter, structure_page, structure_value, utc, wire_names

__all__ = ["decode_json", "decode_page"]

MAX_VALUES: Final = 100_000  # of a body: decoding and checking them must not hold the loop, nor fill the memory
_SURELY_FEWER: Final = 2**20  # bytes, for the fast path
_BOM: Final = b"\xef\xbb\xbf"
_MOST_UNKNOWN_KEYS: Final = 32
_LONGEST_UNKNOWN_KEY: Final = 100


def decode_page(body: bytes) -> BackupPage:
    """Return the page that a body holds; raise ResponseParsingError with its problems where it holds none."""
    return converter.structure(body, BackupPage)


def decode_json(body: bytes) -> Any:
    """Return decoded JSON; raise ResponseParsingError with decoded=False where the bytes are not JSON in UTF-8."""
    try:
        return msgspec.json.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
    raise ResponseParsingError(f"the body is not JSON: {reason}", problems=[("$", reason)], decoded=False)


def _wire_type(kind: Any) -> Any:
    """Return what the fast path reads a field as: times as text, schemas as bytes, for `_structure_parts`."""
    parts: dict[Any, Any] = {dt.datetime | None: str | None, MetadataSchema | None: msgspec.Raw}
    if kind in parts:
        return parts[kind]
    return dict[str, _struct_of(MetadataField)] if kind == Mapping[str, MetadataField] else kind  # type: ignore[misc]


def _struct_of(cls: type, unknown: tuple[str, ...] = ()) -> type[msgspec.Struct]:
    """Make the struct of an attrs class; `unknown` keys become fields of their own, which `extra` gathers again."""
    fields: list[Any] = [
        (field.name, _wire_type(field.type), *(() if field.default is attrs.NOTHING else (None,)))
        for field in attrs.fields(attrs.resolve_types(cls))
        if field.name != "extra"
    ]
    renamed = {f"unknown_{number}": key for number, key in enumerate(unknown)}
    fields += [(name, Any, msgspec.UNSET) for name in renamed]

    def extra(struct: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, key in renamed.items():
            if (value := getattr(struct, name)) is not msgspec.UNSET:
                found[key] = value
        return found

    namespace: dict[str, Any] = {"extra": property(extra) if unknown else {}}
    return msgspec.defstruct(
        cls.__name__, fields, namespace=namespace, rename=renamed, forbid_unknown_fields=True, kw_only=True, gc=False
    )


class _Pagination(msgspec.Struct, forbid_unknown_fields=True):
    next: str | None


def _can_be_learned(key: str) -> bool:
    """Say whether msgspec can name a field so; it refuses what JSON would escape."""
    return key.isprintable() and not {'"', "\\"} & set(key) and len(key) <= _LONGEST_UNKNOWN_KEY


class _FastPath:
    """Read a page whose rows have no keys but the known ones and those learned from pages before."""

    def __init__(self) -> None:
        self._unknown: frozenset[str] = frozenset()
        self._decoder = self._decoder_for(())

    @staticmethod
    def _decoder_for(unknown: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
        fields: list[Any] = [
            ("data", list[_struct_of(Backup, unknown)]),  # type: ignore[misc]
            ("pagination", _Pagination | None, None),
            ("error", None, None),
        ]
        # msgspec skips what it does not know unread, so a page with other keys is left to strict cattrs.
        return msgspec.json.Decoder(msgspec.defstruct("Page", fields, forbid_unknown_fields=True))

    def learn(self, raw: Any) -> None:
        """Take in the unknown keys of a page that strict cattrs found good, so that the next such page is read fast."""
        unknown = self._unknown.union(*(row.keys() for row in raw.get("data", ()))) - wire_names(Backup)
        unknown = frozenset(key for key in unknown if _can_be_learned(key))
        if unknown != self._unknown and len(unknown) <= _MOST_UNKNOWN_KEYS:
            self._unknown, self._decoder = unknown, self._decoder_for(tuple(sorted(unknown)))

    def read(self, body: bytes) -> BackupPage | None:
        """Return the page, or None where strict cattrs must have the word."""
        try:
            page = self._decoder.decode(body)
            if len(page.data) > MAX_BACKUPS:
                return None
            _structure_parts(page.data)
            data = msgspec.convert(page.data, tuple[Backup, ...], from_attributes=True)
        except (msgspec.MsgspecError, ValidationError, ValueError, OverflowError, RecursionError, TypeError):
            return None
        token = "" if page.pagination is None else page.pagination.next or ""
        return None if len(token) > MAX_TOKEN_BYTES // 4 else BackupPage(data=data, next_token=token or None)


def _structure_parts(rows: list[Any]) -> None:
    parse, zero = dt.datetime.fromisoformat, dt.UTC
    texts = [b"null" if row.schema is None else bytes(row.schema) for row in rows]
    schemas = _read_schemas(dict.fromkeys(texts))
    for row, text in zip(rows, texts, strict=True):
        row.schema = schemas[text]
        created_at, deleted_at = row.created_at, row.source_index_deleted_at
        if created_at is not None:
            moment = parse(created_at)
            row.created_at = moment if moment.tzinfo is zero else utc(created_at)
        if deleted_at is not None:
            row.source_index_deleted_at = utc(deleted_at)


def _read_schemas(texts: Collection[bytes]) -> dict[bytes, MetadataSchema | None]:
    """Read each schema of a page once, however many of its backups share it; all of them in one go."""
    array = b"[%b]" % b",".join(texts)
    schemas: list[MetadataSchema | None]
    try:
        schemas = msgspec.convert(_schemas_decoder.decode(array), list[MetadataSchema | None], from_attributes=True)
    except msgspec.ValidationError:
        schemas = converter.structure(msgspec.json.decode(array), list[MetadataSchema | None])
    return dict(zip(texts, schemas, strict=True))


def _has_too_many_values(body: bytes) -> bool:
    return body.count(b",") + body.count(b"[") + body.count(b"{") > MAX_VALUES


def _structure_page(body: bytes, _: Any) -> BackupPage:
    body = body.removeprefix(_BOM)
    page = None if len(body) > _SURELY_FEWER and _has_too_many_values(body) else _fast.read(body)
    if page is None:
        if _has_too_many_values(body):
            raise ResponseTooLargeError(f"the answer has more than {MAX_VALUES:,} values")
        raw = decode_json(body)
        page = structure_page(raw)
        _fast.learn(raw)
    return page


converter.register_structure_hook(BackupPage, _structure_page)
_fast: Final = _FastPath()
_schemas_decoder: Final = msgspec.json.Decoder(list[_struct_of(MetadataSchema) | None])  # type: ignore[misc]


def _value(body: bytes, kind: type[_T]) -> _T:
    return structure_value(decode_json(body), kind)


def decode_backup(body: bytes) -> Backup:
    """Return a backup."""
    return _value(body, Backup)


def decode_restore_job(body: bytes) -> RestoreJob:
    """Return a restore job."""
    return _value(body, RestoreJob)


def decode_receipt(body: bytes) -> RestoreReceipt:
    """Return a receipt."""
    return _value(body, RestoreReceipt)


def decode_restore_job_page(body: bytes) -> RestoreJobPage:
    """Return a page of restore jobs."""
    raw = structure_value(decode_json(body), dict)
    rows = structure_value(raw.get("data"), list)
    token = (raw.get("pagination") or {}).get("next")
    return RestoreJobPage(data=tuple(structure_value(row, RestoreJob) for row in rows), next_token=token)


def decode_indexes(body: bytes) -> list[Index]:
    """Return indexes."""
    rows = structure_value(structure_value(decode_json(body), dict).get("indexes"), list)
    return [structure_value(row, Index) for row in rows]


def decode_nothing(_: bytes) -> None:
    """Return None."""


MAX_BODY: Final = 4 * 2**20
_T = TypeVar("_T")
