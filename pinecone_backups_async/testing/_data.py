"""Sample data: backups of a made-up project, the same ones each time. Knows what backups look like, but no server."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import Any, Final

import attrs

from pinecone_backups_async import Backup, BackupStatus, MetadataField, MetadataSchema, Metric

__all__ = ["sample_backups"]

_NAMESPACE: Final = uuid.UUID("6f1d3b7e-52a4-4c0e-9a43-0b6d3f5f8c21")
_UNFINISHED: Final = frozenset({BackupStatus.INITIALIZING, BackupStatus.PENDING})
# By number: the backups that monitoring has to report.
_NOTEWORTHY: Final = {
    4: BackupStatus.FAILED,
    5: BackupStatus.INITIALIZING,
    8: BackupStatus.PENDING,
    22: BackupStatus.INITIALIZATION_FAILED,
}


@attrs.frozen(kw_only=True)
class _Index:
    """One index. One that was deleted and created again under its name is two of these."""

    name: str
    key: str
    cloud: str
    region: str
    records: int
    dimension: int = 0
    metric: str | None = None
    namespaces: int = 1
    typed_schema: bool = False
    metadata: tuple[str, ...] = ()
    tags: dict[str, str] | None = None
    deleted_days_ago: int = 0
    newest_days_ago: int = 0

    @property
    def index_id(self) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"index {self.key}"))

    def schema(self) -> MetadataSchema | None:
        if self.typed_schema:
            vector = MetadataField(type="dense_vector", dimension=self.dimension, metric=self.metric)
            texts = {name: MetadataField(type="string", filterable=True) for name in self.metadata}
            return MetadataSchema(fields={"embedding": vector} | texts)
        if not self.metadata:
            return None
        return MetadataSchema(fields={name: MetadataField(filterable=True) for name in self.metadata})


# Each row is one index of the project, newest incarnation first.
_PROJECT: Final[tuple[tuple[_Index, ...], ...]] = (
    (
        _Index(
            name="products",
            key="products",
            cloud="aws",
            region="us-east-1",
            dimension=1536,
            metric=Metric.COSINE,
            records=1_240_000,
            namespaces=12,
            metadata=("category", "brand", "price"),
            tags={"environment": "production", "team": "search"},
        ),
    ),
    (
        _Index(
            name="docs-search",
            key="docs-search again",
            cloud="aws",
            region="eu-west-1",
            dimension=1024,
            metric=Metric.COSINE,
            records=86_000,
            namespaces=3,
            typed_schema=True,
            metadata=("title", "language"),
            tags={"environment": "production"},
        ),
        _Index(
            name="docs-search",
            key="docs-search",
            cloud="aws",
            region="us-east-1",
            dimension=768,
            metric=Metric.DOTPRODUCT,
            records=61_000,
            namespaces=2,
            metadata=("title",),
            tags={"environment": "production"},
            deleted_days_ago=9,
        ),
    ),
    (
        _Index(
            name="support-tickets",
            key="support-tickets",
            cloud="gcp",
            region="us-central1",
            dimension=768,
            metric=Metric.DOTPRODUCT,
            records=412_000,
            namespaces=40,
            tags={},
        ),
    ),
    (
        _Index(
            name="images",
            key="images",
            cloud="azure",
            region="eastus2",
            dimension=512,
            metric=Metric.EUCLIDEAN,
            records=2_900_000,
            typed_schema=True,
            newest_days_ago=3,
        ),
    ),
    (
        _Index(
            name="events",
            key="events",
            cloud="aws",
            region="us-west-2",
            dimension=384,
            metric=Metric.COSINE,
            records=5_600_000,
            namespaces=7,
            metadata=("source", "kind"),
            tags={"team": "data"},
        ),
    ),
    (
        _Index(
            name="recommendations",
            key="recommendations",
            cloud="gcp",
            region="europe-west4",
            records=730_000,
            namespaces=2,
        ),
    ),
)


def sample_backups(count: int, *, now: dt.datetime | None = None) -> list[Backup]:
    """Return `count` backups of a made-up project of six indexes, newest first.

    Each index has about one a day, counted back from `now` (an aware datetime; None is the current time). The same
    `now` gives the same backups. Most are Ready. One index was deleted and created again under its name, one has had no
    backup for three days, and the newest backup of one failed. Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError(f"count must not be negative, not {count}")
    moment = dt.datetime.now(dt.UTC) if now is None else now.astimezone(dt.UTC)
    backups = (_backup(number, moment) for number in range(count))
    return sorted(backups, key=lambda backup: backup.created_at or moment, reverse=True)


def _backup(number: int, now: dt.datetime) -> Backup:
    chance = random.Random(number)  # noqa: S311 - the same data each time is the point
    days, slot = divmod(number, len(_PROJECT))
    days += _PROJECT[slot][0].newest_days_ago
    index = next(index for index in reversed(_PROJECT[slot]) if index.deleted_days_ago <= days)
    created = now - dt.timedelta(days=days, minutes=7 + 41 * (len(_PROJECT) - 1 - slot), seconds=chance.uniform(0, 300))
    status = _status(number, chance)
    by_hand = chance.random() < 0.1
    return Backup(
        backup_id=str(uuid.uuid5(_NAMESPACE, f"backup {number}")),
        source_index_name=index.name,
        source_index_id=index.index_id,
        status=status,
        cloud=index.cloud,
        region=index.region,
        name=f"{index.name}-{created:%Y-%m-%d}",
        description="Before a bulk update" if by_hand else None,
        dimension=index.dimension,
        metric=None if index.typed_schema else index.metric,
        schema=index.schema(),
        **_extent(index, status, days, chance),
        tags=index.tags,
        created_at=created,
        source_index_deleted_at=now - dt.timedelta(days=index.deleted_days_ago) if index.deleted_days_ago else None,
    )


def _status(number: int, chance: random.Random) -> str:
    usual = BackupStatus.FAILED if number >= len(_PROJECT) and chance.random() < 0.03 else BackupStatus.READY
    return str(_NOTEWORTHY.get(number, usual))


def _extent(index: _Index, status: str, days: int, chance: random.Random) -> dict[str, Any]:
    """Return the counts of a backup: the index was smaller in the past, and an unfinished backup has no counts."""
    if status in _UNFINISHED:
        return {"record_count": None, "namespace_count": None, "size_bytes": None}
    if status != BackupStatus.READY:
        return {"record_count": 0, "namespace_count": 0, "size_bytes": 0}
    records = round(index.records / (1 + days / 365) * chance.uniform(0.99, 1.0))
    size = records * (4 * (index.dimension or 256) + 180)
    return {"record_count": records, "namespace_count": index.namespaces, "size_bytes": size}
