"""Keep some backups and delete the rest: `decide` says which may go, `prune` deletes them.

policy = RetentionPolicy(daily=7, weekly=4, monthly=6)
report = await prune(client, policy, max_deletes=20, dry_run=False)
"""

from __future__ import annotations

from ._decide import Decision, RetentionPolicy, decide
from ._prune import PruneReport, prune

__all__ = ["Decision", "PruneReport", "RetentionPolicy", "decide", "prune"]
