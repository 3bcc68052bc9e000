"""Brevo's transactional mails: one for each person that a workflow writes to, or a template for a push.

The same key within half an hour is refused there as `duplicate_parameter`, since the mail was taken before; that is
no failure. After that nothing is remembered, so a mail whose answer was lost is never sent again. Source:
developers.brevo.com, `POST /smtp/email` and its idempotency.
"""

from __future__ import annotations

from html import escape
from typing import Any
from uuid import UUID, uuid5

from segctl.connectors.destinations import transactional
from segctl.connectors.destinations.base import Around, Batch, BatchRefusedError, Row, Trouble
from segctl.connectors.destinations.mailing import Json
from segctl.connectors.destinations.transactional import Mail, Transactional, person
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option

ABILITIES = transactional.ABILITIES
OPTIONS = (
    Option("api_key", "secret", "key of the account", required=True),
    Option("template", "integer", "id of the template that a push sends"),
    Option("base_url", "url", "another address of the service"),
    *transactional.OPTIONS,
)
_KEYS = UUID("5b1d7a52-4f0e-4c43-9b1c-2a7f0e6d9c11")
"""Namespace of the keys: one mail has one, on every try."""
_TAKEN = "duplicate_parameter"


def connect(destination: Destination, around: Around) -> BrevoMail:
    """Its connector."""
    return BrevoMail(destination, around)


class BrevoMail(Transactional):
    """One account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        from segctl.connectors.destinations.clients import client
        from segctl.model.fetching_rest import ApiKey

        options = destination.options
        speaks = client(
            destination,
            around,
            options.get("base_url", "https://api.brevo.com/v3"),
            auth=ApiKey("header", "api-key", options["api_key"]),
            own=() if "base_url" in options else ("api.brevo.com",),
        )
        super().__init__(destination, around, speaks, "/smtp/email", self.payload)

    def check(self) -> tuple[Probe, ...]:
        """Asks for the account; nothing is sent."""
        return self.client.check("GET", "/account")

    def _send(self, batch: Batch, row: Row) -> Trouble | str | None:
        try:
            return super()._send(batch, row)
        except BatchRefusedError as error:
            if error.code == _TAKEN:
                return None
            raise

    def payload(self, mail: Mail) -> Json:
        """The body of a request; one without a template must have HTML."""
        options = self.options
        body: dict[str, Any] = {
            "sender": person(mail.sender, mail.sender_name),
            "to": [{"email": mail.to}],
            "headers": {**mail.headers, "idempotencyKey": str(uuid5(_KEYS, mail.key))},
        }
        if mail.subject is None:
            body["templateId"] = int(options["template"])
            body["params"] = {name.upper(): value for name, value in mail.fields.items()}
        else:
            body["subject"] = mail.subject
            body["htmlContent"] = mail.html or _as_html(mail.text or "")
            if mail.text:
                body["textContent"] = mail.text
        if mail.reply_to:
            body["replyTo"] = {"email": mail.reply_to}
        if options.get("tag"):
            body["tags"] = [options["tag"]]
        return body


def _as_html(text: str) -> str:
    """Plain text as the simplest page that shows it."""
    parts = "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in text.strip().split("\n\n"))
    return f"<!DOCTYPE html><html><body>{parts}</body></html>"
