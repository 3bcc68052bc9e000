"""What a stream knows between two steps: definitions, who belongs where, and when time alone may change that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from segctl.operations.incremental.due import due_by_standing
from segctl.operations.live.evaluation import NEVER, LiveEvaluator
from segctl.operations.running import Running, running
from segctl.operations.stream.ahead import ahead
from segctl.operations.stream.clock import moment
from segctl.operations.stream.frames import newest
from segctl.operations.stream.members import Members, Moved, Timers
from segctl.state.hot import expect
from segctl.state.subjects import Subjects, subject_count

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.operations.session import Session
    from segctl.operations.stream.ranking import Ranked


class World:
    """One set of definitions over a snapshot and what came since.

    Attributes:
        session: Project with its definitions, and the open workspace.
        going: Segments that are evaluated.
        members: Who belongs where.
        timers: When profiles have to be asked again.
        profiles: Profile id by subject.
        profile_of: Subject → subject of its profile; None when each is its own.
        snapshot: Files that evaluation sees.
        as_of: Of the last run, microseconds since 1970.
        appeared: Subjects of the profiles that were nobody until they were asked the last time.
    """

    def __init__(self, session: Session, as_of: int, *, without: Collection[str] = ()) -> None:
        from segctl.state.identity import canonical

        self.session = session
        workspace = session.workspace
        self.snapshot = workspace.snapshot()
        self._lease = ExitStack()
        self._lease.enter_context(workspace.lease(self.snapshot))
        self.going = self._going(as_of)
        names = [name for name in self.going.names if name not in self.going.fresh.refused and name not in without]
        self._evaluator = LiveEvaluator(session, names, self.snapshot)
        self._unranked: dict[str, str] = {}
        self.late = tuple(name for name in self._evaluator.late if name in names)
        self.profiles: list[str] = []
        self.profile_of: pl.Series | None = canonical(workspace, self.snapshot)
        self._read_profiles()
        self.members = Members.in_force(workspace, names, len(self.profiles))
        self.timers = Timers(len(self.profiles))
        self._present = Members(("",), len(self.profiles))
        self.as_of = as_of
        self.appeared: frozenset[int] = frozenset()

    def _going(self, at: int) -> Running:
        from segctl.operations.apply import EVERYTHING, evaluated_names

        names = evaluated_names(self.session, EVERYTHING)
        return running(self.session, names, as_of=moment(at), snapshot=self.snapshot)

    def is_outdated(self, at: int) -> bool:
        """Whether other segments are to be evaluated by now, in microseconds since 1970, than at the start."""
        now = self._going(at)
        return (now.names, now.expired) != (self.going.names, self.going.expired)

    def close(self) -> None:
        """Lets the files of the snapshot go."""
        self._lease.close()

    @property
    def asked(self) -> list[str]:
        """Segments that blocks of profiles decide."""
        return [name for name in self.members.names if name not in self.late]

    @property
    def kinds(self) -> Mapping[str, frozenset[str]]:
        """Event kinds that decide each of the segments that blocks of profiles decide."""
        return self._evaluator.kinds

    def _read_profiles(self) -> None:
        files = Subjects(self.session.workspace).table(self.snapshot)
        new = files.slice(len(self.profiles)).select("profile_id").collect()["profile_id"]
        self.profiles += new.to_list()

    def start(self) -> list[Moved]:
        """Sets the timers by what the run just found, or asks everybody; who moved although that run says otherwise."""
        names, as_of = self.members.names, moment(self.as_of)
        found = due_by_standing(self.session, names, as_of=as_of, snapshot=self.snapshot)
        moved: list[Moved] = []
        if found is None:
            moved = self.ask(self.profile_subjects(range(len(self.profiles))), self.as_of)
        else:
            self._take_standing(*found)
        self.wait_for(ahead(self.session.workspace, self.snapshot, as_of), self.as_of)
        return moved

    def _take_standing(self, present: pl.Series, due: pl.Series) -> None:
        """Everybody's next instants, and who is there; what answers need is read now and not with the first lines."""
        import numpy as np
        import polars as pl

        who, as_of = present.arg_true().cast(pl.Int32), moment(self.as_of)
        rows, next_at = who.to_numpy(), due.gather(who).fill_null(NEVER).to_numpy()
        there = pl.DataFrame({"subject": who}).with_columns(pl.lit(value=True).alias(""))
        self._present.moved(np.arange(len(present)), there, ("",))
        expect(self.session.workspace)
        self.timers.set(rows.astype(np.int64), self._evaluator.goes_on_from(rows, next_at, as_of))
        self._evaluator.answers(rows[:1].tolist(), as_of)

    def profile_subjects(self, subjects: Iterable[int]) -> list[int]:
        """Subjects of the profiles of some subjects, each once, ascending."""
        if self.profile_of is None:
            return sorted(set(subjects))
        return sorted(set(self.profile_of.gather(sorted(set(subjects))).to_list()))

    def events_taken(self) -> Mapping[str, int]:
        """How many events of each kind were added so far, for `stored`."""
        return self._evaluator.heights()

    def stored(self, events: Mapping[str, int], paths: Collection[str]) -> None:
        """Files of the next snapshot hold the events up to these, which stay in memory as long as the files do."""
        self._evaluator.stored(events, paths)

    def sees(self, subjects: Sequence[int], *, events_written: bool = False) -> None:
        """Evaluation sees the newest snapshot.

        Args:
            subjects: Whose records, identity or consent changed since the one before; new ones are among them anyway.
            events_written: Its files hold all events that were added.
        """
        from segctl.state.identity import canonical

        workspace, known = self.session.workspace, len(self.profiles)
        self.snapshot = workspace.snapshot()
        held = ExitStack()
        held.enter_context(workspace.lease(self.snapshot))
        self._lease.close()
        self._lease = held
        if subject_count(workspace, self.snapshot) > known:
            self._read_profiles()
            if self.profile_of is not None:
                self.profile_of = canonical(workspace, self.snapshot)
        new = range(known, len(self.profiles))
        self._evaluator.refresh(self.snapshot, [*subjects, *new], events_written=events_written)

    def add(self, events: Sequence[pl.DataFrame]) -> None:
        """Takes events that no file of the snapshot holds."""
        for frame in events:
            for (kind,), rows in frame.partition_by("kind", as_dict=True, include_key=False).items():
                self._evaluator.add_events(kind, rows)

    def ask(self, profiles: Sequence[int], at: int, *, by_events: bool = False) -> list[Moved]:
        """Evaluates profiles, keeps the answers and sets their timers; who moved.

        Args:
            profiles: Subjects of profiles, ascending, each once.
            at: Valid time in microseconds since 1970.
            by_events: Only events that were added can have moved them since they were asked.
        """
        import numpy as np
        import polars as pl

        if not profiles:
            return []
        answers = self._evaluator.answers(profiles, moment(at), only_moved=by_events)
        moved = self.members.moved(profiles, answers, self.asked)
        # By brackets: expressions are queries of their own.
        there = answers[["subject"]].hstack([pl.Series("", np.ones(answers.height, np.bool_))])
        came = self._present.moved(profiles, there, ("",))
        self.appeared = frozenset(subject for subject, _, is_there in came if is_there)
        rows = np.asarray(profiles, dtype=np.int64)
        due = np.full(len(rows), NEVER, dtype=np.int64)
        due[np.searchsorted(rows, answers["subject"].to_numpy())] = answers["due"].to_numpy()
        if coming := self._evaluator.coming:
            places = np.searchsorted(rows, np.fromiter(coming, np.int64, len(coming)))
            due[places] = np.fromiter(coming.values(), np.int64, len(coming))
        self.timers.set(rows, due)
        return moved

    def ask_without(
        self, profiles: Sequence[int], gone: pl.DataFrame, at: int, segments: Collection[str]
    ) -> pl.DataFrame | None:
        """As `LiveEvaluator.answers_without`; nothing is kept of it."""
        return self._evaluator.answers_without(profiles, gone, moment(at), segments)

    @property
    def population(self) -> int:
        """How many profiles there are."""
        return int(self._present.column("").sum())

    def wait_for(self, events: Sequence[pl.DataFrame], at: int) -> None:
        """Sets timers for events that lie ahead: whoever is nobody before them is somebody then."""
        import polars as pl

        for frame in events:
            if not frame.height or newest(frame) <= at:
                continue
            ahead = frame.filter((pl.col("ts").to_physical() > at) & pl.col("subject").is_not_null())
            for subject, when in ahead.group_by("subject").agg(pl.col("ts").min().to_physical()).iter_rows():
                (profile,) = self.profile_subjects([subject])
                self.timers.advance(profile, when)

    @property
    def failed(self) -> dict[str, str]:
        """Segments that cannot be decided now, with the reason; they keep their last membership."""
        counts = {name: len(who) for name, who in self.members.unknown.items()}
        missing = "a value that must not be missing is missing for"
        found = {name: f"{missing} {'1 profile' if many == 1 else f'{many} profiles'}" for name, many in counts.items()}
        return found | self._unranked

    def ranked(self, found: Ranked) -> list[Moved]:
        """Takes what a ranking of everybody found; who moved."""
        self._unranked = dict(found.failed)
        self.members.grow(len(self.profiles))
        return self.members.moved_of_many(self._everybody(), found.answers, found.names)

    def _everybody(self) -> NDArray[np.int64]:
        """Subjects of all profiles, ascending."""
        import numpy as np

        if self.profile_of is None:
            return np.arange(len(self.profiles))
        return np.unique(self.profile_of.to_numpy()).astype(np.int64)


def newest_as_of(session: Session) -> int | None:
    """as_of of the newest run in force, in microseconds since 1970; None before the first."""
    rows = session.workspace.query("SELECT max(in_force_as_of) FROM segments WHERE alive")
    return None if rows[0][0] is None else int(rows[0][0])
