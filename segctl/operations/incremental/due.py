"""When each profile has to be asked again, by what stands: for one who goes on where everybody was asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.plan import plan
from segctl.compile.zones import to_us
from segctl.operations.evaluation import lowered_segments, without_expired
from segctl.operations.incremental.columns import Columns
from segctl.operations.incremental.incremental import files_digest, inputs_digests
from segctl.state.standing import DUE, PRESENT, Unreadable, read_standing

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session


def due_by_standing(
    session: Session, names: Sequence[str], *, as_of: datetime, snapshot: int
) -> tuple[pl.Series, pl.Series] | None:
    """Who is part of the population, and until when nothing changes for them; None where nothing of that kind stands.

    Args:
        session: Open project and workspace, with the definitions that were evaluated.
        names: Segments that matter.
        as_of: Instant of that evaluation.
        snapshot: The newest that it may have been made from.

    Returns:
        By subject: a Boolean, and the microseconds since 1970 before which time alone changes no answer.
    """
    held = read_standing(session.workspace)
    if held is None or held.as_of != to_us(as_of) or held.snapshot > snapshot:
        return None
    inputs = inputs_digests(session) | {"files": files_digest(session, held.snapshot)}
    if any(held.inputs.get(name) != digest for name, digest in inputs.items()):
        return None
    columns = Columns(session, plan(without_expired(session, lowered_segments(session, names), as_of)))
    if any(key not in held.columns for _, key in columns.members()):
        return None
    try:
        found = held.dense([PRESENT, DUE], held.length)
    except Unreadable:
        return None
    return found[PRESENT].fill_null(value=False), found[DUE]
