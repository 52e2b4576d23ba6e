"""The open sets of words that the service uses, and what a status means. Knows words only.

Every one of these sets is open: the service may send a word that this version does not know.
"""

from enum import StrEnum
from typing import Literal, TypeAlias


class BackupStatus(StrEnum):
    """The states of a backup that are known today; `Backup.status` is an open string and may hold others."""

    INITIALIZING = "Initializing"
    PENDING = "Pending"
    SCHEDULED = "Scheduled"
    READY = "Ready"
    FAILED = "Failed"
    INITIALIZATION_FAILED = "InitializationFailed"


class RestoreStatus(StrEnum):
    """The states of a restore job that are known today; `RestoreJob.status` is an open string and may hold others."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class Metric(StrEnum):
    """The distance metrics that are known today; `Backup.metric` is an open string and may hold others."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"
    DOTPRODUCT = "dotproduct"


#: The goal is reached, or it is still ahead, or it will not be reached.
Outcome: TypeAlias = Literal["reached", "waiting", "failed"]


def outcome_of(status: str, reached: str, *waiting: str) -> Outcome:
    """Return what a status means. One that is not known has failed: waiting for it could last for ever."""
    if status == reached:
        return "reached"
    return "waiting" if status in waiting else "failed"
