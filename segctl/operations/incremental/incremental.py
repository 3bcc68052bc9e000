"""Evaluation whose cost follows change: only profiles of whom something is new are asked, the others stand.

A whole evaluation leaves behind what it found of everybody (`state.standing`), bound to its instant, its snapshot and
all that it was made from. The next one finds out of whom something is new since, or whose next change is due, asks
those again, and makes all that needs everybody (`keep`, colleagues) of the columns of everybody. What does not fit is
no error: then everybody is asked, and the reason is told.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from segctl import __version__
from segctl.compile.fingerprints import Fingerprints
from segctl.compile.plan import plan
from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass
from segctl.model.lint import LintSettings
from segctl.operations.evaluation import Answers, evaluate, leaf_output, lowered_segments, rank_outputs, without_expired
from segctl.operations.incremental.columns import Columns, counted
from segctl.operations.incremental.few import Few, early, spread, with_due
from segctl.operations.incremental.touched import Known, appearing, belonging, known, touched
from segctl.operations.progress import Progress, Silent
from segctl.operations.provenance import zone_digest
from segctl.state.standing import DUE, NOTHING, PRESENT, Standing, Unreadable, read_standing, write_layer, write_whole

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.compile import ir
    from segctl.operations.session import Session
    from segctl.state.standing import Counts

MOST_TOUCHED = 0.4
"""Where more of all profiles are to be asked again, everybody is: it costs as much, and leaves one file behind."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much was evaluated.

    Attributes:
        is_full: Everybody was asked everything.
        reason: Why; None where only those were asked of whom something is new.
        profiles: So many were asked.
        anew: Segments that everybody was asked about, since their definition or list is another, or they have a score.
    """

    is_full: bool
    reason: str | None
    profiles: int
    anew: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation found, and what it leaves for the next.

    Attributes:
        members: ``subject`` and one Boolean per segment that did not fail; perhaps also subjects that are no profile.
        save: Writes what stands now; None where there is nothing worth keeping.
    """

    answers: Answers
    members: pl.DataFrame
    extent: Extent
    save: Callable[[], None] | None


def evaluate_standing(
    session: Session,
    names: Sequence[str],
    *,
    as_of: datetime,
    snapshot: int,
    engine: str = "polars",
    full: bool = False,
    is_whole: bool = True,
    progress: Progress | None = None,
) -> Evaluated:
    """Evaluate segments and count their leaves, with the answers that asking everybody would give.

    Args:
        session: Open project and workspace.
        names: Segments asked for.
        as_of: Valid time.
        snapshot: Which files are seen.
        engine: Key of `engines.ENGINES`; only the default one keeps what it found.
        full: Ask everybody.
        is_whole: These are all segments of the project, so what is found may stand for the next time.
        progress: Hears what is going on.

    Raises:
        UsageError: The engine is not installed.
        DataError: A list file cannot be read.
    """
    if engine != "polars" or not names:
        answers = evaluate(
            session, names, as_of=as_of, snapshot=snapshot, engine=engine, leaves=True, details=True, progress=progress
        )
        members = answers.frame.select("subject", *(n for n in names if n not in answers.failed))
        return Evaluated(answers, members, Extent(True, f"by {engine}", answers.frame.height), None)
    asked = _Asked(session, names, as_of, snapshot, is_whole=is_whole, progress=progress or Silent())
    reason = "--full" if full else asked.unfit()
    if reason is None:
        found = asked.some()
        if isinstance(found, Evaluated):
            return found
        reason = found
    return asked.everybody(reason)


