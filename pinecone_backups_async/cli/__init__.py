"""The `pinecone-backups` command; needs the extra [cli]. Says what to install if that is missing."""

from __future__ import annotations

import sys

__all__ = ["main"]

_UNFORESEEN = 1
_UNFORESEEN_IN_CHECK = 3  # 1 would be read as «stale» by monitoring


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # before anything heavy is imported
        from pinecone_backups_async import __version__  # noqa: PLC0415

        print(__version__)
        sys.exit(0)
    unforeseen = _UNFORESEEN_IN_CHECK if sys.argv[1:2] == ["check"] else _UNFORESEEN
    try:
        code = _run(unforeseen)
    except KeyboardInterrupt:
        code = 130
    except Exception:  # noqa: BLE001 - the outermost edge; the traceback is shown
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        code = unforeseen
    sys.exit(code)


def _run(unforeseen: int) -> int:
    try:
        from ._app import run  # noqa: PLC0415 - cyclopts and rich may be absent
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        print(
            "pinecone-backups needs more than the library: pip install 'pinecone-backups-async[cli]'", file=sys.stderr
        )
        return unforeseen
    return run()
