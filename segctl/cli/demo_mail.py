"""A mail server on this machine that keeps what it is given, for the demo."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from email.message import EmailMessage


class Inbox:
    """Every mail that arrived, in order.

    Attributes:
        meanwhile: What happens once, when a mail is kept and its sender was not yet told so.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.meanwhile: Callable[[], None] | None = None

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: ANN401, ARG002, N802 - the interface of the mail server
        """Keep a mail; the name is the mail server's."""
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return "250 kept"


@contextmanager
def mail_server() -> Iterator[tuple[int, Inbox]]:
    """A running server: its port and its inbox."""
    from aiosmtpd.controller import Controller

    inbox, port = Inbox(), free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, inbox
    finally:
        controller.stop()


def free_port() -> int:
    """A TCP port of this machine that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def text_of(mail: EmailMessage) -> str:
    """The plain part of a mail."""
    part = mail.get_body(("plain",))
    return "" if part is None else str(part.get_content()).strip()
