"""What exactly moved a profile: which trait and from what to what, which event, which window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segctl.operations.cause_words import cause

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.cause_chain import Hit, Side
    from segctl.operations.cause_rules import Changed
    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session


def lines(pairs: pl.DataFrame, line: str | None, at: datetime) -> pl.DataFrame:
    """The pairs with one cause for all: ``segment``, ``subject``, ``cause``, ``effective``."""
    import polars as pl

    effective = pl.lit(at).cast(pl.Datetime("us", "UTC")).alias("effective")
    return pairs.select("segment", "subject", pl.lit(line, pl.String).alias("cause"), effective)


class Details:
    """Tells what moved profiles of one group of segments.

    Attributes:
        certain: Profiles that are there no more, or again, because of identity alone: ``subject``, ``cause``.
    """

    def __init__(
        self,
        session: Session,
        then: Side,
        now: Side,
        answers: Answers,
        people: pl.DataFrame,
        changed: Mapping[str, Changed],
    ) -> None:
        import polars as pl

        self._session, self._then, self._now, self._answers, self._changed = session, then, now, answers, changed
        self._people = people
        self.certain = people.filter(~pl.col("stays")).select("subject", "cause")

    def clock(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Pairs of which nothing new is known."""
        if self._then.as_of == self._now.as_of:
            return lines(pairs, None, self._now.as_of)
        return lines(pairs, cause("time_passed"), self._now.as_of)

    def identity(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Pairs that moved because people were merged or separated."""
        import polars as pl

        at = pl.lit(self._now.as_of).cast(pl.Datetime("us", "UTC")).alias("effective")
        return pairs.join(self._people, on="subject", how="left").select("segment", "subject", "cause", at)

    def lines(self, hit: Hit) -> pl.DataFrame:
        """``segment``, ``subject``, ``cause``, ``effective`` of the pairs that one step moved."""
        match hit.kind:
            case "identity":
                return self.identity(hit.pairs)
            case "time_passed":
                return self.clock(hit.pairs)
        return lines(hit.pairs, cause(hit.kind), self._now.as_of)
