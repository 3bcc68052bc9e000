"""SendGrid's Mail Send: one mail for each person that a workflow writes to, or a dynamic template for a push.

It knows no repetition, so a mail whose answer was lost is never sent again. `key` comes back with every event of the
mail (`custom_args`). Source: twilio.com/docs/sendgrid, v3 Mail Send.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from segctl.connectors.destinations import transactional
from segctl.connectors.destinations.base import Around
from segctl.connectors.destinations.mailing import Json
from segctl.connectors.destinations.sendgrid import ADDRESSES
from segctl.connectors.destinations.transactional import Mail, Transactional, person
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option

ABILITIES = transactional.ABILITIES
OPTIONS = (
    Option("api_key", "secret", "key with the right to send mail", required=True),
    Option("region", "choice", "where the account is", default="global", choices=("global", "eu")),
    Option("template", "text", "id of the dynamic template that a push sends, such as `d-…`"),
    Option("unsubscribe_group", "integer", "id of the group of suppressions that the mail belongs to"),
    Option("base_url", "url", "another address of the service"),
    *transactional.OPTIONS,
)


def connect(destination: Destination, around: Around) -> SendGridMail:
    """Its connector."""
    return SendGridMail(destination, around)


class SendGridMail(Transactional):
    """One account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        from segctl.connectors.destinations.clients import client
        from segctl.model.fetching_rest import Bearer

        options = destination.options
        own = ADDRESSES[options.get("region", "global")]
        base_url = options.get("base_url") or own
        hosts = (urlsplit(own).hostname or "",) if base_url == own else ()
        # A success has no body, and is told by its status.
        speaks = client(
            destination, around, base_url, auth=Bearer(options["api_key"]), own=hosts, takes_text=True
        )  # fmt: skip
        super().__init__(destination, around, speaks, "/v3/mail/send", self.payload)

    def check(self) -> tuple[Probe, ...]:
        """Asks for the rights of the key; nothing is sent."""
        return self.client.check("GET", "/v3/scopes")

    def payload(self, mail: Mail) -> Json:
        """The body of a request; the plain text stands before the HTML, as the service wants it."""
        options = self.options
        told: dict[str, Any] = {"to": [{"email": mail.to}], "custom_args": {"segctl_key": mail.key}}
        body: dict[str, Any] = {
            "personalizations": [told],
            "from": person(mail.sender, mail.sender_name),
            "headers": dict(mail.headers),
        }
        if mail.subject is None:
            body["template_id"] = str(options["template"])
            told["dynamic_template_data"] = dict(mail.fields)
        else:
            texts = (("text/plain", mail.text), ("text/html", mail.html))
            body["subject"] = mail.subject
            body["content"] = [{"type": kind, "value": value} for kind, value in texts if value]
        if mail.reply_to:
            body["reply_to"] = {"email": mail.reply_to}
        if options.get("tag"):
            body["categories"] = [options["tag"]]
        if options.get("unsubscribe_group") is not None:
            body["asm"] = {"group_id": options["unsubscribe_group"]}
        return body
