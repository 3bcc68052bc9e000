"""Who loses consent while a push runs: those who wait are not sent, those who were sent are taken out again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from segctl.operations.push.work import Part, Person

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.model.consent import Decision, Use


TOKEN = 16
"""Bytes of a token; a contact point is known by one or several of them."""


class Gatekeeper(Protocol):
    """What a push needs of the gate."""

    @property
    def head(self) -> int:
        """Number of the newest row of the consent ledger that it knows."""
        ...

    def refresh(self) -> frozenset[bytes]:
        """Read what came since `head`; the tokens concerned."""
        ...

    def decide(self, points: Sequence[Sequence[bytes | None]], use: Use) -> list[Decision]:
        """One decision per row; a row has all contact points of a person."""
        ...


class Listener:
    """The one gate of a push, as one destination hears it: also what another destination's calls made it read.

    Args:
        gate: Of the whole push.
        heard: What it has read so far, look by look; shared by all destinations.
    """

    def __init__(self, gate: Gatekeeper, heard: list[frozenset[bytes]]) -> None:
        self._gate, self._heard, self._known = gate, heard, len(heard)

    @property
    def head(self) -> int:
        """Number of the newest row of the consent ledger that the gate knows."""
        return self._gate.head

    def refresh(self) -> frozenset[bytes]:
        """Tokens concerned by what came since this destination looked last."""
        fresh = self._gate.refresh()
        if fresh:
            self._heard.append(fresh)
        found = frozenset[bytes]().union(*self._heard[self._known :])
        self._known = len(self._heard)
        return found

    def decide(self, points: Sequence[Sequence[bytes | None]], use: Use) -> list[Decision]:
        """As the gate."""
        return self._gate.decide(points, use)


class Watch:
    """Keeps an eye on the consent ledger for the people of some audiences."""

    def __init__(self, gate: Gatekeeper, parts: Iterable[Part]) -> None:
        self.gate, self.parts = gate, list(parts)
        self._denied: dict[int, set[str]] = {part.ledger.id: set() for part in self.parts}
        self._indexes: dict[int, list[_Index]] = {}

    def also(self, part: Part) -> None:
        """From now on for the people of one more audience, or of one that looks after more people than before."""
        if not any(one is part for one in self.parts):
            self.parts.append(part)
        self._denied.setdefault(part.ledger.id, set())
        self._indexes.pop(part.ledger.id, None)

    def refresh(self) -> list[tuple[Part, list[str]]]:
        """Reads the consent ledger; for each audience the keys that are denied since the last look."""
        concerned = self.gate.refresh()
        if not concerned:
            return []
        found = []
        for part in self.parts:
            fresh = sorted(self._newly_denied(part, concerned))
            if fresh:
                found.append((part, fresh))
        return found

    def is_denied(self, part: Part, key: str) -> bool:
        """Somebody of this audience lost consent while the push ran."""
        return key in self._denied.get(part.ledger.id, ())

    def without_denied(self, part: Part, people: Sequence[Person]) -> Sequence[Person]:
        """Those who may still be told."""
        denied = self._denied.get(part.ledger.id)
        return [person for person in people if person.key not in denied] if denied else people

    def _newly_denied(self, part: Part, concerned: Collection[bytes]) -> Iterator[str]:
        denied = self._denied[part.ledger.id]
        for index in self._index(part):
            keys, points, others = index.find(concerned)
            refusals = refused(self.gate, part.use, others)
            for key, is_allowed, is_refused in zip(keys, allowed(self.gate, part.use, points), refusals, strict=True):
                if is_allowed and not is_refused:
                    denied.discard(key)
                elif key not in denied:
                    denied.add(key)
                    yield key

    def _index(self, part: Part) -> list[_Index]:
        # Made when the first event comes: most pushes see none.
        if part.ledger.id not in self._indexes:
            from segctl.state.deliveries import unpacked

            made = []
            if part.delta is not None and "points" in part.delta.rows.columns:
                rows = part.delta.rows
                others = rows["others"] if "others" in rows.columns else None
                made.append(_Index(rows["key"], rows["points"], others))
            if part.watched is not None:
                import polars as pl

                lists = [unpacked(value) for value in part.watched["points"]]
                made.append(_Index(part.watched["key"], pl.Series("points", lists, dtype=pl.List(pl.Binary))))
            self._indexes[part.ledger.id] = made
        return self._indexes[part.ledger.id]


def allowed(gate: Gatekeeper, use: Use | None, points: Sequence[Sequence[bytes | None]]) -> list[bool]:
    """The gate's answer row by row; what has no known use is allowed to nobody."""
    if use is None or not points:
        return [False] * len(points)
    return [one.consent is None and one.suppression is None for one in gate.decide(points, use)]


def refused(gate: Gatekeeper, use: Use | None, others: Sequence[Sequence[bytes | None]]) -> list[bool]:
    """Rows of which one point stands against the person, though its consent is not needed."""
    from segctl.operations.audience.gate import REFUSALS

    points = [[point] for row in others for point in row if point is not None]
    answers = iter(gate.decide(points, use) if use is not None and points else ())
    found = []
    for row in others:
        codes = [next(answers, None) for point in row if point is not None]
        found.append(any(one is not None and (one.consent in REFUSALS or one.suppression) for one in codes))
    return found


class _Index:
    """Finds people by token without a Python object for each: sorted heads of tokens beside row numbers."""

    def __init__(self, keys: pl.Series, points: pl.Series, others: pl.Series | None = None) -> None:
        import numpy as np
        import polars as pl

        self._keys, self._points, self._others = keys, points, others
        lists = points
        if others is not None:
            lists = pl.select(pl.concat_list(points.fill_null([]), others.fill_null([]))).to_series()
        rows = pl.int_range(len(lists), dtype=pl.UInt32, eager=True).repeat_by(lists.list.len().fill_null(0))
        pairs = pl.DataFrame({"row": rows.explode(), "point": lists.explode()}).drop_nulls()
        sizes = (pairs["point"].bin.size() // TOKEN).to_numpy().astype(np.int64)
        # Tokens are keyed hashes, so their first eight bytes are as good as a hash of them.
        heads = np.frombuffer(b"".join(pairs["point"]), "<u8")[:: TOKEN // 8]
        order = np.argsort(heads, kind="stable")
        self._heads: NDArray[np.uint64] = heads[order]
        self._rows: NDArray[np.uint32] = np.repeat(pairs["row"].to_numpy(), sizes)[order]

    def find(
        self, tokens: Collection[bytes]
    ) -> tuple[list[str], list[list[bytes | None]], list[list[bytes | None]]]:  # fmt: skip
        """Keys, points and other points of everybody who may have one of the tokens, in the order of rows."""
        import numpy as np

        asked = np.frombuffer(b"".join(token[:8] for token in tokens), "<u8")
        first, last = np.searchsorted(self._heads, asked, "left"), np.searchsorted(self._heads, asked, "right")
        spans = [self._rows[a:b] for a, b in zip(first, last, strict=True) if a < b]
        if not spans:
            return [], [], []
        rows = np.unique(np.concatenate(spans))
        others = [] if self._others is None else self._others.gather(rows).to_list()
        points = self._points.gather(rows).to_list()
        return self._keys.gather(rows).to_list(), points, [row or [] for row in others] or [[]] * len(rows)
