"""Indexes as the service describes them, made from the backups that were taken of them. Knows no HTTP."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from pinecone_backups_async import Backup, Index, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAILED", "INITIALIZING", "READY", "index_named", "index_row", "invented_id"]

READY: Final = {"ready": True, "state": "Ready"}
INITIALIZING: Final = {"ready": False, "state": "Initializing"}
FAILED: Final = {"ready": False, "state": "InitializationFailed"}
_NAMESPACE: Final = uuid.UUID("c1f2f8a5-7a0e-4c59-8f0b-3f3f2b1f6d40")
_ON_DEMAND: Final = {"mode": "OnDemand", "status": {"state": "Ready"}}


def invented_id(kind: str, number: int | str) -> str:
    """Return an id that looks like the service's ones and is the same each time."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind} {number}"))


def index_named(
    name: str,
    like: Backup | None = None,
    *,
    status: Mapping[str, Any] = READY,
    tags: Mapping[str, Any] | None = None,
    deletion_protection: str = "disabled",
) -> Index:
    """Return a serverless index, like that of a backup if one is given."""
    cloud, region = ("aws", "us-east-1") if like is None else (like.cloud, like.region)
    dimension, metric = (None, None) if like is None else (like.dimension, like.metric)
    return Index(
        name=name,
        host=f"{name}-{invented_id('host', name)[:7]}.svc.example.pinecone.io",
        status=dict(status),
        spec={"serverless": {"cloud": cloud, "region": region, "read_capacity": _ON_DEMAND}},
        dimension=dimension or 1536,
        metric=metric or Metric.COSINE.value,
        vector_type="dense",
        extra={"deletion_protection": deletion_protection, "tags": dict(tags or {})},
    )


def index_row(index: Index, version: str) -> dict[str, Any]:
    """Return an index as the service sends it. Version 2026-07 has a deployment and a schema in place of a spec."""
    row = index.to_dict()
    if version < "2026-07":
        return row
    vector = {"type": f"{row.pop('vector_type', 'dense')}_vector"}
    vector |= {name: row.pop(name) for name in ("dimension", "metric") if name in row}
    ((kind, facts),) = row.pop("spec").items()
    kind = "managed" if kind == "serverless" else kind
    capacity = facts.pop("read_capacity", None)
    deployment = {"deployment_type": kind} | facts
    return row | {"schema": {"fields": {"_values": vector}}, "deployment": deployment, "read_capacity": capacity}
