"""Where a destination points: its ledger holds for one place, and for another it would be a lie.

Somebody who changes folder, list or account under the same name would tell nobody at the new place, since the ledger
says that all are told, and take people out of the wrong one. So the place is kept with the ledger, as a digest: an
address may hold a token.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from segctl.model.errors import Refused, UsageError

if TYPE_CHECKING:
    from segctl.model.destinations import Destination
    from segctl.operations.session import Session

PLACE = (
    "account_id", "account_type", "ad_account_id", "base_url", "data_plane", "folder", "group", "list", "path",
    "region", "server", "subdomain", "table", "url",
)  # fmt: skip
"""Options that say where; credentials are renewed, formats change, and it stays the same place."""


def refuse_moved(session: Session, destination: Destination, *, is_same: bool, dry_run: bool) -> None:
    """Do nothing, unless people were told at a place that the destination does not point to any more.

    Args:
        session: Open project and workspace.
        destination: As declared today.
        is_same: Somebody says that it is the same place, spelled otherwise.
        dry_run: Keep nothing.

    Raises:
        Refused: It points elsewhere.
    """
    from segctl.state.deliveries import sizes_delivered
    from segctl.state.deliveries_places import keep_place, known_place

    today, known = place(destination), known_place(session.workspace, destination.name)
    if known == today:
        return
    people = sum(n for (name, _), n in sizes_delivered(session.workspace).items() if name == destination.name)
    if known is None or is_same or not people:
        if not dry_run:
            keep_place(session.workspace, destination.name, today)
        return
    raise Refused(
        "SEG875", f"`{destination.name}` points elsewhere than when {people:,} people were told there; nothing was "
        "sent there",
        why="its ledger holds for the old place: people there could not be taken out any more",
        hint="give the new place a name of its own and let the old name empty the old one; if only the spelling "
        f"changed: `segctl push --same-place {destination.name}`",
        location=destination.location,
    )  # fmt: skip


def refuse_gone(session: Session, destination: Destination, *, tries_again: bool, dry_run: bool) -> None:
    """Do nothing, unless the place said in an earlier push that it wants nothing more.

    Args:
        session: Open project and workspace.
        destination: As declared today.
        tries_again: Somebody wants to know whether that still holds.
        dry_run: Keep nothing.

    Raises:
        UsageError: It is gone.
    """
    from segctl.state.deliveries_places import gone_since, keep_gone

    since = gone_since(session.workspace, destination.name)
    if since is None:
        return
    if tries_again:
        if not dry_run:
            keep_gone(session.workspace, destination.name, None)
        return
    raise UsageError(
        "SEG903", f"`{destination.name}` said on {since[:10]} that it is gone for good; nothing was sent there",
        why="who answers so wants nothing more, and asking again is a nuisance",
        hint=f"correct its address, or take `{destination.name}` out of `send_to` and delete its declaration; "
        f"if it is back: `segctl push --to {destination.name} --retry-failed`",
        location=destination.location,
    )  # fmt: skip


def place(destination: Destination) -> str:
    """Digest of the kind and of where it is."""
    where = {name: str(destination.options[name]) for name in PLACE if destination.options.get(name) is not None}
    text = json.dumps([destination.kind, where], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
