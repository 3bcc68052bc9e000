"""Answers of few profiles, asked again and again while events arrive: what a running stream evaluates with.

The plan is built once and used with other rows and another as_of; profiles and events stay in memory, or mapped into
it. Answers are those of `evaluate` over the same events. What a prepared plan has no room for (tests that fold
case, one and the same value, places) is evaluated the ordinary way beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.plan import plan, references, roots, walk
from segctl.compile.zones import to_us
from segctl.operations.causes.reach import kinds_of
from segctl.operations.evaluation import leaf_output, lowered_segments
from segctl.operations.live.events import LiveEvents
from segctl.operations.live.plan import LivePlan
from segctl.operations.live.profiles import LiveProfiles
from segctl.operations.live.settled import Settled

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.engines.prepared_rows import FewRows
    from segctl.operations.live.profiles import Rows
    from segctl.operations.session import Session

NEVER = 2**63 - 1
"""`due` of a profile that time alone does not change."""
_MANY = 20_000
"""Profiles that are answered at once."""


class LiveEvaluator:
    """Evaluates a set of segments for a few profiles at a time, over a snapshot and the events that came since.

    Attributes:
        late: Segments that need everybody (`keep`, colleagues, scores), and those that refer to such; they have no
            column in the answers. In order of reference.
        kinds: Of each of the others the event kinds it reads, also by way of segments it refers to.
    """

    def __init__(self, session: Session, names: Sequence[str], snapshot: int, *, leaves: bool = False) -> None:
        """Prepares the evaluation; profiles are read with the first answers.

        Args:
            session: Open project and workspace; it stays open as long as the evaluator is used.
            names: Segments asked for; what they refer to is evaluated as well.
            snapshot: Which files are seen.
            leaves: Also answer every leaf of the asked segments, in columns ``leaf:SEGMENT:NUMBER``.

        Raises:
            DataError: A list file cannot be read.
        """
        from segctl.state.identity import canonical

        self._session = session
        self._snapshot = snapshot
        lowered = plan(lowered_segments(session, names)).segments
        self.late = late_segments(lowered)
        segments = [one for one in lowered if one.name not in self.late]
        asked = [one for one in segments if leaves and one.name in set(names)]
        outputs = [leaf_output(one.name, number, leaf) for one in asked for number, leaf in enumerate(one.leaves)]
        self._asking = plan(segments, outputs)
        self.kinds = kinds_read(self._asking.segments)
        self._plan = LivePlan(session, self._asking.segments, outputs)
        self._events = LiveEvents(session.workspace, self._asking, snapshot)
        self._settled = Settled(frozenset().union(*self.kinds.values()))
        self._moved: dict[frozenset[str], tuple[str, ...]] = {}
        self._canonical = canonical(session.workspace, snapshot)
        self._profiles: LiveProfiles | None = None
        self._few: FewRows | None = None
        self._as_of: datetime | None = None
        self._members: tuple[NDArray[np.int32], NDArray[np.int64]] | None = None
        self.coming: dict[int, int] = {}
        """Profiles of the last question that are nobody yet → microseconds since 1970 when they may be somebody."""

    def add_events(self, kind: str, rows: pl.DataFrame) -> None:
        """Takes events of one kind in that no file of the snapshot holds.

        Args:
            kind: Event kind.
            rows: Columns as in a stored event file: ``subject`` Int32, ``ts`` Datetime(us, UTC), ``source``,
                ``event_id``, and the properties named by `model.types.stored_column`, in stored form. Nothing is
                deduplicated.
        """
        if rows.height:
            subjects = rows.get_column("subject")
            subjects = subjects.drop_nulls() if subjects.null_count() else subjects
            self._settled.note(kind, profile_of(subjects.to_numpy(), self._canonical))
            is_known = kind in self._events.tails
            self._events.add(kind, rows)
            self._few = self._few if is_known else None

    def heights(self) -> Mapping[str, int]:
        """How many events of each kind were added so far, for `stored`."""
        return self._events.heights()

    def stored(self, heights: Mapping[str, int], paths: Collection[str]) -> None:
        """Files hold the added events up to these numbers; nothing is read of them while they are as they are.

        Args:
            heights: As `heights` gave them when the last of these events had been added.
            paths: Of the files that hold those events that no files before hold.
        """
        self._events.stored(heights, paths)

    def refresh(self, snapshot: int, touched: Sequence[int], *, events_written: bool = False) -> None:
        """Sees another snapshot.

        Args:
            snapshot: Which files are seen from now on.
            touched: Subjects whose records, identity or consent changed; new ones count.
            events_written: Its event files hold all events that were added so far, so these are forgotten.
        """
        import numpy as np

        from segctl.state.identity import canonical

        self._snapshot = snapshot
        subjects = np.asarray(touched, np.int32)
        known, own = {part.path for part in self._events.parts}, frozenset(self._events.tails)
        gone = self._events.refresh(snapshot, events_written=events_written)
        is_less = gone is not None
        if gone is not None and self._profiles is not None:
            subjects = np.union1d(subjects, self._profiles.unborn(gone, self._canonical))
        new = {kind for part in self._events.parts if part.path not in known for kind in part.kinds}
        for kind in new - own if is_less else new:
            # Such as sessions, which are made of events when these become files.
            self._settled.note_all(kind)
        before, self._canonical = self._canonical, canonical(self._session.workspace, snapshot)
        for owners in (None, before, self._canonical):
            self._settled.forget(profile_of(subjects, owners))
        self._members = self._few = None
        if self._profiles is not None:
            profiles = [profile_of(subjects, owners) for owners in (before, self._canonical)]
            self._profiles.refresh(snapshot, np.concatenate([subjects, *profiles]))

    def answers(self, subjects: Sequence[int], as_of: datetime, *, only_moved: bool = False) -> pl.DataFrame:
        """One row per asked profile that is part of the population at as_of, sorted by ``subject``.

        Args:
            subjects: Of profiles.
            as_of: Valid time; events after it do not exist yet. It is meant to go forward: going back reads all
                profiles anew.
            only_moved: Segments may be left out of which no answer about anybody asked is another than the last time;
                then ``due`` may also be earlier than it has to.

        Returns:
            ``subject`` Int32, a Boolean per segment by name (that is not late), leaves where they were asked for, and
            ``due`` Int64: microseconds since 1970 before which time alone changes no answer. A segment is null where
            a value that must not be missing is missing: such an answer is none.
        """
        import numpy as np
        import polars as pl

        asked = np.unique(np.asarray(subjects, np.int32))
        profiles, self.coming = self._profiles_at(as_of), {}
        kinds = self._settled.kinds_for(asked, to_us(as_of)) if only_moved and self._plan.goes_on(as_of) else None
        names = None if kinds is None or self._asking.outputs else self._moved_by(kinds)
        parts = [asked[at : at + _MANY] for at in range(0, max(1, len(asked)), _MANY)]
        found = [self._answers(profiles, some, as_of, names) for some in parts]
        return pl.concat(found) if len(found) > 1 else found[0]

    def goes_on_from(
        self, profiles: NDArray[np.int32], due: NDArray[np.int64], as_of: datetime
    ) -> NDArray[np.int64]:  # fmt: skip
        """Takes in what an evaluation of everybody found, as if it had been asked here; profiles are read now.

        Args:
            profiles: Subjects of the population, ascending.
            due: When time alone may change an answer, microseconds since 1970.
            as_of: Of that evaluation, which saw the same snapshot.

        Returns:
            As `due`; also what the evaluation did not ask about, such as an end that a segment was given since, counts.
        """
        import numpy as np

        who = self._profiles_at(as_of).of(profiles, as_of)
        due = due.copy()
        places = np.searchsorted(profiles, who.subjects)
        due[places] = np.minimum(due[places], who.later)
        return self._settled.settle(profiles, due, everything=True)

    def _moved_by(self, kinds: frozenset[str]) -> tuple[str, ...]:
        """Segments that events of some kinds can move."""
        if kinds not in self._moved:
            moved = (one.name for one in self._asking.segments if not kinds.isdisjoint(self.kinds[one.name]))
            self._moved[kinds] = tuple(moved)
        return self._moved[kinds]

    def _answers(
        self, profiles: LiveProfiles, asked: NDArray[np.int32], as_of: datetime, names: tuple[str, ...] | None
    ) -> pl.DataFrame:
        import numpy as np
        import polars as pl

        from segctl.engines.profiles import NEVER_BORN

        before = profiles.data
        who = profiles.of(asked, as_of)
        if self._few is None or profiles.data is not before:
            self._few = self._events.few(profiles.data, self._canonical, self._session.project)
        born = self._born(who, to_us(as_of))
        there = born <= to_us(as_of)
        if not there.all():
            nobody = who.those(~there)
            first = np.minimum(born[~there], nobody.later)
            is_coming = first < NEVER_BORN
            self.coming.update(zip(nobody.subjects[is_coming].tolist(), first[is_coming].tolist(), strict=True))
            who = who.those(there)
        if len(who.subjects) < len(asked):
            self._settled.forget(np.setdiff1d(asked, who.subjects))
        data = replace(profiles.data, canonical=self._canonical, later=None)
        own = self._own(who.subjects)
        found = self._plan.answers(who, data, self._events, self._few, own, as_of, names)
        due = np.minimum(found.get_column("due").to_numpy(), who.later)
        due = self._settled.settle(who.subjects, due, everything=names is None)
        given = set(found.columns)
        columns = [*(one.name for one in self._asking.segments), *(one.name for one in self._asking.outputs)]
        answered = found[["subject", *(name for name in columns if name in given)]]
        return answered.hstack([pl.Series("due", due, dtype=pl.Int64)])

    def answers_without(
        self, subjects: Sequence[int], gone: pl.DataFrame, as_of: datetime, segments: Collection[str]
    ) -> pl.DataFrame | None:
        """Answers of profiles that were just asked, as if some of the added events had not come.

        Args:
            subjects: Of the profiles.
            gone: ``kind``, ``source`` and ``event_id`` of the events.
            as_of: As they were asked.
            segments: That are asked for.

        Returns:
            ``subject`` and those of the segments that a prepared plan has room for; None where it has none.
        """
        import numpy as np

        profiles = self._profiles_at(as_of)
        who = profiles.of(np.unique(np.asarray(subjects, np.int32)), as_of)
        if self._few is None or not len(who.subjects):
            return None
        data = replace(profiles.data, canonical=self._canonical, later=None)
        own = self._own(who.subjects)
        few = self._events.few_without(self._few, own, gone)
        return self._plan.trial(who, data, self._events, few, own, as_of, segments)

    def _profiles_at(self, as_of: datetime) -> LiveProfiles:
        if self._profiles is None or (self._as_of is not None and as_of < self._as_of):
            self._profiles = LiveProfiles(self._session, self._asking, self._snapshot, as_of)
            self._settled.clear()
            self._few = None
        self._as_of = as_of
        return self._profiles

    def _born(self, who: Rows, now: int) -> NDArray[np.int64]:
        """Since when profiles have a record or an event, exactly for those who have none up to now."""
        import numpy as np

        born, subjects = who.born, who.subjects
        if (born <= now).all():
            return born
        born = born.copy()
        of, first = self._events.first_of_tail(self._own(subjects[born > now]))
        np.minimum.at(born, np.searchsorted(subjects, profile_of(of, self._canonical)), first)
        return born

    def _own(self, profiles: NDArray[np.int32]) -> NDArray[np.int32]:
        """Subjects of events that belong to some profiles, ascending."""
        import numpy as np

        from segctl.engines.hot_file import ranges

        if self._canonical is None:
            return profiles
        if self._members is None:
            owners = self._canonical.to_numpy()
            order = np.argsort(owners, kind="stable").astype(np.int32)
            self._members = order, np.searchsorted(owners[order], np.arange(len(owners) + 1))
        order, starts = self._members
        profiles = profiles[profiles < len(order)]
        first = starts[profiles]
        return np.sort(order[ranges(first, starts[profiles + 1] - first)])


def profile_of(subjects: NDArray[np.int32], canonical: pl.Series | None) -> NDArray[np.int32]:
    """Subjects of the profiles of some subjects; whom nobody knows yet stands for itself."""
    if canonical is None or not len(subjects):
        return subjects
    owners = canonical.to_numpy()
    found = subjects.copy()
    known = subjects < len(owners)
    found[known] = owners[subjects[known]]
    return found


def late_segments(lowered: Iterable[ir.LoweredSegment]) -> tuple[str, ...]:
    """Names of the segments that need everybody, and of those that refer to such; segments come by reference."""
    late: dict[str, None] = {}
    for one in lowered:
        asks_all = one.keep is not None or any(
            isinstance(node, ir.Colleagues | ir.Score) for root in roots(one) for node in walk(root)
        )
        if asks_all or any(name in late for name in references(one)):
            late[one.name] = None
    return tuple(late)


def kinds_read(lowered: Iterable[ir.LoweredSegment]) -> dict[str, frozenset[str]]:
    """Event kinds that decide each segment, those of the segments it refers to included; segments by reference."""
    found: dict[str, frozenset[str]] = {}
    for one in lowered:
        own = kinds_of(node for root in roots(one) for node in walk(root))
        found[one.name] = own.union(*(found.get(name, frozenset()) for name in references(one)))
    return found
