"""A day of the sample shop in a minute: tracked visits, an abandoned cart, a mail, an order; and two killed processes.

Everything is done by the commands a person would use, as processes of their own; this module plays the visitors, the
mail server and the power cut. The day is one after the sample data, on a virtual clock: the events' own times.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.cli.demo_mail import Inbox, mail_server, text_of
from segctl.model.dataclass import dataclass
from segctl.model.errors import IntegrityError, TemporaryError, UsageError

if TYPE_CHECKING:
    from email.message import EmailMessage

    from segctl.cli.context import Context

_MIDNIGHT = datetime(2026, 11, 18, 23, tzinfo=UTC)
"""First instant of the day, in Berlin the 19th of November."""
_SNEAKER = {"product_id": "SN-100", "category": "Sneaker", "price": 89.90}
_CAST = {
    "00005": "looks, puts sneakers into the cart, leaves",
    "00009": "the same",
    "00021": "the same, and orders in the afternoon",
    "00006": "the same; the workflow's control group",
    "00008": "the same; never consented to the newsletter",
    "00017": "the same; withdrew consent",
}
_BUYER = "00021"
_PASSER_BY = "00900"
_SOURCE = """# What tracking libraries send: `segctl help listen`.
source: site
kind: collector
collector:
  keys: {site: {env: SHOP_WRITE_KEY}}
