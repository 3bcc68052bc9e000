"""What a destination was told, read by blocks: every row, whatever stands in it."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import polars as pl
import pytest

from segctl.state import deliveries
from segctl.state.deliveries_told import told
from segctl.state.workspace import Workspace

TEXT = dict.fromkeys(("key", "state", "digest", "sent"), pl.String)


@pytest.mark.parametrize("odd", ["plain", "", 'with " in it', "zwölf", "z" * 32, "ö" * 16, "\U0001f600" * 32])
def test_blocks_are_the_rows(tmp_path: Path, odd: str) -> None:
    with Workspace.open(tmp_path / "ws", create=True) as workspace:
        first, second = (deliveries.ledger_audience(workspace, "mail", name).id for name in ("a", "b"))
        hexed = [blake2b(bytes([n]), digest_size=16).hexdigest() for n in range(40)]
        rows = [(first, key, "accepted" if n % 3 else "adding", hexed[n - 1] if n % 5 else None, None)
                for n, key in enumerate(hexed)]  # fmt: skip
        rows += [(first, f"k{n}", "accepted", f"d{n}" if n % 2 else None, None) for n in range(9)]
        rows += [(first, f"x{odd}", "accepted", odd, "s"), (first, odd, "accepted", hexed[0], None)]
        rows += [(first, hexed[0][:31] + "g", "accepted", odd, None), (second, "k1", "unsure", None, "t")]
        with workspace.transaction() as db:
            db.executemany(
                "INSERT INTO delivered (audience, key, state, digest, sent, is_unsure, identifiers, batch)"
                " VALUES (?, ?, ?, ?, ?, 0, '{}', 0)",
                reversed(rows),
            )
        found = [told(workspace, number) for number in (first, second, 0)]

    assert found[0].rows() == sorted(row[1:] for row in rows if row[0] == first)
    assert found[1].rows() == [("k1", "unsure", None, "t")]
    assert [one.schema for one in found] == [TEXT] * 3
    assert found[2].is_empty()
