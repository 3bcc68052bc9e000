"""A segment's file: its condition, what is kept of the matched, guards and words about it."""

from __future__ import annotations

from dataclasses import field
from datetime import date
from decimal import Decimal
from typing import Literal

from segctl.model.conditions.tree import Condition
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Duration


@dataclass(frozen=True, slots=True)
class Keep:
    """Rank the matched and keep the best.

    Attributes:
        best: `top` or `bottom`.
        count: Absolute number, or None.
        percent: Share in percent (rounded up, at least 1), or None.
        by: Trait that ranks; missing is never kept. Ties: by profile id.
        per: Trait that groups; missing drops unless `keep_missing_group`.
    """

    best: Literal["top", "bottom"]
    by: str
    count: int | None = None
    percent: Decimal | None = None
    per: str | None = None
    keep_missing_group: bool = False


@dataclass(frozen=True, slots=True)
class Guards:
    """Limits a later push or `diff --guards` checks; shares in 0–1, None when not set."""

    max_removed: Decimal | None = None
    max_added: Decimal | None = None
    min_size: int | None = None
    max_size: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentDefinition:
    """One segment file, bound.

    Attributes:
        fresh: Event kind, source or related table → how old it may be.
        stale: What an input that is too old does; None as the project says.
        expires: From the beginning of this local day on nobody belongs to it.
        digest: SHA-256 (hex) of the meaning: where, keep and every definition they refer to; comments,
            titles and the order of keys do not change it.
    """

    name: str
    where: Condition
    keep: Keep | None = None
    title: str | None = None
    description: str | None = None
    owner: str | None = None
    purpose: str | None = None
    tags: tuple[str, ...] = ()
    status: Literal["draft", "active", "paused"] = "active"
    send_to: tuple[str, ...] = ()
    guards: Guards = Guards()
    fresh: tuple[tuple[str, Duration], ...] = ()
    stale: Literal["refuse", "mark"] | None = None
    expires: date | None = None
    formerly: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False)
    digest: str = ""
