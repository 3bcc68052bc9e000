"""A day of the sample shop in a minute: tracked visits, an abandoned cart, a mail, an order; three killed processes.

Everything is done by the commands a person would use, as processes of their own; this module plays the visitors, the
mail server and the power cut. The day is one after the sample data, on a virtual clock: the events' own times.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.cli.demo_judge import Visitor, faults, past_of, profile_of
from segctl.cli.demo_mail import Inbox, mail_server, text_of
from segctl.model.dataclass import dataclass
from segctl.model.errors import IntegrityError, TemporaryError, UsageError

if TYPE_CHECKING:
    from segctl.cli.context import Context

_MIDNIGHT = datetime(2026, 11, 18, 23, tzinfo=UTC)
"""First instant of the day, in Berlin the 19th of November."""
_SNEAKER = {"product_id": "SN-100", "category": "Sneaker", "price": 89.90}
_BAG = {"product_id": "TA-100", "category": "Taschen", "price": 129.00}
_BUYER = "00021"
CAST = (
    Visitor("00005", (_SNEAKER,), "looks, puts sneakers into the cart, leaves", 2),
    Visitor("00009", (_BAG,), "the same with a bag", 2),
    Visitor(_BUYER, (_SNEAKER, _BAG), "the same with both, and orders in the afternoon", 1),
    Visitor("00006", (_SNEAKER,), "the same; the workflow's control group", 0),
    Visitor("00008", (_SNEAKER,), "the same; never consented to the newsletter", 0),
    Visitor("00017", (_BAG,), "the same; withdrew consent", 0),
)
_NAMES = frozenset(one.profile for one in CAST)
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
_STREAM = "stream --from collector --clock event --changes changes.ndjson"
_RUN, _DAY = "workflow run cart_recovery", "2026-11-19"
_EXPECTED = (0, 3, 5)
"""Some of the sample's rows are refused on purpose; and of a mail nobody knows for a while whether it arrived."""
_KILLED = -signal.SIGKILL
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
        if done.returncode not in _EXPECTED:
            raise IntegrityError(
                "SEG996", f"`segctl {command}` ended with {done.returncode}", why=done.stderr.strip()[-400:]
            )
        lines = done.stdout.strip().splitlines()
        if shows and lines:
            output.write_text(self.ctx, "\n".join(lines[-shows:]) + "\n")

    @contextmanager
    def going(self, command: str) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on beside the story, and is told to end with it."""
        self.tell(f"$ segctl {command} &")
        process = subprocess.Popen(
            self._words(command),
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
            process.terminate()
            process.communicate(timeout=_PATIENCE_S)
        finally:
            process.kill()
            process.wait()

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
        with stage.going(_LISTEN) as collector:
            url = _url_of(collector)
            _noon(stage, url)
            with stage.going(_STREAM) as stream:
                _mails(stage, stream)
                _afternoon(stage, stream, url)
            _next_day(stage)
        judge(stage)


def _prepare(stage: Stage, port: int) -> None:
    (stage.folder / "sources" / "site.yaml").write_text(_SOURCE, "utf-8")
    mails = stage.folder / "destinations" / "shop_mails.yaml"
    mails.write_text(mails.read_text("utf-8").replace("port: 2525", f"port: {port}"), "utf-8")
    stage.tell("The shop as it was this morning; sources/site.yaml takes what a tracking library sends.")
    for command in ("ingest", "consent import data/consents.csv", "suppress import data/bounces.csv"):
        stage.run(command)
    stage.run(f"apply --as-of {_DAY}T09:55:00+01:00", shows=2)
    # Who is in the segment already has been in it since before the workflow began.
    stage.run(f"{_RUN} --as-of {_DAY}T09:55:00+01:00")


def _morning(stage: Stage) -> None:
    stage.tell(
        "19 November\n10:00  Six people look at things and put them into the cart, seen by Segment's own library."
    )
    with stage.going(_LISTEN) as collector:
        _visits(stage, _url_of(collector), chain.from_iterable(_looks(at, one) for at, one in enumerate(CAST)))
        collector.kill()
        stage.tell("       kill -9 of the collector, right after its last answer.")


def _looks(at: int, one: Visitor) -> Iterator[_Event]:
    for number, product in enumerate(one.cart):
        yield one.profile, "Product Viewed", _at(10, at + number), product
        added = {**product, "quantity": 1, "cart_id": f"live{at}"}
        yield one.profile, "Product Added", _at(10, at + number + 1), added


def _noon(stage: Stage, url: str) -> None:
    stage.tell("12:03  Somebody else looks at something. That is all the stream needs to know what time it is.")
    _visits(stage, url, [(_PASSER_BY, "Product Viewed", _at(12, 3), _SNEAKER)])
    with stage.going(_STREAM) as stream:
        _wait(lambda: bool(stage.changes()), "the stream says nothing", stream)
        stream.kill()
        said = len(stage.changes())
        stage.tell(f"       kill -9 of the stream after {said} of its changes of `cart_abandoners`.")
    stage.tell("12:30  And once more.")
    _visits(stage, url, [(_PASSER_BY, "Product Viewed", _at(12, 30), _BAG)])


def _mails(stage: Stage, stream: subprocess.Popen[str]) -> None:
    _wait(lambda: _moved(stage, "entered") >= _NAMES, "the stream does not say who left a cart", stream)
    for one in stage.changes():
        if one["profile"] in _NAMES:
            at = datetime.fromisoformat(one["effective"]).astimezone(_MIDNIGHT.tzinfo) - _MIDNIGHT
            output.write_text(
                stage.ctx, f"       {_clock(at)}  {one['profile']} {one['change']} `{one['segment']}`: {one['cause']}\n"
            )
    run = f"{_RUN} --as-of {_DAY}T12:30:00+01:00"
    _cut_short(stage, run)
    stage.run(run, shows=7)
    key = str(stage.inbox.mails[0]["Message-ID"]).strip("<>").partition("@")[0]
    stage.tell(
        "       One mail had been handed over when the run was killed. Nobody knows whether it arrived, so it is not\n"
        "       sent again. The mail server's log has it: its Message-ID is the key that `workflow status` shows."
    )
    stage.run(f"workflow resolve {key} --sent")
    for mail in [one for one in stage.inbox.mails if profile_of(one) == _BUYER][:1]:
        stage.tell(f"       One of the mails, to {_BUYER}:\n\n{_quoted(mail['Subject'], text_of(mail))}")


def _cut_short(stage: Stage, command: str) -> None:
    """A run that is killed when the server has its first mail, and has not answered yet."""
    with stage.going(command) as process:
        stage.inbox.meanwhile = process.kill
        said = process.communicate(timeout=_PATIENCE_S)[1]
    if process.returncode != _KILLED:
        raise IntegrityError("SEG996", f"`segctl {command}` sent no mail", why=said.strip()[-400:])
    stage.tell("       kill -9 of the run, which has sent its first mail and was not told yet that it arrived.")


def _afternoon(stage: Stage, stream: subprocess.Popen[str], url: str) -> None:
    stage.tell(f"15:00  {_BUYER} orders. That ends the journey.")
    cart = next(one.cart for one in CAST if one.profile == _BUYER)
    order = {
        "order_id": "live-1", "revenue": sum(product["price"] for product in cart), "currency": "EUR",
        "products": [{**product, "quantity": 1} for product in cart],
    }  # fmt: skip
    _visits(stage, url, [(_BUYER, "Order Completed", _at(15, 0), order)])
    _wait(lambda: _BUYER in _moved(stage, "left"), "the stream does not see the order", stream)
    stage.run(f"{_RUN} --as-of {_DAY}T15:05:00+01:00", shows=3)


def _next_day(stage: Stage) -> None:
    stage.tell("20 November\n12:45  A day later, those who did nothing are reminded once more.")
    stage.run(f"{_RUN} --as-of 2026-11-20T12:45:00+01:00", shows=5)
    stage.run("workflow status cart_recovery", shows=24)


def _moved(stage: Stage, change: str) -> set[str]:
    return {one["profile"] for one in stage.changes() if one["change"] == change}


def judge(stage: Stage) -> None:
    """Nobody got anything twice, nobody who should get none, and every mail shows what the person had in the cart.

    Raises:
        IntegrityError: One of these is not so.
    """
    mails, numbers = stage.inbox.mails, [one["seq"] for one in stage.changes()]
    wrong = list(faults(mails, CAST, past_of(stage.folder / "data", _NAMES), numbers))
    if wrong:
        raise IntegrityError("SEG996", "the day did not end as it should", why="; ".join(wrong))
    stage.tell("Three processes were killed on the way. What became of everybody:")
    for one in CAST:
        output.write_text(stage.ctx, f"  {one.profile}  mails: {one.mails}  {one.does}\n")


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