class _Asked:
    """One evaluation on its way."""

    def __init__(
        self,
        session: Session,
        names: Sequence[str],
        as_of: datetime,
        snapshot: int,
        *,
        is_whole: bool,
        progress: Progress,
    ) -> None:
        self._clock = time.perf_counter()
        self.session, self.names, self.as_of, self.snapshot = session, names, as_of, snapshot
        self.is_whole, self.progress = is_whole, progress
        self.lowered = without_expired(session, lowered_segments(session, names), as_of)
        wanted = [one for one in self.lowered if one.name in set(names)]
        outputs = [leaf_output(one.name, i, leaf) for one in wanted for i, leaf in enumerate(one.leaves)]
        outputs += [output for one in wanted for output in rank_outputs(one)]
        self.columns = Columns(session, plan(self.lowered, outputs))
        self.held = read_standing(session.workspace)
        self.inputs = inputs_digests(session)
        self._planned = time.perf_counter()

    def unfit(self) -> str | None:
        """Why what stands is of no use; None where it fits."""
        held = self.held
        if held is None:
            return "nothing stands from an earlier evaluation"
        if held.snapshot > self.snapshot or held.as_of > to_us(self.as_of):
            return "what stands is of a later instant"
        changed = [name for name in self.inputs if held.inputs.get(name) != self.inputs[name]]
        if changed:
            return f"{' and '.join(changed)} changed since"
        if held.inputs.get("files") != files_digest(self.session, held.snapshot):
            return "what stands is of another history"
        return None

    def everybody(self, reason: str) -> Evaluated:
        """Asks everybody everything."""
        import polars as pl

        columns = self.columns
        found = early(self.session, columns, columns.early, as_of=self.as_of, snapshot=self.snapshot)
        self.progress.note(f"{found.frame.height:,} profiles are evaluated")
        rows = with_due(columns, found, columns.early)
        if columns.late or columns.late_outputs:
            inputs = (pl.col(key).alias(name) for name, key in columns.late_inputs().items())
            waiting = rows.select("subject", *inputs).insert_column(0, found.frame["profile_id"])
            rows = pl.concat([rows, columns.completed(waiting, found.scope, columns.staged)], how="horizontal")
        counts: dict[str, Counts | None] = {
            key: None if columns.is_value(key) else counted(rows[key]) for key in columns.every
        }
        failed = columns.failed(counts)
        members = rows.select("subject", *(pl.col(key).alias(name) for name, key in columns.members()))
        answers = self._answers(members, counts, failed, members.height, partial(_of_rows, rows))
        extent = Extent(True, reason, rows.height)
        return Evaluated(answers, self._asked_only(members, failed), extent, self._saving(rows, counts))

    def some(self) -> Evaluated | str:
        """Asks those of whom something is new; says why where everybody has to be asked."""
        held, columns = self.held, self.columns
        assert held is not None, "it fits"
        people = known(self.session.workspace, held.snapshot, self.snapshot)
        missing = [key for key in columns.early if key not in held.columns]
        if len(missing) == len(columns.early):
            return "every definition is new"
        try:
            subjects = self._touched(held, people)
        except Unreadable:
            return "what stands cannot be read"
        if subjects is None:
            return "files since then were deleted"
        limit = MOST_TOUCHED * max(1, held.profiles)
        if len(subjects) > limit and (number := belonging(self.session, people, subjects, self.snapshot)) > limit:
            return f"something is new of {number:,} profiles"
        anew = [key for key in columns.early if key in set(missing) or (len(subjects) and key in columns.social)]
        if len(anew) == len(columns.early):
            return "every segment has a score among everybody"
        try:
            few = Few(
                self.session, columns, held, as_of=self.as_of, snapshot=self.snapshot, subjects=subjects, anew=anew,
                length=people.count,
            )  # fmt: skip
            return self._found(few, people)
        except Unreadable:
            return "what stands cannot be read"

    def _touched(self, held: Standing, people: Known) -> pl.Series | None:
        import polars as pl

        found = touched(self.session, people, held.snapshot, self.snapshot)
        now = to_us(self.as_of)
        if found is None or now == held.as_of:
            return found
        due = held.dense([DUE], people.count)[DUE]
        come = (due <= now).fill_null(value=False).arg_true().cast(pl.Int32)
        later = appearing(self.session.workspace, people, self.snapshot, held.as_of, now)
        return pl.concat([one.alias("subject") for one in (found, come, later)]).unique().sort()

    def _found(self, few: Few, people: Known) -> Evaluated:
        import polars as pl

        columns = self.columns
        self.progress.note(f"{len(few.subjects):,} profiles are evaluated, of whom something is new")
        counts = few.counts()
        failed = columns.failed(counts)
        dense = few.dense([PRESENT, *(key for _, key in columns.members())])
        members = dense.select(
            pl.int_range(people.count, dtype=pl.Int32).alias("subject"),
            *(pl.col(key).fill_null(value=False).alias(name) for name, key in columns.members()),
        )
        there = dense[PRESENT].fill_null(value=False)
        profiles = members if there.all() else members.filter(there)
        answers = self._answers(profiles, counts, failed, profiles.height, partial(_of_few, few))
        anew = {key for key in columns.early if few.anew is not None and key in few.anew.columns}
        named = tuple(sorted(one.name for one in self.lowered if self._reads(one, anew)))
        extent = Extent(False, None, len(few.subjects), named)
        members = self._asked_only(members, failed)
        return Evaluated(answers, members, extent, self._adding(few, counts, people.count))

    def _reads(self, segment: ir.LoweredSegment, keys: Iterable[str]) -> bool:
        """The segment's own answer is made of one of the columns."""
        keys, columns = set(keys), self.columns
        if segment.name in columns.truth:
            return columns.truth[segment.name] in keys
        own = (f"rank:{segment.name}", f"group:{segment.name}", f"where:{segment.name}")
        return any(columns.names.get(name) in keys for name in own)

    def _asked_only(self, members: pl.DataFrame, failed: Iterable[str]) -> pl.DataFrame:
        return members.select("subject", *(name for name in self.names if name not in failed))

    def _answers(
        self,
        members: pl.DataFrame,
        counts: dict[str, Counts | None],
        failed: dict[str, str],
        profiles: int,
        details: Callable[[Columns, pl.Series, Sequence[str], str | None], pl.DataFrame],
    ) -> Answers:
        columns = self.columns
        leaves = {
            one.name: [
                {"path": leaf.path, "text": leaf.text, "true": true, "unknown": unknown}
                for i, leaf in enumerate(one.leaves)
                for true, unknown in [columns.leaf(f"leaf:{one.name}:{i}", counts, failed, profiles)]
            ]
            for one in self.lowered
            if one.name in set(self.names)
        }
        return Answers(
            frame=members.drop(failed, strict=False),
            failed=failed,
            leaf_counts=leaves,
            timings={"plan": self._planned - self._clock, "evaluate": time.perf_counter() - self._planned},
            details_of=partial(details, columns),
        )

    def _state(self, counts: dict[str, Counts | None], *, length: int, profiles: int) -> Standing:
        folder = self.session.workspace.folder
        inputs = {**self.inputs, "files": files_digest(self.session, self.snapshot)}
        from segctl.state.standing import FOLDER

        return Standing(
            folder / FOLDER, inputs, self.snapshot, to_us(self.as_of), length, profiles, counts, (), NOTHING
        )

    def _saving(self, rows: pl.DataFrame, counts: dict[str, Counts | None]) -> Callable[[], None] | None:
        """Writes rows of everybody."""
        import polars as pl

        held = self.held
        is_older = held is not None and (held.snapshot > self.snapshot or held.as_of > to_us(self.as_of))
        if is_older or not (self.is_whole or held is None):
            return None

        def save() -> None:
            from segctl.state.subjects import subject_count

            length = subject_count(self.session.workspace, self.snapshot)
            state = self._state(counts, length=length, profiles=rows.height)
            there = rows.with_columns(pl.lit(value=True).alias(PRESENT))
            write_whole(self.session.workspace, state, spread(there, length))

        return save

    def _adding(self, few: Few, counts: dict[str, Counts | None], length: int) -> Callable[[], None] | None:
        """Writes what is new."""
        if not self.is_whole:
            return None

        def save() -> None:
            assert self.held is not None, "it fits"
            state = self._state(counts, length=length, profiles=few.profiles())
            layer = few.layer()
            if layer is None:
                write_whole(self.session.workspace, state, few.dense([PRESENT, DUE, *self.columns.every]))
            else:
                write_layer(self.session.workspace, self.held, state, layer)

        return save


