"""SMTP: everybody who enters an audience gets one mail, through a mail server of one's own.

Each mail has one recipient and a way to unsubscribe with one click. A mail that was sent cannot be taken back, so
nobody is ever taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    Member,
    Message,
    NotNowError,
    Recorded,
    Remote,
    Row,
    Sent,
    Trouble,
)
from segctl.connectors.destinations.clients import CA_BUNDLE
from segctl.connectors.destinations.smtp_message import Letter, mail, recipient
from segctl.connectors.destinations.smtp_server import opened, wrong
from segctl.connectors.http.reasons import without_people
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import SegctlError

if TYPE_CHECKING:
    import smtplib

MOST_ROWS = 50
ABILITIES = Abilities(
    identifiers=("email",),
    channel="email",
    batch_rows=MOST_ROWS,
    recipient="esp",
    modes=("add",),
    # Nobody is kept there, so whoever withdraws is out as soon as the ledger forgets them.
    removal="leave",
    # A second mail is a second mail, whatever its Message-ID says.
    is_repeatable=False,
    takes_messages=True,
)
OPTIONS = (
    Option("host", "text", "of the mail server", required=True),
    Option("port", "integer", "587 for starttls, 465 for tls, where it is not given"),
    Option("tls", "choice", "how the connection is made safe; `off` is for this machine alone", default="starttls",
           choices=("starttls", "tls", "off")),
    CA_BUNDLE,
    Option("user", "text", "that logs in"),
    Option("password", "secret", "of the user"),
    Option("sender", "text", "who writes, such as `Shop <news@shop.example>`", required=True),
    Option("reply_to", "text", "where answers go"),
    Option("subject", "text", "with `{first_name}` and other names of `fields` in it; not for workflows alone"),
    Option("body", "text", "file with the text, relative to the project; with `{names}` likewise"),
    Option("html", "text", "file with the same as HTML; values are escaped"),
    Option("letters", "mapping", "segment: {subject, body, html} where it gets another mail"),
    Option("unsubscribe_url", "url", "https address that unsubscribes at one click, with `{names}` in it"),
    Option("unsubscribe_mailto", "text", "address that unsubscribes who writes to it"),
    Option("per_minute", "integer", "at most so many mails"),
    Option("timeout_s", "integer", "seconds to wait for an answer", default=60),
)  # fmt: skip
_CLOSING = 421


def connect(destination: Destination, around: Around) -> Mailer:
    """Its connector."""
    return Mailer(destination, around)


class Mailer:
    """One mail server."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        self.name = destination.name
        self._server: smtplib.SMTP | None = None
        self._letters: dict[str, Letter] = {}
        self._tls = str(self.options.get("tls", "starttls"))

    def check(self) -> tuple[Probe, ...]:
        """Connects, logs in and says goodbye; no mail is begun."""
        try:
            if self.options.get("body") or self.options.get("letters"):
                self._letter(next((segment for segment, _ in self.destination.audiences), ""))
            server = self._connected()
            server.noop()
        except SegctlError as error:
            detail = error.message if error.why is None else f"{error.message}: {error.why}"
            return (Probe("reachable", "problem", detail, error.hint),)
        except NotNowError as error:
            return (Probe("reachable", "problem", error.reason, "check host, port and network"),)
        finally:
            self.close()
        login = "logged in" if self.options.get("user") else "no login is declared"
        return (
            Probe("reachable", "ok", f"{self.options['host']} answered"),
            Probe("tls", "ok" if self._tls != "off" else "note", self._tls),
            Probe("credentials", "ok", login),
        )

    def audience(self, segment: str, name: str) -> str:
        """The name itself; the mail must be there and ask for nothing that nobody has."""
        letter = self._letter(segment)
        known = {"email", *(there for there, _ in self.destination.fields), *dict(self.destination.identify)}
        unknown = sorted(letter.words - known)
        if unknown:
            hint = f"name it under `fields`: `fields: {{{unknown[0]}: TRAIT}}`"
            raise wrong(
                self.destination.name, f"the mail to `{segment}` wants `{{{unknown[0]}}}`, which is no field", hint
            )
        return name

    def send(self, batch: Batch) -> Sent:
        """A mail to each; an update or a removal sends nothing."""
        if batch.action != "add":
            return Sent()
        letter = self._letter(batch.segment) if batch.message is None else self._told(batch.message)
        if self.around.record is not None:
            for row in batch.rows:
                self._record(letter, row, batch)
            return Sent()
        troubles: dict[str, Trouble] = {}
        for place, row in enumerate(batch.rows):
            try:
                found = self._send(letter, row, batch)
            except NotNowError as error:
                if place == 0:
                    raise
                rest = Trouble("rejected", error.reason, "not_now")
                return Sent(troubles | {later.key: rest for later in batch.rows[place:]})
            if found is not None:
                troubles[row.key] = found
        return Sent(troubles)

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - what every connector is asked
        """Nothing goes on that could be asked for."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The address."""
        return {"email": row.identifiers["email"]} if "email" in row.identifiers else {}

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - what every connector is asked
        """Nobody: a mail server keeps no lists."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """None: a mail server keeps no lists."""
        return iter(())

    def close(self) -> None:
        """Says goodbye."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(Exception):
                server.quit()
            server.close()

    # --- One mail ----------------------------------------------------------------------------------------------
    def _send(self, letter: Letter, row: Row, batch: Batch) -> Trouble | None:
        """What is wrong with one mail, None when the server has taken it."""
        import smtplib

        server = self._connected()
        takes_utf8 = server.has_extn("smtputf8")
        address = recipient(row.identifiers.get("email", ""), takes_utf8=takes_utf8)
        if address is None:
            return Trouble("invalid", "the address is none that this server takes", "address")
        try:
            message = mail(letter, row, batch, address)
        except ValueError:
            return Trouble("invalid", "a value holds a line break, which would end a header", "header")
        options = ["SMTPUTF8"] if takes_utf8 and not address.isascii() else []
        try:
            self._answered(server.mail(letter.sender_address, options), "sender")
            code, words = server.rcpt(address)
            if code not in (250, 251):
                server.rset()
                return self._refused(code, words, row)
            return self._data(server, message.as_bytes(), row)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.close()
            raise NotNowError(f"the mail server broke off: {type(error).__name__}") from None
        finally:
            self._keep_pace()

    def _data(self, server: smtplib.SMTP, content: bytes, row: Row) -> Trouble | None:
        """Sends the content; when the connection breaks here nobody knows whether it was taken."""
        import smtplib

        try:
            code, words = server.data(content)
        except smtplib.SMTPDataError as error:
            server.rset()
            return self._refused(error.smtp_code, error.smtp_error, row)
        except (smtplib.SMTPServerDisconnected, OSError):
            self.close()
            return Trouble("unknown", "the connection broke after the mail was sent, before it was acknowledged")
        return None if code == 250 else self._refused(code, words, row)

    def _refused(self, code: int, words: object, row: Row) -> Trouble:
        """A refusal of one recipient or mail: 4xx may pass, 5xx never."""
        said = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
        if code == _CLOSING:
            self.close()
        reason = without_people(" ".join(said.split()), (row,))[:200]
        return Trouble("rejected" if code < 500 else "invalid", f"answered {code}: {reason}", str(code))

    def _answered(self, answer: tuple[int, bytes], what: str) -> None:
        """Goes on after a success.

        Raises:
            NotNowError: 4xx.
            UsageError: 5xx: it would be refused for everybody.
        """
        code, words = answer
        if code < 400:
            return
        self.close()
        said = without_people(" ".join(words.decode(errors="replace").split()))[:200]
        if code < 500:
            raise NotNowError(f"answered {code}: {said}")
        raise wrong(
            self.destination.name,
            f"the server refuses the {what} ({code})",
            f"look at `{what}`; the server says: {said}",
        )

    def _record(self, letter: Letter, row: Row, batch: Batch) -> None:
        assert self.around.record is not None
        address = recipient(row.identifiers.get("email", ""), takes_utf8=True) or ""
        try:
            content = mail(letter, row, batch, address).as_string()
        except ValueError:
            content = "(not sent: a value holds a line break, which would end a header)"
        what = f"MAIL FROM:<{letter.sender_address}> RCPT TO:<{address}>"
        pace = self.options.get("per_minute")
        self.around.record(Recorded(what, content, 1, pace_s=60 / pace if pace else 0.0))

    # --- Texts -------------------------------------------------------------------------------------------------
    def _letter(self, segment: str) -> Letter:
        if segment not in self._letters:
            options = self.options
            own: Mapping[str, Any] = (options.get("letters") or {}).get(segment) or {}
            chosen = {key: own.get(key, options.get(key)) for key in ("subject", "body", "html")}
            for key in ("subject", "body"):
                if chosen[key] is None:
                    raise wrong(self.destination.name, f"`{key}` is missing", f"only workflows do without: add `{key}`")
            if not (options.get("unsubscribe_url") or options.get("unsubscribe_mailto")):
                raise wrong(
                    self.destination.name, "there is no way to unsubscribe", "write `unsubscribe_url: https://…`"
                )
            letter = Letter(
                options["sender"],
                chosen["subject"],
                self._text(chosen["body"]),
                None if chosen["html"] is None else self._text(chosen["html"]),
                options.get("reply_to"),
                options.get("unsubscribe_url"),
                options.get("unsubscribe_mailto"),
            )
            if "@" not in letter.sender_address or any(sign in letter.sender + letter.subject for sign in "\r\n"):
                raise wrong(
                    self.destination.name, "`sender` or `subject` cannot stand in a header", "one line, and an address"
                )
            self._letters[segment] = letter
        return self._letters[segment]

    def _told(self, message: Message) -> Letter:
        """A letter whose texts are made already, so that no brace in them is taken for a name."""
        options = self.options
        url = message.unsubscribe_url or options.get("unsubscribe_url")
        if not (url or options.get("unsubscribe_mailto")):
            raise wrong(self.destination.name, "there is no way to unsubscribe", "write `unsubscribe_url: https://…`")
        subject = " ".join(message.subject.split())
        return Letter(
            options["sender"], subject, message.text, message.html, options.get("reply_to"), url,
            options.get("unsubscribe_mailto"), is_filled=True,
        )  # fmt: skip

    def _text(self, name: str) -> str:
        try:
            return (self.around.root / Path(name)).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise wrong(
                self.destination.name, f"the text `{name}` cannot be read", "the path is relative to the project"
            ) from None

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = opened(self.destination, self.around)
        return self._server

    def _keep_pace(self) -> None:
        pace = self.options.get("per_minute")
        if pace:
            self.around.sleep(60 / pace)
