"""People who are told again because somebody with one of their identifiers is taken out in the same push.

Two profiles can share an address, and after `identify` changed a person has another key. A service that knows people by
that address takes out whoever has it, so those who stay are put in once more behind the removals.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.destinations.base import Abilities
    from segctl.operations.push.work import Part
    from segctl.state.workspace import Workspace


def tell_again(workspace: Workspace, part: Part, can: Abilities) -> None:
    """Adds to an audience's delta who shares an identifier with somebody that is taken out of it.

    Args:
        workspace: Open; only read.
        part: With all its removals; nobody was sent yet.
        can: What the destination can do.
    """
    import polars as pl

    if part.delta is None or not part.removals or can.removal == "none" or part.mode == "update":
        return
    found = part.delta
    values = _identifiers(workspace, part.ledger.id, sorted({*part.leavers, *part.withdrawals}))
    shared = pl.repeat(value=False, n=found.rows.height, dtype=pl.Boolean, eager=True)
    for kind, known in values.items():
        if f"id:{kind}" in found.rows.columns:
            known_values = pl.Series(sorted(known), dtype=pl.String)
            shared |= found.rows[f"id:{kind}"].is_in(known_values.implode()).fill_null(value=False)
    _add_again(part, shared)


def tell_keys(part: Part, keys: Collection[str]) -> None:
    """Adds to an audience's delta who has one of the keys, though the destination accepted them as they are."""
    import polars as pl

    if part.delta is not None and part.mode != "update":
        wanted = pl.Series(sorted(keys), dtype=pl.String)
        _add_again(part, part.delta.rows["key"].is_in(wanted.implode()))


def _add_again(part: Part, is_again: pl.Series) -> None:
    import polars as pl

    found = part.delta
    if found is None:
        return
    settled, updates = (rows.filter(is_again.gather(rows)) for rows in (found.same, found.updates))
    if settled.is_empty() and updates.is_empty():
        return
    part.again = [*part.again, *found.rows["key"].gather(settled)]
    part.delta = replace(
        found,
        adds=pl.concat([found.adds, settled, updates]).sort(),
        updates=found.updates.filter(~found.updates.is_in(updates.implode())),
        same=found.same.filter(~found.same.is_in(settled.implode())),
    )


def _identifiers(workspace: Workspace, audience: int, keys: list[str]) -> dict[str, set[str]]:
    """Kind → what the destination was told of these people."""
    from segctl.state.deliveries import told_identifiers

    found: dict[str, set[str]] = {}
    for text in told_identifiers(workspace, audience, keys):
        for kind, value in json.loads(text).items():
            found.setdefault(kind, set()).add(value)
    return found
