"""One name for frames of the portable layer, and the way out to Polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import narwhals.stable.v2 as nw

if TYPE_CHECKING:
    import polars as pl

Frame: TypeAlias = "nw.LazyFrame[Any]"


def polars_of(frame: Frame) -> pl.LazyFrame:
    """The Polars frame inside one that is known to be Polars."""
    return cast("pl.LazyFrame", nw.to_native(frame))
