"""Whether a profile would be kept beside all others of today, had it other values of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile import ir


class Ranks:
    """Everybody that a segment with `keep` matches now, in order of rank, by group.

    Whoever is asked about takes one place more or less, so only those around the last place that is kept are put in
    full order, and only in groups that are asked about.

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

        self._keep, self._is_grouped, self._ids_of = keep, "per" in frame.columns, ids
        rows = frame.filter(pl.col("where").fill_null(value=False))
        self._rows = rows.partition_by("per", as_dict=True) if self._is_grouped else {(0,): rows}
        self._standings: dict[Any, _Standing | None] = {}
        wanted = rows.filter(pl.col("subject").is_in(subjects.implode()))
        group = "per" if self._is_grouped else pl.lit(0)
        self._groups = dict(wanted.select("subject", group).iter_rows())
        self._values = dict(wanted.select("subject", "by").iter_rows())
        asked = subjects.unique()
        self._ids = dict(zip(asked, ids(asked), strict=True))

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
        standing = self._standing(group)
        if standing is None:
            return True
        in_group = self._groups.get(subject, _NOWHERE) == group
        places = self._places(standing.matched - in_group + 1)
        is_ranked = in_group and self._values.get(subject) is not None
        if standing.ranked - is_ranked < places:
            return True
        # The last of the others that would be kept if the profile were not there.
        is_among = is_ranked and standing.is_at_most(places - 1, subject, self._values[subject])
        worst, worst_id = standing.near[(places if is_among else places - 1) - standing.first]
        if by == worst:
            return bool(self._ids[subject] < worst_id)
        return bool(by > worst if standing.is_top else by < worst)

    def _standing(self, group: Any) -> _Standing | None:  # noqa: ANN401 - a value of any type that groups
        """How the others of a group stand; None where there is nobody."""
        if group not in self._standings:
            rows = self._rows.get((group,))
            self._standings[group] = None if rows is None else self._made(rows)
        return self._standings[group]

    def _made(self, rows: pl.DataFrame) -> _Standing | None:
        import polars as pl

        is_top, last = self._keep.best == "top", rows.height
        ranked = rows.filter(pl.col("by").is_not_null()).select("subject", "by")
        if not ranked.height:
            return _Standing(last, 0, 0, [], {}, is_top)
        in_order = ranked["by"].sort(descending=is_top)
        ends = [min(at, ranked.height - 1) for at in (self._places(last) - 1, self._places(last + 1))]
        first, final = (in_order[at] for at in sorted(ends))
        lo, hi = (final, first) if is_top else (first, final)
        near = ranked.filter(pl.col("by").is_between(lo, hi))
        near = near.with_columns(self._ids_of(near["subject"]).alias("profile_id"))
        near = near.sort("by", "profile_id", descending=[is_top, False])
        better = int(in_order.search_sorted(first, "left", descending=is_top))
        places = {subject: better + at for at, subject in enumerate(near["subject"])}
        return _Standing(last, ranked.height, better, near.select("by", "profile_id").rows(), places, is_top)

    def _places(self, matched: int) -> int:
        if self._keep.count is not None:
            return self._keep.count
        share = Fraction(self._keep.percent or "0") / 100
        return max(1, -(-matched * share.numerator // share.denominator))


_NOWHERE = object()


@dataclass(frozen=True, slots=True)
class _Standing:
    """How those of one group stand.

    Attributes:
        matched: So many match.
        ranked: So many of them have a value.
        first: Place of the first that is near the last place which is kept.
        near: Value and profile id of those near it, in order.
        places: Their places by subject.
        is_top: The largest are best.
    """

    matched: int
    ranked: int
    first: int
    near: Sequence[tuple[Any, str]]
    places: Mapping[int, int]
    is_top: bool

    def is_at_most(self, place: int, subject: int, by: Any) -> bool:  # noqa: ANN401 - a value of any type that ranks
        """Whether one of them has at most that place, which is near the last that is kept."""
        if subject in self.places:
            return self.places[subject] <= place
        return bool(by > self.near[0][0] if self.is_top else by < self.near[0][0])
