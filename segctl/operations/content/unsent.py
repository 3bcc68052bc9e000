"""Why a person whom a message is shown for would not be sent it now: no member of what sets it off, or not allowed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.errors import SegctlError
from segctl.model.workflows import Act
from segctl.operations.provenance import recorded_as

if TYPE_CHECKING:
    from segctl.model.content import ContentTemplate
    from segctl.operations.session import Session

_CHANNEL = "email"


def unsent(
    session: Session, template: ContentTemplate, subject: int, profile_id: str, *, now: datetime
) -> tuple[str, ...]:
    """Reasons in words, none where nothing is known that stands against it."""
    return (*_not_set_off(session, template, subject), *_not_allowed(session, template, profile_id, now))


def _not_set_off(session: Session, template: ContentTemplate, subject: int) -> list[str]:
    """The last run knows who belongs; a workflow that begins with an event asks for no membership."""
    from segctl.state.memberships import in_force, members

    sending = {
        workflow.name: None if workflow.trigger.kind == "left" else workflow.trigger.segment
        for workflow in session.definitions.workflows.values()
        if any(isinstance(node.body, Act) and node.body.content == template.name for node in workflow.nodes)
    }
    segments = {segment for segment in sending.values() if segment is not None}
    recorded = {name: recorded_as(session, name) for name in sorted(segments)}
    known = {name: old for name, old in recorded.items() if in_force(session.workspace, old) is not None}
    if not sending or None in sending.values() or len(known) < len(segments):
        return []
    if any(subject in members(session.workspace, old) for old in known.values()):
        return []
    listed = ", ".join(f"`{segment}`, which `{name}` begins with" for name, segment in sorted(sending.items()))
    newest = f"; `event` is the newest `{template.trigger}`" if template.trigger is not None else ""
    return [f"no member of {listed}{newest}"]


def _not_allowed(session: Session, template: ContentTemplate, profile_id: str, now: datetime) -> list[str]:
    from segctl.operations.consent.check import check
    from segctl.operations.consent.words import reason_words

    if template.purpose is None or not session.project.contact_points:
        return []
    try:
        found = check(session, profile_id, purpose=template.purpose, channel=_CHANNEL, now=now)
    except SegctlError:
        return []  # Nothing can be asked of that person, or not of this purpose; the message is shown all the same.
    reasons = dict.fromkeys(one.decision.reason for one in found.answers if one.decision.reason is not None)
    return [f"`{template.purpose}`: {reason_words(reason, 'en')}" for reason in reasons]
