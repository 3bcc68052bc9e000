"""The whole consent ledger by columns, for gates that know a million rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from segctl.state.consents import STATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segctl.state.workspace import Workspace

    Ints = NDArray[np.int64]
    Columns = tuple[Ints, Ints, Ints, bytes, bytes, Sequence[str]]

_ROW_SEPARATOR = "\x1e"
_BLOCK_ROWS, _TOKEN = 50_000, 16
NEVER = 2**63 - 1
"""Expiry of what does not expire."""
# Columns that SQLite lays together make no objects; a tuple of six for each of a million rows costs twice the time.
_BLOCK = f"""SELECT count(*), group_concat(seq), group_concat(at),
    CASE WHEN count(expires_at) THEN group_concat(coalesce(expires_at, '')) END, CAST(group_concat(exact, '') AS BLOB),
    CAST(group_concat(wide, '') AS BLOB), group_concat(shape, '{_ROW_SEPARATOR}')
    FROM ({STATE} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?)"""


def blocks(workspace: Workspace, seq: int = 0, *, until: int | None = None) -> Iterator[Columns]:
    """`consents.states` of all contact points by columns, for ledgers of a million rows.

    Yields:
        Numbers, effective times, expiries (`NEVER` for those without; Int64 each), exact and wide tokens one behind
        another, and the texts of shapes.
    """
    last = 2**62 if until is None else until
    while rows := _block(workspace, seq, last):
        yield rows
        seq = int(rows[0][-1])


def _block(workspace: Workspace, seq: int, last: int) -> Columns | None:
    """The next rows after a number; None when there are no more."""
    import numpy as np

    count, seqs, ats, ends, exact, wide, shapes = next(workspace.stream(_BLOCK, (seq, last, _BLOCK_ROWS)))
    if not count:
        return None
    apart = shapes.split(_ROW_SEPARATOR)
    if len(apart) != count or len(exact) != _TOKEN * count or len(wide) != _TOKEN * count:
        return _one_by_one(workspace, seq, last)
    expires = [int(one) if one else NEVER for one in ends.split(",")] if ends else [NEVER] * count
    return (
        np.fromstring(seqs, np.int64, sep=","),
        np.fromstring(ats, np.int64, sep=","),
        np.array(expires, np.int64),
        exact,
        wide,
        apart,
    )


def _one_by_one(workspace: Workspace, seq: int, last: int) -> Columns:
    """The same where a text holds the separator itself, so that only each row says what belongs together."""
    import numpy as np

    rows = workspace.stream(f"{STATE} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (seq, last, _BLOCK_ROWS))
    seqs, ats, ends, exact, wide, shapes = zip(*rows, strict=True)
    expires = [NEVER if one is None else one for one in ends]
    return (
        np.array(seqs, np.int64),
        np.array(ats, np.int64),
        np.array(expires, np.int64),
        b"".join(exact),
        b"".join(wide),
        shapes,
    )
