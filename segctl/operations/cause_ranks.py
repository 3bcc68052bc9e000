"""Whether a profile would be kept beside all others of today, had it other values of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile import ir


class Ranks:
    """Everybody that a segment with `keep` matches now, in order of rank, by group.

    Args:
        keep: The rule.
        subjects: Who may be asked about.
        frame: One row per profile: ``subject``, ``profile_id``, ``where``, ``by``, and ``per`` where there are groups.
    """

    def __init__(self, keep: ir.Keep, subjects: pl.Series, frame: pl.DataFrame) -> None:
        import polars as pl

        self._keep = keep
        self._top = keep.best == "top"
        group = pl.col("per") if "per" in frame.columns else pl.lit(0)
        rows = frame.filter(pl.col("where").fill_null(value=False)).with_columns(group.alias("group"))
        self._matched = dict(rows.group_by("group").len().iter_rows())
        ranked = rows.filter(pl.col("by").is_not_null()).sort(
            "by", "profile_id", descending=[self._top, False], maintain_order=True
        )
        self._ranked = {
            key[0]: part.select("subject", "by", "profile_id")
            for key, part in ranked.partition_by("group", as_dict=True, maintain_order=True).items()
        }
        wanted = pl.col("subject").is_in(subjects.implode())
        places = ranked.with_columns(pl.int_range(pl.len()).over("group").alias("place")).filter(wanted)
        self._own = {row[0]: (row[1], row[2]) for row in places.select("subject", "group", "place").iter_rows()}
        self._groups = dict(rows.filter(wanted).select("subject", "group").iter_rows())
        self._ids = dict(frame.filter(wanted).select("subject", "profile_id").iter_rows())

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

    def _is_kept(self, subject: int, by: Any, group: Any) -> bool:  # noqa: ANN401 - a value of any type that ranks
        if by is None or (group is None and not self._keep.keep_missing_group):
            return False
        in_group = self._groups.get(subject, _NOWHERE) == group
        matched = self._matched.get(group, 0) - in_group + 1
        places = self._places(matched)
        others = self._ranked.get(group)
        own_group, own_place = self._own.get(subject, (_NOWHERE, 0))
        count = 0 if others is None else others.height - (own_group == group)
        if count < places or others is None:
            return True
        # The last of the others that would be kept if the profile were not there.
        at = places - 1 if own_group != group or own_place > places - 1 else places
        _, worst, worst_id = others.row(at)
        if by == worst:
            return bool(self._ids.get(subject, "") < worst_id)
        return bool(by > worst if self._top else by < worst)

    def _places(self, matched: int) -> int:
        if self._keep.count is not None:
            return self._keep.count
        share = Fraction(self._keep.percent or "0") / 100
        return max(1, -(-matched * share.numerator // share.denominator))


_NOWHERE = object()