tracking: segment
"""
_PATIENCE_S = 180.0
_LISTEN = "listen --bind 127.0.0.1:0"
_Event = tuple[str, str, datetime, Mapping[str, Any]]
"""Who, what, when, and its properties."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the day is played.

    Attributes:
        folder: Of the project.
        inbox: What the local mail server was given.
        variables: Environment of all processes.
        tracker: Client of the tracking library, which has no types.
    """

    ctx: Context
    folder: Path
    inbox: Inbox
    variables: Mapping[str, str]
    tracker: Any

    def tell(self, text: str) -> None:
        """One paragraph of the story."""
        output.write_text(self.ctx, f"\n{text}\n")

    def run(self, command: str, *, shows: int = 0) -> None:
        """A command from its begin to its end, with the last lines of what it writes.

        Raises:
            IntegrityError: It failed.
        """
        self.tell(f"$ segctl {command}")
        words = self._words(command)
        done = subprocess.run(words, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            raise IntegrityError(
                "SEG996", f"`segctl {command}` ended with {done.returncode}", why=done.stderr.strip()[-400:]
            )
        lines = done.stdout.strip().splitlines()
        if shows and lines:
            output.write_text(self.ctx, "\n".join(lines[-shows:]) + "\n")

    def begin(self, command: str) -> subprocess.Popen[str]:
        """A command that goes on beside the story."""
        self.tell(f"$ segctl {command} &")
        return subprocess.Popen(
            self._words(command),
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def changes(self) -> list[dict[str, Any]]:
        """What the stream has said of the segment of left carts."""
        path = self.folder / "changes.ndjson"
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [one for one in found if one["segment"] == "cart_abandoners"]

    @staticmethod
    def _words(command: str) -> list[str]:
        return [sys.executable, "-m", "segctl", *command.split(" "), "--plain", "--no-progress"]


def play(ctx: Context, folder: Path, variables: Mapping[str, str]) -> None:
    """The whole day, in a folder with the sample project.

    Raises:
        UsageError: The extra `live` is not installed.
        IntegrityError: Something happened twice or not at all.
    """
    environment = {**variables, "SHOP_WRITE_KEY": "wk_" + secrets.token_hex(20)}
    with mail_server() as (port, inbox):
        stage = Stage(ctx, folder, inbox, environment, _tracker())
        _prepare(stage, port)
        _morning(stage)
        _noon(stage)
        _afternoon(stage)
        _next_day(stage)
        judge(stage)


def _prepare(stage: Stage, port: int) -> None:
    (stage.folder / "sources" / "site.yaml").write_text(_SOURCE, "utf-8")
    mails = stage.folder / "destinations" / "shop_mails.yaml"
    mails.write_text(mails.read_text("utf-8").replace("port: 2525", f"port: {port}"), "utf-8")
    stage.tell("The shop as it was last night; sources/site.yaml takes what a tracking library sends.")
    for command in ("ingest", "consent import data/consents.csv", "suppress import data/bounces.csv"):
        stage.run(command)
    stage.run("apply --as-of 2026-11-18", shows=2)
    # Who is in the segment already began yesterday.
    stage.run("workflow run cart_recovery --as-of 2026-11-19T08:00:00+01:00")


def _morning(stage: Stage) -> None:
    stage.tell(
        "19 November\n10:00  Six people look at sneakers and put a pair into the cart, seen by Segment's own library."
    )
    collector = stage.begin(_LISTEN)
    looks = ((who, "Product Viewed", _at(10, at), _SNEAKER) for at, who in enumerate(_CAST))
    adds = (
        (who, "Product Added", _at(10, at + 1), {**_SNEAKER, "quantity": 1, "cart_id": f"live{at}"})
        for at, who in enumerate(_CAST)
    )
    _visits(stage, _url_of(collector), chain(looks, adds))
    collector.kill()
    collector.wait()
    stage.tell("       kill -9 of the collector, right after its last answer.")
    stage.tell("12:30  Somebody else looks at something. That is all the stream needs to know what time it is.")
    _collected(stage, (_PASSER_BY, "Product Viewed", _at(12, 30), _SNEAKER))


def _noon(stage: Stage) -> None:
    command = "stream --from collector --clock event --changes changes.ndjson"
    stream = stage.begin(command)
    _wait(lambda: bool(stage.changes()), "the stream says nothing", stream)
    stream.kill()
    stream.wait()
    stage.tell(f"       kill -9 of the stream after {len(stage.changes())} of its changes of `cart_abandoners`.")
    stage.run(f"{command} --once")
    for one in stage.changes():
        if one["profile"] in _CAST:
            at = datetime.fromisoformat(one["effective"]).astimezone(_MIDNIGHT.tzinfo) - _MIDNIGHT
            output.write_text(
                stage.ctx, f"       {_clock(at)}  {one['profile']} {one['change']} `{one['segment']}`: {one['cause']}\n"
            )
    stage.run("workflow run cart_recovery --as-of 2026-11-19T12:30:00+01:00", shows=6)
    ours = [mail for mail in stage.inbox.mails if _profile(mail) in _CAST]
    for mail in ours[:1]:
        stage.tell(f"       One of the mails, to {_profile(mail)}:\n\n{_quoted(mail['Subject'], text_of(mail))}")


def _afternoon(stage: Stage) -> None:
    stage.tell(f"15:00  {_BUYER} orders. That ends the journey.")
    order = {"order_id": "live-1", "revenue": 89.90, "currency": "EUR", "products": [{**_SNEAKER, "quantity": 1}]}
    _collected(stage, (_BUYER, "Order Completed", _at(15, 0), order))
    stage.run("stream --from collector --clock event --changes changes.ndjson --once")
    stage.run("workflow run cart_recovery --as-of 2026-11-19T15:05:00+01:00", shows=3)


def _next_day(stage: Stage) -> None:
    stage.tell("20 November\n12:45  A day later, those who did nothing are reminded once more.")
    _collected(stage, (_PASSER_BY, "Product Viewed", _at(36, 45), _SNEAKER))
    stage.run("stream --from collector --clock event --changes changes.ndjson --once")
    stage.run("workflow run cart_recovery --as-of 2026-11-20T12:45:00+01:00", shows=5)
    stage.run("workflow status cart_recovery", shows=24)


def judge(stage: Stage) -> None:
    """Nobody got anything twice, and nobody who should get none.

    Raises:
        IntegrityError: Somebody did.
    """
    mails = stage.inbox.mails
    ids = [str(mail["Message-ID"]) for mail in mails]
    # Carts of the night before are reminded of as well.
    told = sorted(who for mail in mails if (who := _profile(mail)) in _CAST)
    # One mail at noon for three people, a second one for the two that did not buy.
    wanted = sorted(["00005", "00009", _BUYER, "00005", "00009"])
    numbers = [one["seq"] for one in stage.changes()]
    if len(set(ids)) != len(ids) or told != wanted or len(set(numbers)) != len(numbers):
        raise IntegrityError(
            "SEG996", "the day did not end as it should", why=f"mails went to {', '.join(told)}, numbered {numbers}"
        )
    stage.tell("Two processes were killed on the way. What became of everybody:")
    for person, does in _CAST.items():
        output.write_text(stage.ctx, f"  {person}  mails: {told.count(person)}  {does}\n")


def _profile(mail: EmailMessage) -> str:
    return str(mail["List-Unsubscribe"]).rpartition("=")[2].rstrip(">")


def needed() -> None:
    """Looks for the packages of the extra `live`, before anything is written.

    Raises:
        UsageError: One is not installed.
    """
    _tracker()
    try:
        import aiosmtpd.controller  # noqa: F401 - only whether it is there
        import httptools  # noqa: F401 - likewise
    except ImportError as error:
        raise _lacking() from error


def _lacking() -> UsageError:
    return UsageError("SEG640", "`segctl demo --live` needs further packages", hint="pip install 'segctl[live]'")


# --- Visitors -------------------------------------------------------------------------------------------------
def _tracker() -> Any:  # noqa: ANN401 - a library without types
    try:
        from segment.analytics.client import Client
    except ImportError as error:
        raise _lacking() from error
    return Client


def _visits(stage: Stage, url: str, events: Iterable[_Event]) -> None:
    """Sends events with the tracking library; each is answered before the next."""
    client = stage.tracker(stage.variables["SHOP_WRITE_KEY"], host=url, sync_mode=True, timeout=10)
    for person, name, at, properties in events:
        client.track(person, name, dict(properties), timestamp=at)


def _collected(stage: Stage, *events: _Event) -> None:
    """The same through a collector of its own."""
    collector = stage.begin(_LISTEN)
    _visits(stage, _url_of(collector), events)
    collector.terminate()
    collector.wait(_PATIENCE_S)


def _at(hour: int, minute: int) -> datetime:
    return _MIDNIGHT + timedelta(hours=hour, minutes=minute)


def _clock(since_midnight: timedelta) -> str:
    minutes = int(since_midnight.total_seconds()) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


# --- Processes ------------------------------------------------------------------------------------------------
def _url_of(collector: subprocess.Popen[str]) -> str:
    """Where a collector says that it listens.

    Raises:
        TemporaryError: It ended before.
    """
    assert collector.stderr is not None
    said = ""
    for line in collector.stderr:
        said = line.strip()
        if "listening at " in line:
            return line.partition("listening at ")[2].split()[0]
    raise TemporaryError("SEG997", "the collector did not begin", why=said)


def _wait(is_so: Callable[[], bool], otherwise: str, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not is_so():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            said = "" if process.stderr is None else process.stderr.read()
            raise TemporaryError("SEG997", otherwise, why=said.strip()[-400:])
        time.sleep(0.02)


def _quoted(subject: str, text: str) -> str:
    return "\n".join(f"    | {line}" for line in (f"Subject: {subject}", "", *text.splitlines()))


def variables() -> dict[str, str]:
    """The environment of this process, without what would choose another project."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEGCTL_")}
