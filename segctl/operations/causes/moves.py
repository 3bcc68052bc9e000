"""Why profiles moved since one run, replayed in a fixed order: the first step that flips the answer is the cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.lower import lower_segment
from segctl.compile.plan import references
from segctl.operations.causes.chain import Chain, Side
from segctl.operations.causes.clock import MOST_ASKED, clocked
from segctl.operations.causes.definitions import by_rules
from segctl.operations.causes.details import Details, lines
from segctl.operations.causes.others import others
from segctl.operations.causes.ranks import Ranks
from segctl.operations.causes.reach import columns_read, kinds_of, needed, needing_events, reach
from segctl.operations.causes.replay import Rules, asked_plan, beside_at, given_in, read_by
from segctl.operations.causes.rows import (
    EVENTS,
    RECORDS,
    RELATED,
    Delta,
    Rows,
    delta,
    events_of,
    records_of,
    split,
)
from segctl.operations.causes.rules import Changed, changed_rules, rules_then
from segctl.operations.causes.words import cause
from segctl.operations.consent.gate import concerned, outside
from segctl.operations.evaluation import evaluate, lowered_segments
from segctl.operations.identity_causes import as_long, people_moved
from segctl.operations.provenance import former_names

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.causes.chain import Others
    from segctl.operations.causes.rows import Parts
    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session
    from segctl.state.runs import Run

MOST_PROFILES = 200_000
"""So many profiles of whom something is new are replayed; the causes of further ones stay open."""
_NEW = (
    "definition", "identity", "consent", "appeared", "row_gone", "mended", "late", "values", "fresh", "ranked",
    "referred",
)  # fmt: skip
"""Columns of the pairs: what can have moved them, besides the clock."""


class Explaining:
    """The moves of the segments that one run has in force."""

    def __init__(self, session: Session, run: Run, answers: Answers, as_of: datetime, snapshot: int) -> None:
        from segctl.state.identity import canonical
        from segctl.state.subjects import subject_count

        self.session, self.run, self.answers = session, run, answers
        self.workspace, self.as_of, self.snapshot = session.workspace, as_of, snapshot
        self._read_by: dict[tuple[int, str], set[object]] = {}
        self.known_then = subject_count(self.workspace, run.snapshot)
        length = subject_count(self.workspace, snapshot)
        then, now = canonical(self.workspace, run.snapshot), canonical(self.workspace, snapshot)
        self.owners_now = now
        self.owners_then = None if now is None and then is None else as_long(then, length)

    def causes(self, moves: pl.DataFrame) -> pl.DataFrame:
        """``segment``, ``subject``, ``cause``, ``effective`` of the moves."""
        import polars as pl

        self.moves, self._told = moves, self.answers.details
        names = moves["segment"].unique().sort().to_list()
        given = self._given(names)
        old = rules_then(self.session, self.run, names, given)
        changed = changed_rules(self.session, self.run, old, names)
        people = people_moved(self.session, self.run.snapshot, self.snapshot, self.owners_then, self.owners_now)
        raw = self._raw(moves["subject"].unique().sort())
        deltas = [delta(self.workspace, p, self.run.snapshot, self.snapshot, raw) for p in (EVENTS, RECORDS, RELATED)]
        found = [one for one in deltas if one is not None]
        if len(found) < len(deltas) or not self.run.reproducible:
            return lines(moves, None, self.as_of)
        # Rules that are the same are translated once.
        old = None if old is not None and old.session is self.session else old
        then, now = self._sides(Rules(self.session, {}, given), old, raw)
        both = (now.rules,) if then.rules is now.rules else (now.rules, then.rules)
        now = replace(now, beside=beside_at(now, both, names, {}))
        pairs = self._marked(moves, changed, people, found, then, now)
        is_new = pl.any_horizontal(*_NEW)
        asked, still = pairs.filter(is_new), pairs.filter(~is_new)
        few = asked["subject"].unique().sort().head(MOST_PROFILES).implode()
        beyond, asked = asked.filter(~pl.col("subject").is_in(few)), asked.filter(pl.col("subject").is_in(few))
        ranked = asked.filter("ranked")
        beside = others(ranked, then, now, self._ranks(ranked) if ranked.height else {})
        then = replace(then, beside=beside[0].beside)
        teller = Details(then, now, people, changed)
        made = [lines(beyond, None, self.as_of)]
        timed = still["subject"].unique().sort().head(MOST_ASKED if self.as_of != self.run.as_of else 0)
        read = pl.concat([asked["subject"], timed]).unique()
        rows = self._rows(pairs.filter(pl.col("subject").is_in(read.implode())), then, now, found)
        if asked.height:
            more, moved = self._replayed(asked, found, rows, then, now, beside, changed, teller)
            made, still = [*made, *more], pl.concat([still, moved.select(still.columns)])
        if still.height and self.as_of == self.run.as_of:
            made.append(lines(still, None, self.as_of))
        elif still.height:
            made.append(clocked(still, rows, then, now, self._raw, self._leaves(still, now)))
        return pl.concat(made)

    def _rows(self, pairs: pl.DataFrame, then: Side, now: Side, found: Sequence[Delta]) -> Rows:
        """Record versions of the pairs' profiles, and what of their events each pair's segment can see."""
        import polars as pl

        instants, zone = (self.run.as_of, self.as_of), self.session.project.timezone
        subjects = self._raw(pairs["subject"].unique().sort())
        names = pairs["segment"].unique().sort()
        nodes = {str(name): self._nodes(then, name) | self._nodes(now, name) for name in names}
        owners = [subjects if of is None else of.gather(subjects) for of in (self.owners_then, self.owners_now)]
        identifiers = pl.concat([pl.DataFrame({"subject": subjects, "profile": of}) for of in owners]).unique()
        records = records_of(self.workspace, self.snapshot, subjects)
        events = events_of(
            self.workspace,
            self.snapshot,
            needed(pairs, {name: reach(of, instants, zone) for name, of in nodes.items()}, identifiers),
            columns_read({node for of in nodes.values() for node in of}),
            needing_events(subjects, records, found[:2], min(instants)),
            known=self.run.snapshot,
            owners=(self.owners_then, self.owners_now),
        )
        return Rows(events, records)

    def _replayed(
        self,
        pairs: pl.DataFrame,
        found: Sequence[Delta],
        rows: Rows,
        then: Side,
        now: Side,
        beside: tuple[Others, Others, Others],
        changed: Mapping[str, Changed],
        details: Details,
    ) -> tuple[list[pl.DataFrame], pl.DataFrame]:
        """What moved the pairs of which something is new, and the pairs that only the clock moved."""
        import polars as pl

        made, pairs = by_rules(pairs, then, now, changed)
        certain = pairs.join(details.certain, on="subject", how="semi")
        made.append(details.identity(certain))
        pairs = pairs.join(certain, on=["segment", "subject"], how="anti")
        if not pairs.height:
            return made, pairs
        subjects = self._raw(pairs["subject"].unique().sort())
        mine = [one.of(subjects) for one in found]
        parts = split(*rows.of(subjects), mine[0], mine[1], first=then.as_of, last=now.as_of)
        chain = Chain(then, now, parts, beside)
        pairs = pairs.with_columns(self._appeared(parts).alias("appeared"))
        present = subjects.filter(subjects.is_in(self.answers.frame["subject"].implode()))
        hits, left = chain.run(pairs, present)
        made += [details.lines(hit, parts) for hit in hits if hit.kind != "time_passed"]
        is_there = pl.col("subject").is_in(present.implode()) | pl.col("entered")
        made.append(lines(left.filter(~is_there), cause("profile_gone"), self.as_of))
        made.append(lines(left.filter(is_there), None, self.as_of))
        return made, pl.concat([pairs.head(0), *(hit.pairs for hit in hits if hit.kind == "time_passed")])

    def _appeared(self, parts: Parts) -> pl.Expr:
        """Who entered and of whom nothing was known before."""
        import polars as pl

        known = [parts.events, parts.old_events, parts.old_records, parts.records]
        raw = pl.concat([frame["subject"] for frame in known])
        owners = raw if self.owners_now is None else self.owners_now.gather(raw)
        return pl.col("entered") & ~pl.col("subject").is_in(owners.unique().implode())

    def _marked(
        self,
        moves: pl.DataFrame,
        changed: Mapping[str, Changed],
        people: pl.DataFrame,
        found: Sequence[Delta],
        then: Side,
        now: Side,
    ) -> pl.DataFrame:
        """The moves with a column for everything that can have been their cause."""
        import polars as pl

        events, records, related = found
        is_late = pl.col("ts") <= then.as_of
        is_fresh = (pl.col("ts") > then.as_of) & (pl.col("ts") <= now.as_of)
        ended, valued = (records.added.filter(f) if records.added.height else records.added
                         for f in (pl.col("gone"), ~pl.col("gone")))  # fmt: skip
        late, fresh = (events.added.filter(f) if events.added.height else events.added for f in (is_late, is_fresh))
        kinds = {name: kinds_of(self._nodes(now, name)) for name in changed}
        owners = {
            "identity": people["subject"],
            "consent": self._owners(concerned(self.session, self.snapshot, self.run.snapshot).to_frame()),
            "row_gone": self._owners(ended),
            "mended": self._owners(events.removed),
            "values": self._owners(valued, records.removed, related.added, related.removed),
        }
        ruled = [name for name, one in changed.items() if one]
        segments = self.session.definitions.segments
        social = ir.Score | ir.Colleagues
        among = {name for name in changed if now.beside and any(isinstance(n, social) for n in self._nodes(now, name))}
        ranked = [name for name in changed if name in among or segments[name].keep is not None]
        return moves.with_columns(
            pl.col("segment").is_in(ruled).alias("definition"),
            pl.col("segment").is_in(ranked).alias("ranked"),
            pl.lit(value=False).alias("appeared"),
            self._referred(moves, then, now),
            *[pl.col("subject").is_in(of.implode()).alias(column) for column, of in owners.items()],
            self._read(moves, late, kinds).alias("late"),
            self._read(moves, fresh, kinds).alias("fresh"),
        )

    def _details(self, subjects: pl.Series, columns: Sequence[str] = (), where: str | None = None) -> pl.DataFrame:
        """Answers of conditions, at least of some subjects, and of those for whom one of them is true.

        They are asked for again where the evaluation was without them.
        """
        if self.answers.details_of is not None:
            return self.answers.details_of(subjects, columns, where)
        if self._told is None:
            names = self.moves["segment"].unique().sort().to_list()
            again = evaluate(
                self.session, names, as_of=self.as_of, snapshot=self.snapshot, leaves=True, details=True
            )  # fmt: skip
            self._told = again.details
        assert self._told is not None, "the evaluation gives details"
        return self._told

    def _leaves(self, pairs: pl.DataFrame, now: Side) -> pl.DataFrame:
        """Answers of the conditions of the pairs' segments."""
        names = [str(name) for name in pairs["segment"].unique().sort()]
        lowered = {name: one for name in names if (one := now.rules.lowered(name)) is not None}
        columns = [f"leaf:{name}:{at}" for name, one in lowered.items() for at in range(len(one.leaves))]
        return self._details(pairs["subject"], columns)

    def _nodes(self, side: Side, name: str) -> set[object]:
        key = (id(side.rules), name)
        if key not in self._read_by:
            self._read_by[key] = read_by(asked_plan(side.rules, [name]), name)
        return self._read_by[key]

    def _read(self, moves: pl.DataFrame, new: pl.DataFrame, kinds: Mapping[str, frozenset[str]]) -> pl.Series:
        """Whether there is a new event of a kind that the row's segment reads, or of any kind of a new identifier."""
        import polars as pl

        if not new.height:
            return pl.repeat(value=False, n=moves.height, dtype=pl.Boolean, eager=True)
        anew = self._owners(new.filter(pl.col("subject") >= self.known_then)).implode()
        found = pl.col("subject").is_in(anew)
        for name, read in kinds.items():
            owners = self._owners(new.filter(pl.col("kind").is_in(list(read)))).implode()
            found |= (pl.col("segment") == name) & pl.col("subject").is_in(owners)
        return moves.select(found.alias("read"))["read"]

    def _owners(self, *frames: pl.DataFrame) -> pl.Series:
        import polars as pl

        raw = pl.concat([frame["subject"] for frame in frames]).unique()
        return raw if self.owners_now is None else self.owners_now.gather(raw).unique()

    def _referred(self, moves: pl.DataFrame, then: Side, now: Side) -> pl.Series:
        """Whether the profile came or went in a segment that the row's segment refers to."""
        import polars as pl

        answer = pl.repeat(value=False, n=moves.height, dtype=pl.Boolean, eager=True)
        for name in moves["segment"].unique():
            lowered = now.rules.lowered(name)
            for other in () if lowered is None else given_in(lowered):
                before, after = then.members[other], now.members[other]
                moved = pl.concat([before, after]).unique(maintain_order=False)
                both = before.filter(before.is_in(after.implode()))
                moved = moved.filter(~moved.is_in(both.implode()))
                answer |= (moves["segment"] == name) & moves["subject"].is_in(moved.implode())
        return answer.alias("referred")

    def _raw(self, profiles: pl.Series) -> pl.Series:
        """Every identifier that belongs to one of the profiles, then or now."""
        import polars as pl

        if self.owners_now is None or self.owners_then is None:
            return profiles
        wanted = profiles.implode()
        inside = self.owners_now.is_in(wanted) | self.owners_then.is_in(wanted)
        return inside.arg_true().cast(pl.Int32).alias("subject")

    def _given(self, names: Sequence[str]) -> frozenset[str]:
        """Segments that the named ones refer to, which the run found the members of or which keep some of everybody."""
        from segctl.state.runs import run_segments, runs

        recorded = runs(self.workspace)
        stood = {part.segment for part in run_segments(self.workspace, self.run) if part.state.value == "in_force"}
        lowered = lowered_segments(self.session, names)
        used = {other for one in lowered for other in references(one)}
        self._there = {
            name: old for name in used for old in former_names(name, self.session.definitions, recorded) if old in stood
        }
        self._kept = {one.name for one in lowered if one.name in used - self._there.keys() and one.keep is not None}
        return frozenset(self._there) | self._kept

    def _sides(self, rules: Rules, old: Rules | None, raw: pl.Series) -> tuple[Side, Side]:
        from segctl.state.memberships import members
        from segctl.state.names import names_of

        known = raw.filter(raw < self.known_then)
        frame = self.answers.frame
        before = {name: members(self.workspace, there, self.run) for name, there in self._there.items()}
        for name in self._kept:
            # Nobody recorded who it was, and among a few profiles it would keep others.
            of = old if old is not None and name in old.names else rules
            there = of.names.get(name, name)
            found = evaluate(of.session, [there], as_of=self.run.as_of, snapshot=self.run.snapshot).frame
            before[name] = found.filter(there)["subject"] if there in found.columns else raw.clear()
        after = {name: frame.filter(name)["subject"] if name in frame.columns else raw.clear() for name in before}
        rows = names_of(self.workspace, raw, self.snapshot)
        out_then, out_now = outside(self.session, self.run.snapshot), outside(self.session, self.snapshot)
        then = Side(old or rules, self.owners_then, self.run.as_of, self.run.snapshot, known, rows, before, out_then)
        return then, Side(rules, self.owners_now, self.as_of, self.snapshot, raw, rows, after, out_now)

    def _ranks(self, pairs: pl.DataFrame) -> dict[str, Ranks]:
        """How everybody stands now, for the segments that keep the best."""
        import polars as pl

        from segctl.operations.people import ids_of

        found = {}
        for name in pairs.filter("ranked")["segment"].unique():
            lowered = lower_segment(self.session.definitions.segments[name], self.session.definitions)
            if lowered.keep is None:
                continue
            parts = ("where", "by") if lowered.keep.per is None else ("where", "by", "per")
            columns = {f"{part}:{name}": part for part in parts}
            subjects = pairs.filter(pl.col("segment") == name)["subject"]
            details = self._details(subjects, tuple(columns), f"where:{name}")
            frame = details.select("subject", *columns).rename(columns)
            frame = frame.filter(pl.col("where") | pl.col("subject").is_in(subjects.implode()))
            found[name] = Ranks(lowered.keep, subjects, frame, partial(ids_of, self.workspace))
        return found
