"""What everybody did: one pass over the events that reports count, and who was there when the window began."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from segctl.compile.lower_events import Lowering
from segctl.compile.plan import plan as planned
from segctl.model.dataclass import dataclass
from segctl.model.reports import ReportSettings
from segctl.operations.segment_report.values import Figures

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.compile import ir
    from segctl.engines.base import EngineInput, EventPart
    from segctl.engines.period_rows import Figure
    from segctl.model.conditions import EventSelection
    from segctl.operations.session import Session

PERIODS = 6
"""Windows looked at: the newest and those before it."""


class Doings:
    """Events of everybody up to an instant, condensed.

    Args:
        session: Open project and workspace.
        settings: What is declared.
        as_of: The last window ends here.

    Attributes:
        owners: Subject → subject of its profile; None when each is its own.
        profiles: Subjects of the population at `as_of`, ascending.
        length: Of arrays by subject.
    """

    def __init__(self, session: Session, settings: ReportSettings, as_of: datetime) -> None:
        from segctl.state.subjects import subject_count

        self.session, self.settings, self.as_of = session, settings, as_of
        self.snapshot = session.workspace.snapshot()
        loaded = self._loaded(as_of)
        self.owners, self.profiles = loaded.canonical, loaded.profiles["subject"]
        self.length = max(subject_count(session.workspace, self.snapshot), 1)
        self._data = loaded

    def _loaded(self, as_of: datetime) -> EngineInput:
        from segctl.operations.evaluation import load_input

        return load_input(self.session, planned((), ()), as_of=as_of, snapshot=self.snapshot)

    @property
    def since(self) -> datetime:
        """Begin of the newest window."""
        return self.begin(0)

    def begin(self, period: int) -> datetime:
        """Begin of a window, counted backwards from 0."""
        return self.as_of - (period + 1) * self.settings.window

    @cached_property
    def then(self) -> NDArray[np.bool_]:
        """By subject: belonged to the population when the newest window began, and still does."""
        return self.flags(self._loaded(self.since).profiles["subject"]) & self.now

    @cached_property
    def now(self) -> NDArray[np.bool_]:
        """By subject: belongs to the population."""
        return self.flags(self.profiles)

    def flags(self, subjects: pl.Series) -> NDArray[np.bool_]:
        """By subject: is among some subjects."""
        import numpy as np

        found = np.zeros(self.length, dtype=bool)
        found[subjects.to_numpy()] = True
        return found

    def owned(self, members: pl.Series) -> NDArray[np.bool_]:
        """By subject: is the profile of one of the members that a run has found, by subject."""
        import numpy as np
        import polars as pl

        flags = members.fill_null(value=False)
        if self.owners is not None:
            subjects = flags.arg_true()
            return self.flags(self.owners.gather(subjects))
        found = np.zeros(self.length, dtype=bool)
        there = flags.cast(pl.Boolean).to_numpy()
        found[: len(there)] = there
        return found

    @cached_property
    def rows(self) -> pl.DataFrame:
        """`period_rows` of all that is declared, of profiles of the population."""
        import polars as pl

        from segctl.engines.period_rows import Periods, period_rows

        periods = Periods(self.as_of, self.settings.window, PERIODS)
        found = period_rows(self._data, self._figures, periods, zone=self.session.project.timezone)
        return found.filter(pl.Series(self.now[found["subject"].to_numpy()]))

    @cached_property
    def _figures(self) -> list[Figure]:
        from segctl.engines.period_rows import Figure

        lowering, settings = Lowering(self.session.definitions, self.session.lists), self.settings
        found = []
        if settings.purchase is not None:
            found.append(Figure("bought", *_asked(lowering, settings.purchase)))
        if settings.revenue is not None:
            selection, measure = settings.revenue
            kinds, where = _asked(lowering, selection)
            found.append(Figure("revenue", kinds, where, lowering.property(kinds, measure.of, measure.path)))
        if settings.engagement is not None:
            found.append(Figure("engaged", *_asked(lowering, settings.engagement), in_days=False))
        return found

    @property
    def event_parts(self) -> tuple[EventPart, ...]:
        """Files of events."""
        return self._data.events

    def engaged_last(self, until: datetime) -> pl.DataFrame:
        """Who reacted between the newest window's begin and an instant: ``subject``, ``last`` (UTC), unique."""
        import polars as pl

        from segctl.engines.period_rows import Periods, period_rows

        figures = [one for one in self._figures if one.name == "engaged"]
        periods = Periods(until, until - self.since, 1)
        rows = period_rows(self._data, figures, periods, zone=self.session.project.timezone)
        return rows.group_by("subject").agg(pl.col("last").max().cast(pl.Datetime("us", "UTC")))

    @cached_property
    def purchases(self) -> pl.DataFrame:
        """Days with a purchase: ``subject``, ``day``, ``last``, ``bought``; only where a purchase is declared."""
        import polars as pl

        return self.rows.filter(pl.col("bought") > 0).select("subject", "day", "last", "bought")

    @cached_property
    def revenues(self) -> pl.DataFrame:
        """Days of purchases or revenue: ``subject``, ``day``, ``revenue``, which is 0 where none is declared."""
        import polars as pl

        rows = self.rows if "revenue" in self.rows.columns else self.rows.with_columns(revenue=pl.lit(0.0))
        return rows.filter(pl.col("day").is_not_null()).select("subject", "day", "revenue")

    @cached_property
    def _periods(self) -> list[Period]:
        rows = self.rows
        return [self._period(rows.filter(rows["period"] == period)) for period in range(PERIODS)]

    def _period(self, rows: pl.DataFrame) -> Period:
        import numpy as np

        def flags(name: str) -> NDArray[np.bool_] | None:
            return self.flags(rows["subject"].filter(rows[name] > 0)) if name in rows.columns else None

        revenue = paid_at = None
        if "revenue" in rows.columns:
            subjects, values = rows["subject"].to_numpy(), rows["revenue"].to_numpy()
            revenue = np.bincount(subjects, weights=values, minlength=self.length).astype(float)
            paid_at = np.flatnonzero(revenue)
        return Period(flags("bought"), revenue, flags("engaged"), paid_at)

    @property
    def newest(self) -> Period:
        """The newest window."""
        return self._periods[0]

    def figures(self, members: NDArray[np.bool_], period: int = 0) -> Figures:
        """What some people did in a window."""
        return self._periods[period].of(members)


@dataclass(frozen=True, slots=True)
class Period:
    """One window by subject; None for what nobody declared.

    Attributes:
        paid_at: Subjects with revenue, which are few.
    """

    converted: NDArray[np.bool_] | None
    revenue: NDArray[np.float64] | None
    engaged: NDArray[np.bool_] | None
    paid_at: NDArray[np.intp] | None = None

    def of(self, members: NDArray[np.bool_]) -> Figures:
        """Counts and sums of some people."""
        import numpy as np

        def number(flags: NDArray[np.bool_] | None) -> int | None:
            return None if flags is None else int(np.count_nonzero(flags & members))

        revenue = None
        if self.revenue is not None and self.paid_at is not None:
            revenue = self.revenue[self.paid_at[members[self.paid_at]]]
        return Figures(
            people=int(np.count_nonzero(members)),
            converted=number(self.converted),
            revenue=None if revenue is None else float(revenue.sum()),
            squares=None if revenue is None else float(np.square(revenue).sum()),
            engaged=number(self.engaged),
        )


def _asked(lowering: Lowering, selection: EventSelection) -> tuple[tuple[str, ...], ir.Predicate | None]:
    kinds = lowering.kinds(selection.events)
    return kinds, lowering.where(selection.where, kinds)
