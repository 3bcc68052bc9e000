"""What a destination was told, read by columns and row by row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from segctl.state import deliveries
from segctl.state.workspace import Workspace


@pytest.mark.parametrize("odd", ["plain", "", "with \x1e in it", "zwölf"])
def test_columns_are_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    with Workspace.open(tmp_path / "ws", create=True) as workspace:
        first, second = (deliveries.ledger_audience(workspace, "mail", name).id for name in ("a", "b"))
        rows = [(first, f"k{n}", "accepted" if n % 3 else "adding", f"d{n}" if n % 2 else None, None) for n in range(9)]
        rows += [(first, f"x{odd}", "accepted", odd, "s"), (second, "k1", "unsure", None, "t")]
        with workspace.transaction() as db:
            db.executemany(
                "INSERT INTO delivered (audience, key, state, digest, sent, is_unsure, identifiers, batch)"
                " VALUES (?, ?, ?, ?, ?, 0, '{}', 0)",
                reversed(rows),
            )
        found = [deliveries.told(workspace, number) for number in (first, second, 0)]
        monkeypatch.setattr(deliveries, "_joined", lambda *_: None)
        expected = [deliveries.told(workspace, number) for number in (first, second, 0)]

    assert expected[0].rows() == sorted(row[1:] for row in rows if row[0] == first)
    for one, other in zip(found, expected, strict=True):
        assert one.schema == other.schema == dict.fromkeys(("key", "state", "digest", "sent"), pl.String)
        assert one.equals(other)
