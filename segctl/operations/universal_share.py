"""Whether those on record of the universal holdout were dealt by the share that the project declares today.

Nobody on record changes sides while a generation lasts: who was told things is no control, and who was not is not told
because a number in a file changed. So another share holds for new people alone, which has to be said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from segctl.model.diagnostics import Diagnostic, Severity
from segctl.operations.audience.experiments import generation_of
from segctl.operations.experiment.arms import HELD_OUT, universal_rules

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.model.experiments import UniversalHoldout
    from segctl.operations.session import Session

_LOOKED_AT = 20_000
"""Units whose hashes are compared; another share moves some of them unless it is very nearly the same."""


def share_findings(session: Session, *, now: datetime) -> Iterator[Diagnostic]:
    """That the share of the generation that holds now is not the one by which people were dealt."""
    holdout = generation_of(session.project.universal_holdouts, now)
    held = None if holdout is None else dealt_share(session, holdout)
    if holdout is None or held is None:
        return
    yield Diagnostic(
        "SEG973", Severity.WARNING,
        f"the universal holdout `{holdout.name}` now has a share of {float(holdout.share) * 100:.3g} %, and "
        f"{held * 100:.3g} % of those on record are held out: nobody changes sides",
        why="who was told something is no control any more; the new share holds for new people alone",
        hint="set the old share again, or let the generation end (`to:`) and begin another one with the new share",
    )  # fmt: skip


def dealt_share(session: Session, holdout: UniversalHoldout) -> float | None:
    """Share of the units on record that are held out, 0 to 1; None when all were dealt by the share of today."""
    from segctl.state.assignments import assignments
    from segctl.state.experiments import UNIVERSAL
    from segctl.stats.assignment import arms_of, points

    name = f"{UNIVERSAL}{holdout.name}"
    units = assignments(session.workspace, name).unique("unit", keep="first", maintain_order=True)
    rules = universal_rules(holdout, session.project.name, name)
    some = units.head(_LOOKED_AT)
    if list(arms_of(points(rules.salt, some["unit"].to_list()), rules.divided)) == some["arm"].to_list():
        return None
    return int((units["arm"] == HELD_OUT).sum()) / units.height
