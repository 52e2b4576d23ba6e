"""JSON bytes to models, every bad field named. Knows the wire's types; knows no status, no header, no request.

Strict cattrs is the authority: nothing is coerced, every fault carries its path, unknown keys are kept. A page it
would accept usually takes the fast path instead: msgspec decodes the bytes into structs generated from the attrs
classes and converts these. What the fast path does not take as it stands goes to strict cattrs, so the two can differ
in speed alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias, TypeGuard, TypeVar

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn

from ._errors import ResponseParsingError
from ._models import Backup, BackupPage, MetadataField, MetadataSchema

__all__ = ["MAX_TOKEN_BYTES", "decode_json", "decode_page"]

MAX_TOKEN_BYTES: Final = 8192
MAX_PROBLEMS: Final = 100
_BOM: Final = b"\xef\xbb\xbf"
_JSON_NAMES: Final[dict[type, str]] = {type(None): "null", dict: "object", list: "array"}
_MOST_UNKNOWN_KEYS: Final = 32
_MODELS: Final = (MetadataField, MetadataSchema, Backup)
_Problems: TypeAlias = list[tuple[str, str]]
_T = TypeVar("_T")


def decode_page(body: bytes) -> BackupPage:
    """Return the page that a body holds; raise ResponseParsingError with its problems where it holds none."""
    return _converter.structure(body, BackupPage)


def decode_json(body: bytes) -> Any:
    """Return decoded JSON; raise ResponseParsingError with decoded=False where the bytes are not JSON in UTF-8."""
    try:
        return msgspec.json.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
    raise ResponseParsingError(f"the body is not JSON: {reason}", problems=[("$", reason)], decoded=False)


def _wire_names(cls: type) -> set[str]:
    return {field.name for field in attrs.fields(cls)} - {"extra"}


# Strict cattrs: the authority.


def _expected(name: str, value: object) -> str:
    kind: type = type(value)
    got = _JSON_NAMES.get(kind, kind.__name__)
    return f"expected {name}, got {got}"


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list


def _exactly(kind: type, name: str) -> Callable[[object, Any], Any]:
    def structure(value: object, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(_expected(name, value))
        return value

    return structure


def _utc(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment if moment.tzinfo is dt.UTC else moment.astimezone(dt.UTC)


def _structure_time(value: object, _: Any) -> dt.datetime:
    if type(value) is not str:
        raise TypeError(_expected("str", value))
    try:
        return _utc(value)
    except (ValueError, OverflowError):
        raise ValueError("expected an RFC 3339 time with an offset") from None


def _structure_fields(value: Any, _: Any) -> Mapping[str, MetadataField]:
    if not _is_object(value):
        raise TypeError(_expected("object", value))
    return _converter.structure(value, dict[str, MetadataField])


def _keeping_unknown(cls: type[_T]) -> Callable[[object, Any], _T]:
    """Structure an attrs class from an object; the keys that the class does not know go to `extra`."""
    structure_known = make_dict_structure_fn(cls, _converter)
    names = _wire_names(cls)

    def structure(value: Any, _: Any) -> _T:
        if not _is_object(value):
            raise TypeError(_expected("object", value))
        known = {key: item for key, item in value.items() if key in names}
        known["extra"] = {key: item for key, item in value.items() if key not in names}
        return structure_known(known, cls)

    return structure


def _checked(value: object, kind: type[_T], path: str, problems: _Problems) -> _T | None:
    try:
        return _converter.structure(value, kind)
    except (cattrs.BaseValidationError, TypeError) as error:
        for line in cattrs.transform_error(error, path, format_exception=_reason):
            reason, _, where = line.partition(" @ ")
            problems.append((where, reason))
    return None


def _reason(error: BaseException, _: Any) -> str:
    return "required, but missing" if isinstance(error, KeyError) else str(error)


def _checked_token(pagination: Any, problems: _Problems) -> str | None:
    if pagination is None or pagination == {}:
        return None
    if not _is_object(pagination):
        problems.append(("$.pagination", _expected("object", pagination)))
    elif "next" not in pagination:
        problems.append(("$.pagination.next", "required, but missing"))
    elif pagination["next"] is not None:
        token = _checked(pagination["next"], str, "$.pagination.next", problems) or ""
        if len(token.encode()) > MAX_TOKEN_BYTES:
            problems.append(("$.pagination.next", f"longer than {MAX_TOKEN_BYTES} bytes"))
        return token or None
    return None


def _checked_backups(rows: Any, problems: _Problems) -> list[Backup]:
    if not _is_array(rows):
        problems.append(("$.data", _expected("array", rows)))
        return []
    backups: list[Backup] = []
    for index, row in enumerate(rows):
        backup = _checked(row, Backup, f"$.data[{index}]", problems)
        if backup is not None:
            backups.append(backup)
        elif len(problems) >= MAX_PROBLEMS:
            break
    return backups


def _structure_strictly(raw: Any) -> BackupPage:
    problems: _Problems = []
    backups: list[Backup] = []
    token = None
    if not _is_object(raw):
        problems.append(("$", _expected("object", raw)))
    else:
        token = _checked_token(raw.get("pagination"), problems)
        if raw.get("error") is not None:
            problems.append(("$.error", "an error is no page"))
        if "data" in raw:
            backups = _checked_backups(raw["data"], problems)
        elif token is not None or raw.keys() - {"pagination"}:
            # Alone, a missing `data` is how a project without backups may be answered.
            problems.append(("$.data", "required, but missing"))
    if problems:
        listed = "; ".join(f"{path}: {reason}" for path, reason in problems[:3])
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise ResponseParsingError(f"the answer is not a page of backups: {listed}{more}", problems=problems)
    return BackupPage(data=tuple(backups), next_token=token)


# The fast path: the same pages, sooner.


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
        unknown = self._unknown.union(*(row.keys() for row in raw.get("data", ()))) - _wire_names(Backup)
        if unknown != self._unknown and len(unknown) <= _MOST_UNKNOWN_KEYS:
            self._unknown, self._decoder = unknown, self._decoder_for(tuple(sorted(unknown)))

    def read(self, body: bytes) -> BackupPage | None:
        """Return the page, or None where strict cattrs must have the word."""
        try:
            page = self._decoder.decode(body)
            _structure_parts(page.data)
            data = msgspec.convert(page.data, tuple[Backup, ...], from_attributes=True)
        except (msgspec.MsgspecError, cattrs.BaseValidationError, ValueError, OverflowError, RecursionError, TypeError):
            return None
        token = "" if page.pagination is None else page.pagination.next or ""
        return None if len(token) > MAX_TOKEN_BYTES // 4 else BackupPage(data=data, next_token=token or None)


def _structure_parts(rows: list[Any]) -> None:
    parse, utc = dt.datetime.fromisoformat, dt.UTC
    texts = [b"null" if row.schema is None else bytes(row.schema) for row in rows]
    schemas = _read_schemas(dict.fromkeys(texts))
    for row, text in zip(rows, texts, strict=True):
        row.schema = schemas[text]
        created_at, deleted_at = row.created_at, row.source_index_deleted_at
        if created_at is not None:
            moment = parse(created_at)
            row.created_at = moment if moment.tzinfo is utc else _utc(created_at)
        if deleted_at is not None:
            row.source_index_deleted_at = _utc(deleted_at)


def _read_schemas(texts: Collection[bytes]) -> dict[bytes, MetadataSchema | None]:
    """Read each schema of a page once, however many of its backups share it; all of them in one go."""
    array = b"[%b]" % b",".join(texts)
    schemas: list[MetadataSchema | None]
    try:
        schemas = msgspec.convert(_schemas_decoder.decode(array), list[MetadataSchema | None], from_attributes=True)
    except msgspec.ValidationError:
        schemas = _converter.structure(msgspec.json.decode(array), list[MetadataSchema | None])
    return dict(zip(texts, schemas, strict=True))


def _structure_page(body: bytes, _: Any) -> BackupPage:
    body = body.removeprefix(_BOM)
    page = _fast.read(body)
    if page is None:
        raw = decode_json(body)
        page = _structure_strictly(raw)
        _fast.learn(raw)
    return page


_converter: Final = cattrs.Converter()
_converter.register_structure_hook(str, _exactly(str, "str"))
_converter.register_structure_hook(int, _exactly(int, "int"))
_converter.register_structure_hook(bool, _exactly(bool, "bool"))
_converter.register_structure_hook(dt.datetime, _structure_time)
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, Any], _exactly(dict, "object"))
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, MetadataField], _structure_fields)
_converter.register_structure_hook_factory(lambda kind: kind in _MODELS, _keeping_unknown)
_converter.register_structure_hook(BackupPage, _structure_page)
_fast: Final = _FastPath()
_schemas_decoder: Final = msgspec.json.Decoder(list[_struct_of(MetadataSchema) | None])  # type: ignore[misc]
