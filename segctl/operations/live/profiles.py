"""What profiles are besides their events, held in memory and true at instants that go forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass
from segctl.operations.evaluation import load_input

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.compile.plan import Plan
    from segctl.engines.base import EngineInput
    from segctl.operations.session import Session

NEVER = 2**63 - 1
_LAYER = 50_000
"""Profiles that were read again before they are put among the others."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Profiles as they were read at one time.

    Attributes:
        frame: As `load_input` gives profiles, with those not born yet; sorted by ``subject``.
        subjects: Of the rows.
        born: Since when each is there, see `profiles.BORN`.
        later: When each is another one if nothing happens, in microseconds.
        notes: What is known of all rows, by whoever found it.
    """

    frame: pl.DataFrame
    subjects: NDArray[np.int32]
    born: NDArray[np.int64]
    later: NDArray[np.int64]
    notes: dict[object, Mapping[int, tuple[NDArray[np.bool_], NDArray[np.bool_]]]] = field(
        default_factory=dict, compare=False
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Some profiles, of which all else is read when somebody asks for it.

    Attributes:
        places: Layers, and rows of each.
        subjects: Of the profiles, ascending.
        born: As in `Layer`.
        later: Likewise.
    """

    places: tuple[tuple[Layer, NDArray[np.int64]], ...]
    subjects: NDArray[np.int32]
    born: NDArray[np.int64]
    later: NDArray[np.int64]

    def frame(self) -> pl.DataFrame:
        """Their rows, sorted by ``subject``."""
        import numpy as np
        import polars as pl

        found = [layer.frame[rows] for layer, rows in self.places]
        if len(found) == 1:
            return found[0]
        rows = pl.concat(found)
        return rows[np.argsort(rows.get_column("subject").to_numpy())]

    def noted(
        self, by: object, find: Callable[[pl.DataFrame], Mapping[int, tuple[NDArray[np.bool_], NDArray[np.bool_]]]]
    ) -> dict[int, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """What somebody finds of each row, which is found of a whole layer at once and kept with it.

        Args:
            by: Who.
            find: Finds it of the rows of a layer.
        """
        import numpy as np

        pieces = []
        for layer, rows in self.places:
            if by not in layer.notes:
                layer.notes.clear()
                layer.notes[by] = find(layer.frame)
            pieces.append({number: (a[rows], b[rows]) for number, (a, b) in layer.notes[by].items()})
        if len(pieces) == 1:
            return pieces[0]
        order = np.argsort(np.concatenate([layer.subjects[rows] for layer, rows in self.places]))
        return {
            number: (
                np.concatenate([piece[number][0] for piece in pieces])[order],
                np.concatenate([piece[number][1] for piece in pieces])[order],
            )
            for number in pieces[0]
        }

    def those(self, chosen: NDArray[np.bool_]) -> Rows:
        """Some of them."""
        import numpy as np

        subjects = self.subjects[chosen]
        places = tuple((layer, rows[np.isin(layer.subjects[rows], subjects)]) for layer, rows in self.places)
        return Rows(places, subjects, self.born[chosen], self.later[chosen])


class LiveProfiles:
    """The profiles of a snapshot: read once, and again where something changed or an instant came.

    Attributes:
        data: What was read of everybody; its trait histories and related tables are kept as they are now.
    """

    def __init__(self, session: Session, asking: Plan, snapshot: int, as_of: datetime) -> None:
        """Reads everybody's.

        Args:
            session: Open project and workspace.
            asking: What is evaluated; nothing in it needs everybody.
            snapshot: Which files are seen.
            as_of: The earliest instant that will be asked about.
        """
        self._session = session
        self._asking = asking
        self._snapshot = snapshot
        self.data: EngineInput = load_input(session, asking, as_of=as_of, snapshot=snapshot, unborn=True)
        self._base = _layer(self.data)
        self._over: Layer | None = None
        self._above = self._touched = self._base.subjects[:0]

    def refresh(self, snapshot: int, touched: NDArray[np.int32]) -> None:
        """Sees another snapshot, in which these profiles, or subjects that were profiles, are others."""
        import numpy as np

        self._snapshot = snapshot
        self._touched = np.union1d(self._touched, touched)

    def unborn(self, subjects: NDArray[np.int32], canonical: pl.Series | None) -> NDArray[np.int32]:
        """Those of the subjects whose profiles had no record and no event when they were read."""
        import numpy as np
        import polars as pl

        from segctl.engines.profiles import EVER_BORN

        waiting = [layer.subjects[layer.born > EVER_BORN] for layer in (self._base, self._over) if layer is not None]
        profiles = subjects if canonical is None else canonical[pl.Series(subjects)].to_numpy()
        found: NDArray[np.int32] = subjects[np.isin(profiles, np.concatenate(waiting))]
        return found

    def of(self, asked: NDArray[np.int32], as_of: datetime) -> Rows:
        """The asked profiles that are known.

        Args:
            asked: Subjects of profiles, ascending and unique.
            as_of: No earlier than the one before.
        """
        import numpy as np

        self._read_again(asked, to_us(as_of), as_of)
        base, over = self._base, self._over
        under = _places(base.subjects, asked)
        if over is None or not len(over.subjects):
            return Rows(((base, under),), base.subjects[under], base.born[under], base.later[under])
        upper = _places(over.subjects, asked)
        under = under[~np.isin(base.subjects[under], self._above)]
        subjects = np.concatenate([base.subjects[under], over.subjects[upper]])
        order = np.argsort(subjects)
        born = np.concatenate([base.born[under], over.born[upper]])[order]
        later = np.concatenate([base.later[under], over.later[upper]])[order]
        return Rows(((base, under), (over, upper)), subjects[order], born, later)

    def _read_again(self, asked: NDArray[np.int32], now: int, as_of: datetime) -> None:
        """Reads those again that changed, and of the asked those for whom the instant has come."""
        import numpy as np
        import polars as pl

        stale = self._touched
        for layer in (self._base, self._over):
            if layer is not None:
                places = _places(layer.subjects, asked)
                due = layer.subjects[places][layer.later[places] <= now]
                if layer is self._base and self._over is not None:
                    due = np.setdiff1d(due, self._above)
                stale = np.union1d(stale, due) if len(due) else stale
        if not len(stale):
            return
        self._touched = stale[:0]
        few = load_input(
            self._session, self._asking, as_of=as_of, snapshot=self._snapshot, only=stale.tolist(), unborn=True
        )
        self._put(_layer(few), stale)
        gone = pl.Series(stale).implode()
        changes = {
            name: pl.concat([old.filter(~pl.col("subject").is_in(gone)), few.changes[name]], how="vertical_relaxed")
            for name, old in self.data.changes.items()
        }
        self.data = replace(self.data, changes=changes, related=few.related)

    def _put(self, new: Layer, subjects: NDArray[np.int32]) -> None:
        """Puts rows above others; subjects without a row are nobody any more."""
        import numpy as np

        if self._over is not None:
            new = _stacked(self._over, new, subjects)
            subjects = np.union1d(self._above, subjects)
        self._over, self._above = new, subjects
        if len(subjects) > _LAYER:
            self._base = _stacked(self._base, new, subjects)
            self._over = None


def _layer(data: EngineInput) -> Layer:
    import numpy as np

    from segctl.engines.profiles import BORN

    frame = data.profiles
    subjects = frame.get_column("subject").to_numpy()
    later = np.full(len(subjects), NEVER)
    ahead = None if data.later is None else data.later()
    if ahead is not None and ahead.height:
        of = ahead.get_column("subject").to_numpy()
        places = np.searchsorted(subjects, of)
        there = places < len(subjects)
        there[there] = subjects[places[there]] == of[there]
        np.minimum.at(later, places[there], ahead.get_column("due").to_numpy()[there])
    return Layer(frame, subjects, frame.get_column(BORN).to_numpy(), later)


def _stacked(below: Layer, above: Layer, subjects: NDArray[np.int32]) -> Layer:
    """Two layers as one, where nothing of the subjects is left of the lower one."""
    import numpy as np
    import polars as pl

    stays = ~np.isin(below.subjects, subjects)
    frame = pl.concat([below.frame.filter(pl.Series(stays)), above.frame])
    later = np.concatenate([below.later[stays], above.later])
    born = np.concatenate([below.born[stays], above.born])
    found = np.concatenate([below.subjects[stays], above.subjects])
    order = np.argsort(found)
    return Layer(frame[order], found[order], born[order], later[order])


def _places(known: NDArray[np.int32], asked: NDArray[np.int32]) -> NDArray[np.int64]:
    """Rows of the asked among the known."""
    import numpy as np

    if not len(known):
        return np.zeros(0, np.int64)
    places = np.searchsorted(known, asked)
    places[places == len(known)] = 0
    found: NDArray[np.int64] = places[known[places] == asked]
    return found
