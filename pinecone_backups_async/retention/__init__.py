"""Keep some backups and delete the rest: `decide` says which may go, and why."""

from __future__ import annotations

from ._decide import Decision, RetentionPolicy, decide

__all__ = ["Decision", "RetentionPolicy", "decide"]
