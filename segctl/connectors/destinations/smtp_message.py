"""One mail for one person: texts filled in, headers that nobody can break out of, a way to unsubscribe."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from unicodedata import normalize

from segctl.connectors.destinations.base import Batch, Row
from segctl.connectors.destinations.values import text
from segctl.model.dataclass import dataclass

_WORD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>,;:\"()\[\]\\@]+@[^\s\x00-\x1f\x7f<>,;:\"()\[\]\\@]+\Z")


@dataclass(frozen=True, slots=True)
class Letter:
    """What everybody in an audience gets; ``{name}`` is filled with a field or identifier of the person.

    Attributes:
        sender: As in the header `From`.
        html: None for a mail of text alone.
        unsubscribe_url: Https; who clicks it is asked nothing more (RFC 8058).
        is_filled: Texts are of one person already and hold no names any more; the address to unsubscribe may.
    """

    sender: str
    subject: str
    body: str
    html: str | None = None
    reply_to: str | None = None
    unsubscribe_url: str | None = None
    unsubscribe_mailto: str | None = None
    is_filled: bool = False

    @property
    def words(self) -> frozenset[str]:
        """Names that the texts want."""
        parts = (self.subject, self.body, self.html or "", self.unsubscribe_url or "")
        return frozenset(name for part in parts for name in _WORD.findall(part))

    @property
    def sender_address(self) -> str:
        """The address alone."""
        return parseaddr(self.sender)[1]


def mail(letter: Letter, row: Row, batch: Batch, address: str) -> EmailMessage:
    """The mail to one person.

    Raises:
        ValueError: A value would break out of its header.
    """
    values = {**{name: text(value) for name, value in row.fields.items()}, **row.identifiers}
    message = EmailMessage(policy=SMTP)
    message["From"] = letter.sender
    message["To"] = address
    message["Subject"] = _body(letter, letter.subject, values)
    message["Date"] = format_datetime(batch.at)
    message["Message-ID"] = message_id(row, batch, letter.sender_address.rpartition("@")[2])
    if letter.reply_to is not None:
        message["Reply-To"] = letter.reply_to
    ways = []
    if letter.unsubscribe_url is not None:
        ways.append(f"<{filled(letter.unsubscribe_url, _quoted(values))}>")
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if letter.unsubscribe_mailto is not None:
        ways.append(f"<mailto:{letter.unsubscribe_mailto}>")
    message["List-Unsubscribe"] = ", ".join(ways)
    message.set_content(_body(letter, letter.body, values), cte="quoted-printable")
    if letter.html is not None:
        safe = {name: html.escape(value) for name, value in values.items()}
        message.add_alternative(_body(letter, letter.html, safe), subtype="html", cte="quoted-printable")
    return message


def _body(letter: Letter, template: str, values: Mapping[str, str]) -> str:
    return template if letter.is_filled else filled(template, values)


def message_id(row: Row, batch: Batch, domain: str) -> str:
    """The same for the same person, audience and push, so that a mail can be recognised if it comes twice.

    The mail of a workflow is called by the key of its effect, by which `segctl workflow status` lists it.
    """
    if "workflow" in batch.context and len(batch.rows) == 1:
        return f"<{batch.id}@{domain}>"
    push = batch.context.get("push", batch.id)
    name = f"{push}\n{batch.segment}\n{batch.audience}\n{row.key}"
    return f"<{hashlib.sha256(name.encode()).hexdigest()[:32]}@{domain}>"


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with the values of its words; what is not there is left out."""
    return _WORD.sub(lambda found: values.get(found[1], ""), template)


def recipient(address: str, *, takes_utf8: bool) -> str | None:
    """An address as the server takes it, None when it cannot be one.

    >>> recipient("a@bücher.example", takes_utf8=False)
    'a@xn--bcher-kva.example'
    """
    if not _ADDRESS.match(address):
        return None
    if address.isascii() or takes_utf8:
        return address
    name, _, domain = address.rpartition("@")
    try:
        return f"{name}@{'.'.join(map(_ascii_label, domain.split('.')))}" if name.isascii() else None
    except UnicodeError:
        return None


def _ascii_label(label: str) -> str:
    """Python's own codec takes `ß` for `ss`, which leads to somebody else's domain since 2010 (RFC 5891)."""
    kept = normalize("NFKC", label.lower())
    if not {"ß", "ς"} & set(kept):
        return label.encode("idna").decode()
    if not kept.replace("-", "").isalnum():
        raise UnicodeError
    return f"xn--{kept.encode('punycode').decode()}"


def _quoted(values: Mapping[str, str]) -> dict[str, str]:
    from urllib.parse import quote

    return {name: quote(value, safe="") for name, value in values.items()}
