"""Steps of workflows against what their destinations can do, which only the kinds know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from segctl.model.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities
    from segctl.model.project import Definitions
    from segctl.model.workflows import Act

_NO_MAIL = "name what sends mails: `kind: smtp` (every mail service has such a server), `sendgrid_mail` or `brevo_mail`"


def unable_steps(definitions: Definitions) -> Iterator[Diagnostic]:
    """A finding for each step that its destination cannot do; one whose destination has a mistake is left out."""
    from segctl.connectors.destinations import abilities

    for workflow in definitions.workflows.values():
        for node, act in workflow.actions:
            destination = definitions.destinations.get(act.destination or "")
            if destination is None:
                continue
            hint = _lacking(act, abilities(destination))
            if hint is not None:
                message = f"`{destination.name}` (kind `{destination.kind}`) cannot do the step `{node.id}`: {act.kind}"
                yield Diagnostic("SEG682", Severity.ERROR, message, node.location, hint=hint)


def _lacking(act: Act, able: Abilities) -> str | None:
    """What would be needed, None when nothing is."""
    if act.kind == "mail":
        return None if able.takes_messages else _NO_MAIL
    if act.kind == "task":
        return None if able.recipient == "webhook" else "name a destination of `kind: webhook`"
    if able.takes_messages:
        return "what sends mails keeps no audiences; name a destination that does"
    if act.kind == "remove" and able.removal == "none":
        return "nobody can be taken out there; let the destination's own rules end it"
    return None
