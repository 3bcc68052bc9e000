"""Small event files in memory, several of them as one, so that not each is searched for every batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.engines.hot_memory import HeldRows

MOST_ROWS = 400_000
"""Of files that are merged: more take so long to sort that a running stream would notice."""


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of some event files.

    Attributes:
        paths: Of the files.
        stores: Kind → its rows.
    """

    paths: frozenset[str]
    stores: Mapping[str, HeldRows]

    @property
    def rows(self) -> int:
        """Of all kinds."""
        return sum(len(store) for store in self.stores.values())


def merged(held: Sequence[Held]) -> list[Held]:
    """The same rows in fewer stores: neighbours become one while the later is not much smaller.

    Each row is so merged about as often as the number of files doubles.
    """
    found: list[Held] = []
    for one in held:
        while found and one.rows * 2 >= found[-1].rows and found[-1].rows + one.rows <= MOST_ROWS:
            one = _both(found.pop(), one)  # noqa: PLW2901 - it grows
        found.append(one)
    return found


def _both(one: Held, other: Held) -> Held:
    stores = dict(one.stores)
    for kind, rows in other.stores.items():
        stores[kind] = stores[kind].with_more(rows) if kind in stores else rows
    return Held(one.paths | other.paths, stores)
