"""An evaluation of those of whom something is new, beside what stands of everybody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.plan import references, walk
from segctl.compile.zones import to_us
from segctl.engines.next_change import DUE as NEXT_CHANGE
from segctl.engines.polars_engine import PolarsEngine
from segctl.engines.scope import segment_column
from segctl.operations.evaluation import load_input
from segctl.operations.incremental.columns import Columns, counted
from segctl.operations.people import ids_of
from segctl.state.standing import DUE, PRESENT, covered

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.compile.plan import Node
    from segctl.engines.evaluation import Early
    from segctl.engines.scope import Scope
    from segctl.engines.staging import Stages
    from segctl.operations.session import Session
from segctl.state.standing import Counts, Standing


class Few:
    """The columns of everybody, where only some rows and some columns are made anew.

    Attributes:
        fresh: One row per profile asked again, ascending: ``subject``, ``present``, ``due`` and all early columns,
            null for who is not part of the population.
        anew: Early columns that were asked of everybody: ``subject`` and columns, one row per profile; None without.
        late: Late columns that were made anew, one row per subject.
    """

    def __init__(
        self,
        session: Session,
        columns: Columns,
        held: Standing,
        *,
        as_of: datetime,
        snapshot: int,
        subjects: pl.Series,
        anew: Sequence[str],
        length: int,
    ) -> None:
        self._session, self._columns, self._held = session, columns, held
        self._as_of, self._snapshot, self._length = as_of, snapshot, length
        self.subjects = subjects
        keys = [key for key in columns.early if key not in set(anew)]
        some = self._asked(keys, only=subjects)
        self.anew = None
        if anew:
            self.anew = self._asked(anew, only=None)
        self.fresh = self._joined(some)
        self.late: pl.DataFrame | None = None
        self.late = self._late_columns()

    def _asked(self, keys: Sequence[str], *, only: pl.Series | None) -> pl.DataFrame:
        if only is not None and not len(only):
            return self._held.rows(only, [DUE, *keys]).insert_column(0, only.alias("subject"))
        found = early(self._session, self._columns, keys, as_of=self._as_of, snapshot=self._snapshot, only=only)
        return with_due(self._columns, found, keys)

    def _joined(self, some: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        rows = self.subjects.to_frame("subject")
        found = rows.join(some.with_columns(pl.lit(value=True).alias(PRESENT)), on="subject", how="left")
        if self.anew is not None:
            others = self.anew.rename({DUE: "other"})
            found = found.join(others, on="subject", how="left")
            found = found.with_columns(pl.min_horizontal(DUE, "other").alias(DUE))
        found = found.with_columns(pl.col(PRESENT).fill_null(value=False)).sort("subject")
        return found.select("subject", PRESENT, DUE, *self._columns.early)

    def dense(self, keys: Iterable[str]) -> pl.DataFrame:
        """Columns of everybody now, row number = subject, null for who is not part of the population."""
        import polars as pl

        asked = list(dict.fromkeys(keys))
        late = [key for key in asked if self.late is not None and key in self.late.columns]
        everybody = [key for key in asked if self.anew is not None and key in self.anew.columns and key != DUE]
        rest = [key for key in asked if key not in {*late, *everybody}]
        parts = [self._held.dense(rest, self._length, self._over(rest))] if rest else []
        if everybody and self._spread is not None:
            parts.append(self._spread.select(everybody))
        if late and self.late is not None:
            parts.append(self.late.select(late))
        frame = pl.concat(parts, how="horizontal")
        if DUE in rest and self._spread is not None:
            frame = frame.with_columns(pl.min_horizontal(frame[DUE], self._spread[DUE]).alias(DUE))
        return frame.select(asked)

    def where(self, test: pl.Series, keys: Iterable[str]) -> pl.DataFrame:
        """``subject`` and columns of those of whom a test is true now, ascending; the test is as long as `dense`."""
        import polars as pl

        asked = list(dict.fromkeys(keys))
        mask = test.fill_null(value=False)
        apart = [frame for frame in (self._spread, self.late) if frame is not None]
        others = {key: frame for frame in apart for key in frame.columns if key in asked}
        rest = [key for key in asked if key not in others]
        found = [mask.arg_true().cast(pl.Int32).alias("subject")]
        found += self._held.where(mask, rest, self._over(rest)).get_columns() if rest else []
        found += [frame[key].filter(mask) for key, frame in others.items()]
        return pl.DataFrame(found).select("subject", *asked)

    def rows(self, subjects: pl.Series, keys: Iterable[str]) -> pl.DataFrame:
        """``subject`` and columns of some subjects now, ascending, null for who is not part of the population."""
        asked = list(dict.fromkeys(keys))
        found = self._held.rows(subjects, [key for key in asked if key in self._held.columns or key in (PRESENT, DUE)])
        found = found.insert_column(0, subjects.alias("subject"))
        asked_again = self.fresh.filter(self.fresh["subject"].is_in(subjects.implode()))
        at = subjects.search_sorted(asked_again["subject"])
        both = [key for key in asked if key in asked_again.columns and key in found.columns]
        if both:
            found = found.with_columns(covered(found.select(both), at, asked_again.select(both)))
        for frame in (self._spread, self.late):
            columns = [] if frame is None else [key for key in frame.columns if key in asked and key != DUE]
            if frame is not None and columns:
                found = found.with_columns(frame[subjects].select(columns))
        return found.select("subject", *asked)

    def _over(self, keys: Sequence[str]) -> pl.DataFrame:
        """What was asked again, as a layer; columns that wait for everybody are others' business."""
        import polars as pl

        missing = [key for key in keys if key not in self.fresh.columns]
        if not missing:
            return self.fresh.select("subject", *keys)
        old = self._held.rows(self.subjects, missing)
        return pl.concat([self.fresh, old], how="horizontal").select("subject", *keys)

    @cached_property
    def _spread(self) -> pl.DataFrame | None:
        return None if self.anew is None else spread(self.anew, self._length)

    @cached_property
    def before(self) -> pl.DataFrame:
        """What stood of those who were asked again: ``present`` and the columns that stood, null for nobody."""
        import polars as pl

        keys = [PRESENT, *(key for key in self._columns.every if key in self._held.columns)]
        return self._held.rows(self.subjects, keys).with_columns(pl.col(PRESENT).fill_null(value=False))

    def counts(self) -> dict[str, Counts | None]:
        """Counts of all columns among the population now."""
        import polars as pl

        now, before = self.fresh.filter(PRESENT), self.before.filter(PRESENT)
        whole = [key for frame in (self.anew, self.late) if frame is not None for key in frame.columns]
        everybody = self.dense([PRESENT, *(key for key in self._columns.every if key in whole)])
        everybody = everybody.filter(pl.col(PRESENT).fill_null(value=False))
        found: dict[str, Counts | None] = {}
        for key in self._columns.every:
            held = self._held.columns.get(key)
            if key in everybody.columns:
                found[key] = None if self._columns.is_value(key) else counted(everybody[key])
            elif held is None or key not in now.columns:
                found[key] = held
            else:
                came, went = counted(now[key]), counted(before[key])
                found[key] = held[0] + came[0] - went[0], held[1] + came[1] - went[1]
        return found

    def profiles(self) -> int:
        """Profiles of the population now."""
        return self._held.profiles + int(self.fresh[PRESENT].sum()) - int(self.before[PRESENT].sum())

    def layer(self) -> pl.DataFrame | None:
        """Rows that replace those that stand: ``subject`` and all columns; None when there are new columns."""
        import polars as pl

        keys = self._columns.every
        if any(key not in self._held.columns for key in keys):
            return None
        changed = [self.subjects]
        for frame in (self._spread, self.late):
            for key in [] if frame is None else [key for key in frame.columns if key in keys]:
                assert frame is not None, "asked above"
                old = self._held.dense([key], self._length)[key]
                changed.append(old.ne_missing(frame[key]).arg_true().cast(pl.Int32))
        rows = pl.concat([one.alias("subject") for one in changed]).unique().sort()
        if self.anew is not None:
            rows = pl.concat([rows, self._sooner()]).unique().sort()
        everything = [PRESENT, DUE, *keys]
        if len(rows) == len(self.subjects) and self.late is None and self.anew is None:
            return self._over(everything)
        others = rows.filter(~rows.is_in(self.subjects.implode()))
        own = self._over([key for key in everything if key in self._held.columns or key in (PRESENT, DUE)])
        rest = self._held.rows(others, own.columns[1:]).insert_column(0, others.alias("subject"))
        found = pl.concat([own, rest], how="vertical_relaxed").sort("subject")
        for frame in (self._spread, self.late):
            columns = [] if frame is None else [key for key in frame.columns if key in keys]
            if frame is not None and columns:
                found = found.with_columns(frame.select(pl.col(columns).gather(found["subject"])))
        if self._spread is not None:
            found = found.with_columns(pl.min_horizontal(DUE, self._spread[DUE].gather(found["subject"])).alias(DUE))
        return found.select("subject", *everything)

    def _sooner(self) -> pl.Series:
        """Who may change sooner than was known, by a column that was asked of everybody."""
        import polars as pl

        assert self._spread is not None, "columns were asked of everybody"
        old = self._held.dense([DUE], self._length)[DUE]
        return (self._spread[DUE] < old).fill_null(value=False).arg_true().cast(pl.Int32).alias("subject")

    def _late_columns(self) -> pl.DataFrame | None:
        """Late columns whose inputs are others than those that stand."""
        import polars as pl

        columns, staged = self._columns, self._columns.staged
        if not staged.late and not staged.late_outputs:
            return None
        stale = self._stale(self._changed(columns.late_inputs()))
        late = tuple(one for one in staged.late if one.name in stale)
        outputs = tuple(one for one in staged.late_outputs if one.name in stale)
        if not late and not outputs:
            return None
        few = replace(staged, late=late, late_outputs=outputs)
        frame = self._waiting(few, {segment_column(n): key for n, key in columns.late.items() if n not in stale})
        subjects = frame["subject"]
        found = columns.completed(frame, self._scope(), few, lambda rows: self._ids(subjects.gather(rows)))
        there = self.dense([PRESENT])[PRESENT].fill_null(value=False)
        made = [
            self._flags(frame["subject"], found[columns.late[one.name]], there).alias(columns.late[one.name])
            for one in late
        ]
        # Two segments may ask the same.
        keys = list(dict.fromkeys(columns.late_outputs[one.name] for one in outputs))
        rest = spread(pl.DataFrame([frame["subject"], *found.select(keys)]), self._length) if keys else ()
        return pl.DataFrame([*made, *rest])

    def _flags(self, subjects: pl.Series, kept: pl.Series, there: pl.Series) -> pl.Series:
        """Members by subject, null for who is not there; who was left out is no member."""
        import polars as pl

        found = pl.repeat(value=False, n=self._length, dtype=pl.Boolean, eager=True)
        found = found.scatter(subjects.filter(kept), True)
        if there.all():
            return found
        return pl.DataFrame({"kept": found}).select(pl.when(there).then("kept")).to_series()

    def _waiting(self, staged: Stages, reused: Mapping[str, str]) -> pl.DataFrame:
        """What the late stage reads: one row per profile, or only who may be kept where nothing else is asked."""
        import polars as pl

        inputs = self._columns.late_inputs()
        wheres = [staged.known.get(one.where) for one in staged.late if one.keep is not None]
        tests = [inputs[name] for name in wheres if name is not None]
        if len(tests) == len(staged.late) and not staged.late_outputs:
            ranks = {name for one in staged.late for name in staged.ranks[one.name] if name is not None}
            wanted = {name: key for name, key in inputs.items() if name in {*ranks, *wheres}}
            is_asked = self.dense(tests).select(pl.any_horizontal(pl.all())).to_series()
        else:
            wanted = {**inputs, **reused}
            is_asked = self.dense([PRESENT]).to_series()
        found = self.where(is_asked, wanted.values())
        return found.select("subject", *(pl.col(key).alias(name) for name, key in wanted.items()))

    def _ids(self, subjects: pl.Series) -> pl.Series:
        return ids_of(self._session.workspace, subjects, self._snapshot)

    def _scope(self) -> Scope:
        """Of what is made of columns that are there: nothing in it reaches back in time."""
        from segctl.engines.dialects import PolarsDialect
        from segctl.engines.scope import Scope

        now = to_us(self._as_of)
        return Scope(self._as_of, self._session.project.timezone, now, now, PolarsDialect())

    def _changed(self, inputs: Mapping[str, str]) -> set[str]:
        """Names of late inputs that some row has changed; all of them where the population is another."""
        if self.anew is not None and any(key in self.anew.columns for key in inputs.values()):
            return set(inputs)
        if any(key not in self.before.columns for key in inputs.values()):
            return set(inputs)
        if not self.before[PRESENT].equals(self.fresh[PRESENT]):
            return set(inputs)
        return {name for name, key in inputs.items() if self.before[key].ne_missing(self.fresh[key]).any()}

    def _stale(self, changed: set[str]) -> set[str]:
        """Names of late segments and outputs that are made anew."""
        columns, staged = self._columns, self._columns.staged
        everything = bool(staged.known or staged.ranks) and changed == set(columns.late_inputs())
        stale: set[str] = set()
        for one in staged.late:
            ranks = [name for name in staged.ranks.get(one.name, ()) if name is not None]
            if (
                everything
                or columns.late[one.name] not in self._held.columns
                or not changed.isdisjoint(ranks)
                or not stale.isdisjoint(references(one))
                or self._reads(one.where, changed)
            ):
                stale.add(one.name)
        for output in staged.late_outputs:
            members = {node.segment for node in walk(output.ask) if isinstance(node, ir.IsMember)}
            unknown = columns.late_outputs[output.name] not in self._held.columns
            if everything or unknown or not stale.isdisjoint(members) or self._reads(output.ask, changed):
                stale.add(output.name)
        return stale

    def _reads(self, root: Node, changed: set[str]) -> bool:
        known = self._columns.staged.known
        return any(known.get(node) in changed for node in walk(root))


