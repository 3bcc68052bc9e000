"""A shop with a workflow and a mail server, made once and copied for each test."""

from __future__ import annotations

import atexit
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from segctl.operations.apply import apply
from segctl.operations.consent.record import Said, record
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import open_session
from segctl.operations.workflow.workflow import Ran, run

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
PEOPLE = 6
PROJECT = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, tier: text, email: {type: text, personal: true}}\n"
    "events: {added: {}, bought: {}}\n"
    "purposes: {service: {basis: contract, channels: [email]}, news: {basis: consent, channels: [email]}}\n"
    "contact_points: {email: email}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land, email: mail}\n",
    "sources/web.yaml": "source: web\npath: web*.csv\nkey: {customer_id: nr}\n"
    "events: [{event: {column: event}, time: at, id: id}]\n",
    "crm.csv": "nr,land,mail\n" + "".join(f"{n},DE,p{n}@example.org\n" for n in range(PEOPLE)),
    "web.csv": "nr,event,at,id\n0,added,2026-06-01T10:00:00Z,a\n",
    "segments/full_cart.yaml": "segment: full_cart\nwhere: {event: added, within_last: 1 days}\n",
    "segments/gold.yaml": "segment: gold\nwhere: {trait: tier, equals: gold}\n",
    "content/hello.txt.j2": '---\nsubject: "Hello"\n---\nSome words that stand in a letter.\n',
    "workflows/cart.yaml": "workflow: cart\npurpose: service\ntrigger: {entered: full_cart}\nreentry: always\n"
    "exit: {bought: {event: bought}}\nsteps:\n- {mail: hello, to: mailer, name: first}\n- wait: 1 hours\n"
    "- {mail: hello, to: mailer, name: second}\n",
}


class Post:
    """A mail server that remembers what it took."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Message]] = []
        self.meanwhile: Callable[[], None] | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        self.taken += [(to, message_from_bytes(envelope.content)) for to in envelope.rcpt_tos]
        return "250 OK"


@dataclass
class Shop:
    """A project on disk."""

    folder: Path
    port: int
    post: Post = field(default_factory=Post)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text, "utf-8")

    def workflow(self, text: str) -> None:
        self.write("workflows/cart.yaml", f"workflow: cart\n{text}")

    def events(self, *rows: tuple[int, str, datetime], at: datetime | None = None) -> None:
        """Events arrive, and segments are evaluated."""
        number = len(list(self.folder.glob("web*.csv")))
        lines = [f"{nr},{event},{when.isoformat()},{number}-{n}\n" for n, (nr, event, when) in enumerate(rows)]
        self.write(f"web{number}.csv", "nr,event,at,id\n" + "".join(lines))
        self.ingest()
        if at is not None:
            self.apply(at)

    def ingest(self) -> None:
        with open_session(self.folder, create=True) as session:
            sources = sources_of(session.project)
            ingest(session.project, session.workspace, sources.values(), now=datetime.now(UTC))

    def apply(self, at: datetime) -> None:
        with open_session(self.folder) as session:
            apply(session, as_of=at, started=datetime.now(UTC))

    def run(self, at: datetime, *names: str) -> Ran:
        with open_session(self.folder) as session:
            return run(session, names, now=at)

    def says(self, nr: int, action: str, purpose: str | None = None) -> None:
        said = Said(action, purpose=purpose, proof="form", is_confirmed=action == "grant")
        with open_session(self.folder) as session:
            record(session, f"p{nr}@example.org", said, now=datetime.now(UTC))

    @property
    def mails(self) -> list[str]:
        """Who got a mail, in order."""
        return [to.partition("@")[0] for to, _ in self.post.taken]


def copied(folder: Path) -> Shop:
    """A shop of one's own, in an empty folder; its mail server is not started."""
    shutil.copytree(_template(), folder, dirs_exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    made = Shop(folder, port)
    made.write(
        "destinations/mailer.yaml",
        f'destination: mailer\nkind: smtp\npurposes: [service, news]\nhost: 127.0.0.1\nport: {port}\ntls: "off"\n'
        "sender: Shop <crm@shop.example>\nunsubscribe_url: https://shop.example/out\nidentify: {email: email}\n",
    )
    return made


@cache
def _template() -> Path:
    made = Path(mkdtemp(prefix="segctl-workflow-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    shop = Shop(made, 1)
    for name, text in PROJECT.items():
        shop.write(name, text)
    shop.write(
        "destinations/mailer.yaml",
        'destination: mailer\nkind: smtp\npurposes: [service, news]\nhost: 127.0.0.1\nport: 1\ntls: "off"\n'
        "sender: Shop <crm@shop.example>\nunsubscribe_url: https://shop.example/out\nidentify: {email: email}\n",
    )
    shop.ingest()
    shop.apply(NOON)
    shop.run(NOON)
    return made


def later(**length: float) -> datetime:
    """After noon."""
    return NOON + timedelta(**length)
