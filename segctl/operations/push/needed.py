"""What an audience needs at its destination, before guards: the same for a plan, a dry run and a push."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.operations.audience.ledger import called, denied_profiles, held_profiles
from segctl.operations.push.again import tell_again
from segctl.operations.push.parts import Wanted, hold_out, part, take_out, without_removals

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities
    from segctl.model.destinations import Destination
    from segctl.operations.audience.audience import Audience
    from segctl.operations.gate import Gate
    from segctl.operations.push.work import Part
    from segctl.operations.session import Session
    from segctl.state.deliveries import LedgerAudience


def needed(
    session: Session,
    gate: Gate,
    audience: Audience,
    destination: Destination,
    ledger: LedgerAudience,
    can: Abilities,
    *,
    retries: bool = False,
) -> Part:
    """Additions, updates and removals of one audience; the ledger is only read.

    Args:
        session: Open project and workspace.
        gate: Decides about consent.
        audience: Who should be there.
        destination: Of the audience, in the mode of today.
        ledger: The audience in the ledger; number 0 when it was never pushed.
        can: What the destination can do.
        retries: Only what was not accepted.
    """
    made = part(
        session.workspace,
        gate,
        Wanted(
            segment=audience.segment,
            destination=destination,
            mode=destination.mode,
            purpose=audience.purpose,
            use=audience.use,
            rows=audience.rows,
            ledger=ledger,
            waterfall=audience.waterfall,
            retries=retries,
            there=audience.there,
            places=audience.places,
            troubled=audience.troubled,
            decided=audience.decided,
        ),
    )
    made.name = called(destination, audience.segment)
    if made.delta is not None and not made.delta.gone.is_empty():
        take_out(session.workspace, made, denied_profiles(session, audience))
        if not retries:
            hold_out(session.workspace, made, held_profiles(session, audience))
    tell_again(session.workspace, made, can)
    return without_removals(made) if can.removal == "none" else made
