"""What exactly moved a profile, as a line: which trait, which event, which segment, which window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.operations.causes.consents import changed_consents
from segctl.operations.causes.events import arrived, mended
from segctl.operations.causes.replay import ask, flags, given_in
from segctl.operations.causes.rows import RECORDS
from segctl.operations.causes.traits import changed_traits
from segctl.operations.causes.words import KINDS, cause

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.causes.chain import Hit, Side
    from segctl.operations.causes.rows import Parts
    from segctl.operations.causes.rules import Changed


def lines(pairs: pl.DataFrame, line: str | pl.Expr | None, at: datetime) -> pl.DataFrame:
    """The pairs with one cause for all: ``segment``, ``subject``, ``cause``, ``effective``."""
    import polars as pl

    said = pl.lit(line, pl.String) if line is None or isinstance(line, str) else line
    effective = pl.lit(at).cast(pl.Datetime("us", "UTC")).alias("effective")
    return pairs.select("segment", "subject", said.alias("cause"), effective)


class Details:
    """Tells what moved profiles of one group of segments.

    Attributes:
        certain: Profiles that are there no more, or again, because of identity alone: ``subject``, ``cause``.
    """

    def __init__(self, then: Side, now: Side, people: pl.DataFrame, changed: Mapping[str, Changed]) -> None:
        import polars as pl

        self._then, self._now, self._changed = then, now, changed
        self._people = people.select("subject", "cause")
        self.certain = people.filter(~pl.col("stays")).select("subject", "cause")

    def identity(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Pairs that moved because people were merged or separated."""
        import polars as pl

        return lines(pairs.join(self._people, on="subject", how="left"), pl.col("cause"), self._now.as_of)

    def lines(self, hit: Hit, parts: Parts) -> pl.DataFrame:
        """``segment``, ``subject``, ``cause``, ``effective`` of the pairs that one step moved."""
        owners, then, now = self._now.owners, self._then.as_of, self._now.as_of
        match hit.kind:
            case "identity":
                return self.identity(hit.pairs)
            case "definition_changed":
                return self._definition(hit)
            case "consent":
                return changed_consents(hit, then=then, now=now)
            case "event_arrived" | "late_event":
                return arrived(hit, parts, owners, then=then, now=now)
            case "event_removed":
                return mended(hit, parts, owners, now)
            case "trait_changed":
                return changed_traits(hit, parts, self._now.rules.session, owners, then=then, now=now)
            case "segment_changed":
                return self._segment(hit)
            case "others_moved":
                from segctl.operations.causes.others import displaced

                return displaced(hit, self._now)
            case "row_gone" | "profile_new":
                return self._sources(hit, parts)
        return lines(hit.pairs, cause(hit.kind), now)

    def _definition(self, hit: Hit) -> pl.DataFrame:
        import polars as pl

        said = {name: self._line(one) for name, one in self._changed.items()}
        return lines(hit.pairs, pl.col("segment").replace_strict(said, return_dtype=pl.String), self._now.as_of)

    def _line(self, changed: Changed) -> str:
        if changed.definition is None and changed.lists:
            return cause("list_changed", ", ".join(changed.lists))
        return cause("definition_changed", changed.definition or "")

    def _segment(self, hit: Hit) -> pl.DataFrame:
        """Of several segments that changed, the first by name with which the answer is the new one."""
        import polars as pl

        left, made = hit.pairs, []
        lowered = {name: self._now.rules.lowered(name) for name in left["segment"].unique()}
        used = {name: set(given_in(one)) if one is not None else set() for name, one in lowered.items()}
        others = sorted({other for of in used.values() for other in of})
        for at, other in enumerate(others):
            mixed = {name: (self._now if name in others[: at + 1] else self._then).members[name] for name in others}
            concerned = left.filter(pl.col("segment").is_in([name for name, of in used.items() if other in of]))
            if not concerned.height:
                continue
            asked = ask(replace(hit.after, members=mixed), concerned["segment"].unique().sort().to_list())
            moved = concerned.filter(flags(asked, concerned, hit.after.ranks) == concerned["entered"])
            made.append(lines(moved, cause("segment_changed", other), self._now.as_of))
            left = left.join(moved, on=["segment", "subject"], how="anti")
        return pl.concat([*made, lines(left, cause("segment_changed"), self._now.as_of)])

    def _sources(self, hit: Hit, parts: Parts) -> pl.DataFrame:
        """With the source of the first new row of a profile, or of the row that is gone."""
        import polars as pl

        gone = pl.col("gone") if hit.kind == "row_gone" else ~pl.col("gone")
        records = parts.new_records
        rows = [pl.DataFrame(schema={"subject": pl.Int32, "origin": pl.String})]
        if records.height:
            origin = pl.col("dataset").str.strip_prefix(RECORDS).alias("origin")
            rows.append(records.filter(gone).sort("arrival").select("subject", origin))
        if hit.kind == "profile_new" and parts.new_events.height:
            rows.append(parts.new_events.sort("ts").select("subject", pl.col("source").alias("origin")))
        first = pl.concat(rows)
        if self._now.owners is not None:
            first = first.with_columns(self._now.owners.gather(first["subject"]).alias("subject"))
        found = hit.pairs.join(first.unique("subject", keep="first", maintain_order=True), on="subject", how="left")
        words = KINDS[hit.kind][0]
        line = pl.when(pl.col("origin").is_null()).then(pl.lit(words)).otherwise(pl.format(f"{words} ({{}})", "origin"))
        return lines(found, line, self._now.as_of)