def files_digest(session: Session, snapshot: int) -> str:
    """What tells the rows of a snapshot from those of the same number in another history of the workspace."""
    workspace = session.workspace
    rows = workspace.query(
        "SELECT path FROM files WHERE added <= ? AND (removed IS NULL OR removed > ?) AND (dataset IN ('events',"
        " 'identity', 'subjects') OR dataset LIKE 'records/%' OR dataset LIKE 'related/%') ORDER BY path",
        (snapshot, snapshot),
    )
    words = workspace.query(
        "SELECT seq, action, recorded FROM consent_events"
        " WHERE seq = (SELECT max(seq) FROM consent_events WHERE seq <= ?)", (_head(session, snapshot),),
    )  # fmt: skip
    return _digest([row["path"] for row in rows] + [tuple(row) for row in words])


def _head(session: Session, snapshot: int) -> int:
    from segctl.state.consents import head_at

    return head_at(session.workspace, snapshot)


def inputs_digests(session: Session) -> dict[str, str]:
    """What answers are made from besides definitions, lists, rows and the clock."""
    import polars as pl

    project = session.project
    # What is done with answers, and said of them, has no part in them.
    plain = replace(
        project, root="", workspace="", environment="", name="", language="en", stale="refuse", keep_landed_days=0,
        priority=(), caps=(), holdout=(), universal_holdouts=(), lint=LintSettings(), reports=None,
    )  # fmt: skip
    return {
        "the version of segctl": f"{__version__}, polars {pl.__version__}",
        "segctl.yaml": Fingerprints((), {}).key(plain),
        "zone data": f"{zone_digest(project.timezone)}",
    }


def _digest(parts: Iterable[Any]) -> str:
    return hashlib.sha256("\x00".join(map(repr, parts)).encode()).hexdigest()[:24]


def _of_rows(
    rows: pl.DataFrame, columns: Columns, subjects: pl.Series, names: Sequence[str], where: str | None
) -> pl.DataFrame:
    """Details of an evaluation of everybody."""
    import polars as pl

    wanted = pl.col("subject").is_in(subjects.implode())
    if where is not None:
        wanted |= pl.col(columns.key_of(where)).fill_null(value=False)
    return columns.detailed(rows.filter(wanted), names)


def _of_few(few: Few, columns: Columns, subjects: pl.Series, names: Sequence[str], where: str | None) -> pl.DataFrame:
    """Details of an evaluation of some."""
    import polars as pl

    keys = [columns.key_of(name) for name in columns.details if not names or name in names]
    if where is None:
        rows = few.rows(subjects.unique().sort(), [PRESENT, *keys])
        return columns.detailed(rows.filter(pl.col(PRESENT).fill_null(value=False)), names)
    asked = few.dense([columns.key_of(where)]).to_series().fill_null(value=False)
    asked = asked.clone().scatter(subjects, True) if len(subjects) else asked
    rows = few.where(asked & few.dense([PRESENT]).to_series(), keys)
    return columns.detailed(rows, names)
