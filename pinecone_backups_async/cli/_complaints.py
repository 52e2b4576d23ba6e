"""Errors in words: where, why, and what to do. Knows errors; writes nothing and decides no exit code."""

from __future__ import annotations

import shlex
from typing import Final

from pinecone_backups_async import (
    BackupsError,
    ConfigurationError,
    InvalidRequestError,
    WaitTimeoutError,
)

__all__ = ["failure_text", "use_text"]

# What a person has written where the library names its argument.
_SPELLED: Final = {
    "api_key": "PINECONE_API_KEY",
    "base_url": "PINECONE_CONTROLLER_HOST",
    "additional_headers": "PINECONE_ADDITIONAL_HEADERS",
    "pagination_token": "--pagination-token",
    "index_name": "INDEX",
    "backup_id": "ID",
    "restore_job_id": "ID",
    "name": "--name",
    "description": "--description",
    "timeout": "--timeout",
    "max_deletes": "--max-deletes",
}


def use_text(error: ConfigurationError) -> str:
    """Return what was used wrongly, by the name that it has for whoever uses the command."""
    argument, _, rest = str(error).partition(" ")
    return f"{_SPELLED[argument]} {rest}" if argument in _SPELLED else str(error)


def failure_text(error: BackupsError) -> str:
    """Return what failed, in one line, and what to do about it if that is known."""
    advice = _advice(error)
    return f"{type(error).__name__}: {error}{f' ({advice})' if advice else ''}"


def _advice(error: BackupsError) -> str | None:
    if error.outcome_unknown:
        return "look with list or restores before you repeat it"
    if isinstance(error, WaitTimeoutError):
        return "it may still happen: see wait"
    if error.pagination_token is None:
        return None
    if isinstance(error, InvalidRequestError):
        return "the token was refused: list from the beginning, without --pagination-token"
    return f"resume with --pagination-token={shlex.quote(error.pagination_token)}"
