"""JSON bytes to models, for every body of the API. Knows no status, no header, no request.

Theory of operation. Strict cattrs (`_structure`) is the authority for every body. A page of backups is what a listing
reads all the time, so `_readers` has two faster readers for it, which are tried first. Each returns None for what it
does not take, and never anything that strict cattrs would read differently:

1. `read_known` takes a page of known keys alone: msgspec decodes the bytes into structs, which have the fields of the
   models, and the frozen values are filled from these.
2. `read_rows` takes rows with unknown keys as well: the bytes are decoded a second time, into dicts, and what no struct
   has becomes `extra`. The page around the rows is read by `_structure`.
3. `_structure` reads everything else, and names what is wrong.

The readers keep nothing from one body to the next. The limits hold for all of them alike, so that no body within
`MAX_BODY` blocks the event loop for long.
"""

from typing import Any, Final

from ._errors import ResponseParsingError
from ._models import Backup, BackupPage, Index, RestoreJob, RestoreJobPage, RestoreReceipt
from ._readers import MAX_DEPTH as MAX_DEPTH
from ._readers import MAX_VALUES as MAX_VALUES
from ._readers import check_depth, load, read_known, read_rows
from ._structure import MAX_ROWS as MAX_ROWS
from ._structure import structure, structure_listing

MAX_BODY: Final = 2 * 2**20  # bytes of a successful response, decompressed; a page of 100 backups has about 60,000
MAX_ERROR_BODY: Final = 64 * 2**10  # bytes that are read of an error response


def decode_page(body: bytes) -> BackupPage:
    """Return the page of backups in a body."""
    page = read_known(body)
    if page is not None:
        return page
    raw = load(body)
    rows = read_rows(raw)
    if rows is None:
        check_depth([raw])
    found = structure_listing(raw, Backup, "a page of backups", rows=rows)
    return BackupPage(data=found.rows, next_token=found.token, data_missing=found.missing)


def decode_restore_job_page(body: bytes) -> RestoreJobPage:
    """Return the page of restore jobs in a body."""
    found = structure_listing(decode_json(body), RestoreJob, "a page of restore jobs")
    return RestoreJobPage(data=found.rows, next_token=found.token, data_missing=found.missing)


def decode_indexes(body: bytes) -> list[Index]:
    """Return the indexes in a body. The service never pages them."""
    found = structure_listing(decode_json(body), Index, "a list of indexes", key="indexes")
    if found.token is not None:
        raise ResponseParsingError("the list of indexes has a token for more, which this version cannot ask for")
    return list(found.rows)


def decode_backup(body: bytes) -> Backup:
    """Return the backup in a body."""
    return structure(decode_json(body), Backup, "a backup")


def decode_restore_job(body: bytes) -> RestoreJob:
    """Return the restore job in a body."""
    return structure(decode_json(body), RestoreJob, "a restore job")


def decode_receipt(body: bytes) -> RestoreReceipt:
    """Return the receipt of a restore in a body."""
    return structure(decode_json(body), RestoreReceipt, "a receipt of a restore")


def decode_nothing(body: bytes) -> None:
    """Accept any body: the status has said everything."""


def decode_json(body: bytes) -> Any:
    """Return decoded JSON; raise ResponseParsingError if the bytes are not JSON in UTF-8, or beyond a limit."""
    value = load(body)
    check_depth([value])
    return value
