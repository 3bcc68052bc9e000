"""Mails through a service's own interface, one for each person: what SendGrid's and Brevo's have in common.

A workflow sends what it has written (`Batch.message`); a push sends a template that is kept at the service. As with a
mail server nobody is kept there, so an update or a removal tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import quote

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import Abilities, Around, Batch, Member, Remote, Row, Sent, Trouble
from segctl.connectors.destinations.mailing import Json
from segctl.connectors.destinations.smtp_message import filled, recipient
from segctl.connectors.destinations.values import text
from segctl.model.dataclass import dataclass
from segctl.model.destinations import Destination, Option

if TYPE_CHECKING:
    from segctl.connectors.http.client import Client

MOST_ROWS = 50
ABILITIES = Abilities(
    identifiers=("email",),
    channel="email",
    batch_rows=MOST_ROWS,
    recipient="esp",
    modes=("add",),
    removal="leave",
    # A second mail is a second mail, however long a service remembers a key.
    is_repeatable=False,
    takes_messages=True,
)
OPTIONS = (
    Option("sender", "text", "who writes, such as `Shop <news@shop.example>`; a sender that the service knows",
           required=True),
    Option("reply_to", "text", "where answers go"),
    Option("unsubscribe_url", "url", "https address that unsubscribes at one click, with `{names}` in it"),
    Option("unsubscribe_mailto", "text", "address that unsubscribes who writes to it"),
    Option("tag", "text", "put on every mail, for the service's statistics"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mail:
    """What one person is sent.

    Attributes:
        to: Address, in letters that every server takes.
        subject: None where a template of the service has its own, as `text` and `html`.
        headers: Ways to unsubscribe.
        fields: For a template: identifiers and fields of the person.
        key: The same on every try.
    """

    to: str
    sender: str
    sender_name: str
    reply_to: str | None
    subject: str | None
    text: str | None
    html: str | None
    headers: Mapping[str, str]
    fields: Mapping[str, str]
    key: str


class Transactional:
    """One account of a service.

    Args:
        destination: As declared.
        around: What is known of the world.
        client: Speaks to the service.
        path: That takes a mail.
        body: A mail as the service wants it.
    """

    def __init__(
        self, destination: Destination, around: Around, client: Client, path: str, body: Callable[[Mail], Json]
    ) -> None:
        self.destination, self.around, self.options, self.client = destination, around, destination.options, client
        self._path, self._body = path, body
        self.sender_name, self.sender = parseaddr(str(self.options["sender"]))
        if "@" not in self.sender:
            raise mailing.unfit(destination.name, "sender", "it holds no address", "write `sender: Shop <news@…>`")

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """The name itself: nobody is kept there."""
        if not self.options.get("template"):
            hint = "name the template that a push sends: `template: ID`; workflows bring their own texts"
            raise mailing.unfit(self.destination.name, "template", "a push has no text of its own", hint)
        return name

    def send(self, batch: Batch) -> Sent:
        """A mail to each; an update or a removal sends nothing."""
        if batch.action != "add":
            return Sent()
        return mailing.one_by_one(batch.rows, lambda row: self._send(batch, row))

    def _send(self, batch: Batch, row: Row) -> Trouble | str | None:
        address = recipient(row.identifiers.get("email", ""), takes_utf8=False)
        if address is None:
            return Trouble("invalid", "the address is none that the service takes", "address")
        self.client.request("POST", self._path, json=self._body(self._mail(batch, row, address)), rows=(row,))
        return None

    def _mail(self, batch: Batch, row: Row, address: str) -> Mail:
        message = batch.message
        values = {**{name: text(value) for name, value in row.fields.items()}, **row.identifiers}
        url = None if message is None else message.unsubscribe_url
        own = self.options.get("unsubscribe_url")
        if url is None and own:
            url = filled(str(own), {name: quote(value, safe="") for name, value in values.items()})
        return Mail(
            to=address,
            sender=self.sender,
            sender_name=self.sender_name,
            reply_to=self.options.get("reply_to"),
            subject=None if message is None else " ".join(message.subject.split()),
            text=None if message is None else message.text,
            html=None if message is None else message.html,
            headers=self._ways(url),
            fields=values,
            key=f"{batch.id}:{row.key}",
        )

    def _ways(self, url: str | None) -> dict[str, str]:
        """Headers that let somebody unsubscribe with one click (RFC 8058).

        Raises:
            UsageError: There is no way.
        """
        mailto = self.options.get("unsubscribe_mailto")
        ways = [f"<{url}>"] if url else []
        ways += [f"<mailto:{mailto}>"] if mailto else []
        if not ways:
            hint = "write `unsubscribe_url: https://…`"
            raise mailing.unfit(self.destination.name, "unsubscribe_url", "there is no way to unsubscribe", hint)
        once = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url else {}
        return {"List-Unsubscribe": ", ".join(ways), **once}

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - what every connector is asked
        """Nothing goes on that could be asked for."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The address."""
        return {"email": row.identifiers["email"]} if "email" in row.identifiers else {}

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - what every connector is asked
        """Nobody: no lists are kept."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """None: no lists are kept."""
        return iter(())

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()


def person(address: str, name: str) -> Json:
    """Somebody as services write them."""
    return {"email": address, "name": name} if name else {"email": address}
