"""The ledger by columns says what it says row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from segctl.model.consent import ConsentEvent
from segctl.state import consents, consents_blocks
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("reason", [None, "said", "with \x1e in it", "with \x1f", "zwölf"])
def test_columns_are_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str | None) -> None:
    monkeypatch.setattr(consents_blocks, "_BLOCK_ROWS", 7)
    tokens = [bytes([n % 3 and n, 0, 255, 128 + n % 100]) * 4 for n in range(40)]
    events = [
        ConsentEvent(
            f"e{n}", NOW + timedelta(days=n % 3 - 1), "email", tokens[n], tokens[-n], "k1",
            ("grant", "withdraw", "suppress")[n % 3], reason=reason if n % 5 == 0 else None,
            expires_at=NOW + timedelta(days=n) if 14 < n < 25 else None, facts={"a": "x\x1ey"} if n == 3 else {},
        )
        for n in range(40)
    ]  # fmt: skip
    with Workspace.open(tmp_path / "ws", create=True) as workspace:
        consents.record_key(workspace, "k1", at=NOW)
        consents.append(workspace, events, recorded=NOW)

        for since, until in ((0, None), (5, None), (0, 12), (40, None)):
            found = []
            for seq, at, ends, exact, wide, shapes in consents_blocks.blocks(workspace, since, until=until):
                apart = [[side[i : i + 16] for i in range(0, len(side), 16)] for side in (exact, wide)]
                expires = [None if end == consents_blocks.NEVER else end for end in ends.tolist()]
                found += list(zip(seq.tolist(), at.tolist(), expires, *apart, shapes, strict=True))

            assert found == list(consents.states(workspace, since, until=until))
