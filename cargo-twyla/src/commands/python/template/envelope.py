"""The envelope of an event, as it is on the wire."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Meta(BaseModel):
    """What the sender says of an event."""

    version: int = 1
    timestamp: datetime = Field(default_factory=_now)
    session_id: UUID = Field(default_factory=uuid4)


class Envelope(BaseModel):
    """An event with its context."""

    model_config = ConfigDict(extra="ignore")

    event_name: str
    content: dict[str, Any]
    context: dict[str, Any]
    meta: Meta = Field(default_factory=Meta)
