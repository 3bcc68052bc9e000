"""Whether a profile would be kept beside all others of today, had it other values of its own."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile import ir


class Ranks:
    """Everybody that a segment with `keep` matches now, in order of rank, by group.

    Whoever is asked about takes one place more or less, so only those around the last place that is kept are put in
    full order.

    Args:
        keep: The rule.
        subjects: Who may be asked about.
        frame: One row per profile: ``subject``, ``where``, ``by``, and ``per`` where there are groups.
        ids: Profile ids of subjects.
    """

    def __init__(
        self, keep: ir.Keep, subjects: pl.Series, frame: pl.DataFrame, ids: Callable[[pl.Series], pl.Series]
    ) -> None:
        import polars as pl

        self._keep = keep
        self._top = keep.best == "top"
        group = pl.col("per") if "per" in frame.columns else pl.lit(0)
        rows = frame.filter(pl.col("where").fill_null(value=False)).with_columns(group.alias("group"))
        self._matched = dict(rows.group_by("group").len().iter_rows())
        wanted = pl.col("subject").is_in(subjects.implode())
        self._groups = dict(rows.filter(wanted).select("subject", "group").iter_rows())
        asked = subjects.unique()
        self._ids = dict(zip(asked, ids(asked), strict=True))
        ranked = rows.filter(pl.col("by").is_not_null()).select("subject", "group", "by")
        ranked = ranked.sort("by", descending=self._top).with_columns(
            pl.int_range(pl.len()).over("group").alias("place"), pl.len().over("group").alias("count")
        )
        self._counts = dict(ranked.select("group", "count").unique("group").iter_rows())
        near = self._near(ranked, ids)
        self._first = dict(near.group_by("group").agg(pl.col("place").min()).iter_rows())
        self._last = {
            key[0]: part.select("by", "profile_id").rows()
            for key, part in near.partition_by("group", as_dict=True, maintain_order=True).items()
        }
        self._own = {
            subject: place
            for part in (ranked, near)
            for subject, place in part.filter(wanted).select("subject", "place").iter_rows()
        }

    def judged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with ``flag``: kept with its own values of the row beside all others as they are now.

        Args:
            rows: ``subject``, ``flag`` (matches), and the last columns ``by:…`` and perhaps ``per:…``.
        """
        import polars as pl

        by = next(c for c in rows.columns if c.startswith("by:"))
        per = next((c for c in rows.columns if c.startswith("per:")), None)
        values = zip(rows["subject"], rows["flag"], rows[by], rows[per] if per else [0] * rows.height, strict=True)
        kept = [flag and self._is_kept(subject, value, group) for subject, flag, value, group in values]
        return rows.with_columns(pl.Series("flag", kept, dtype=pl.Boolean))

    def _near(self, ranked: pl.DataFrame, ids: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
        """Those whose value is that of a place which may be the last, with ``profile_id`` and their very ``place``."""
        import polars as pl

        last = [
            (group, self._places(matched) - 1, self._places(matched + 1)) for group, matched in self._matched.items()
        ]
        edges = pl.DataFrame(
            last, schema={"group": ranked.schema["group"], "from": pl.Int64, "to": pl.Int64}, orient="row"
        )
        placed = ranked.join(edges, on="group", nulls_equal=True, maintain_order="left")
        beyond = pl.col("count") - 1
        is_edge = (pl.col("place") == pl.min_horizontal("from", beyond)) | (
            pl.col("place") == pl.min_horizontal("to", beyond)
        )
        values = (
            placed.filter(is_edge).group_by("group").agg(pl.col("by").min().alias("lo"), pl.col("by").max().alias("hi"))
        )
        near = ranked.join(values, on="group", nulls_equal=True, maintain_order="left")
        near = near.filter(pl.col("by").is_between("lo", "hi"))
        near = near.with_columns(ids(near["subject"]).alias("profile_id"))
        near = near.sort("by", "profile_id", descending=[self._top, False])
        place = pl.col("place").min().over("group") + pl.int_range(pl.len()).over("group")
        return near.with_columns(place.alias("place"))

    def _is_kept(self, subject: int, by: Any, group: Any) -> bool:  # noqa: ANN401 - a value of any type that ranks
        if by is None or (group is None and not self._keep.keep_missing_group):
            return False
        in_group = self._groups.get(subject, _NOWHERE) == group
        places = self._places(self._matched.get(group, 0) - in_group + 1)
        is_ranked = in_group and subject in self._own
        if self._counts.get(group, 0) - is_ranked < places:
            return True
        # The last of the others that would be kept if the profile were not there.
        at = places if is_ranked and self._own[subject] <= places - 1 else places - 1
        worst, worst_id = self._last[group][at - self._first[group]]
        if by == worst:
            return bool(self._ids[subject] < worst_id)
        return bool(by > worst if self._top else by < worst)

    def _places(self, matched: int) -> int:
        if self._keep.count is not None:
            return self._keep.count
        share = Fraction(self._keep.percent or "0") / 100
        return max(1, -(-matched * share.numerator // share.denominator))


_NOWHERE = object()