def early(
    session: Session,
    columns: Columns,
    keys: Sequence[str],
    *,
    as_of: datetime,
    snapshot: int,
    only: pl.Series | None = None,
) -> Early:
    """What blocks of profiles can answer of some columns, of everybody or of some, with next changes."""
    asking = columns.asking(keys)
    listed = None if only is None else only.to_list()
    data = load_input(session, asking, as_of=as_of, snapshot=snapshot, only=listed)
    zone = session.project.timezone
    return PolarsEngine().early(asking, data, as_of=as_of, zone=zone, only=listed, due=True)


def with_due(columns: Columns, found: Early, keys: Sequence[str]) -> pl.DataFrame:
    """What an engine found early: ``subject``, ``due`` and columns by key."""
    return columns.keyed(found.frame, keys).with_columns(found.frame[NEXT_CHANGE].alias(DUE))


def spread(rows: pl.DataFrame, length: int) -> pl.DataFrame:
    """Rows by ``subject`` as one row for every subject, null for those without; without the column."""
    import polars as pl

    subjects = rows["subject"]
    if rows.height == length:
        return rows.drop("subject")
    place = pl.repeat(None, length, dtype=pl.UInt32, eager=True)
    place = place.scatter(subjects, pl.int_range(rows.height, dtype=pl.UInt32, eager=True))
    return rows.select(pl.all().exclude("subject").gather(place))
