"""The shop's segments reach a file, a table, a PostgreSQL server and a webhook, and stay right."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import json
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from end_to_end.program import document, ok, run

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "connectors" / "sources"))
import postgres

KEY = b"a secret of thirty-two bytes: it"
SECRETS = {"CAMPAIGN_HOOKS_SECRET": "whsec_" + base64.b64encode(KEY).decode(), "CRM_PASSWORD": postgres.PASSWORD}
STEPS = ("members", "identifier", "consent", "suppression", "cap", "holdout", "priority", "change", "accepted")
TABLE = """
destination: {name}
kind: sql
purposes: [newsletter]
url: {url}
identify: {{email: email}}
fields: {{vorname: first_name, punkte: points}}
types: {{punkte: integer}}
"""


class Receiver:
    """Keeps what it is told, and checks signatures as Standard Webhooks describes them, without segctl's own code."""

    def __init__(self) -> None:
        self.there: dict[str, set[str]] = {}
        self.messages: dict[str, str] = {}
        self.forged: list[str] = []
        self.meanwhile: Callable[[dict[str, Any]], None] = lambda told: None

    def take(self, headers: Any, body: bytes) -> int:
        name, at = headers["webhook-id"], headers["webhook-timestamp"]
        wanted = base64.b64encode(hmac.new(KEY, b".".join((name.encode(), at.encode(), body)), hashlib.sha256).digest())
        if f"v1,{wanted.decode()}" not in headers["webhook-signature"].split(" "):
            self.forged.append(name)
            return 401
        told = json.loads(body)
        people = {one["identifiers"]["email"] for one in told["data"]["people"]}
        members = self.there.setdefault(told["data"]["audience"], set())
        members.difference_update(people) if told["type"] == "segment.left" else members.update(people)
        self.messages[name] = told["type"]
        self.meanwhile(told)
        return 204


@contextmanager
def serving(receiver: Receiver) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = receiver.take(self.headers, self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/segments"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with one run and what people have agreed to; each test takes a copy."""
    folder = tmp_path_factory.mktemp("evaluated")
    ok("init", ".", "--template", "shop", cwd=folder)
    ok("ingest", "customers", "orders", "mailings", cwd=folder)
    ok("apply", "-s", "winback newsletter_readers", "--as-of", "2026-11-18", cwd=folder)
    consents = run("consent", "import", "data/consents.csv", "-f", "json", cwd=folder)
    assert consents.returncode == 3, consents.stderr
    ok("suppress", "import", "data/bounces.csv", cwd=folder)
    return folder


@pytest.fixture
def shop(evaluated: Path, tmp_path: Path) -> Path:
    shutil.copytree(evaluated, tmp_path / "shop")
    return tmp_path / "shop"


def sent_to(shop: Path, segment: str, *names: str) -> None:
    """Write where a segment goes."""
    path = shop / "segments" / f"{segment}.yaml"
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("send_to:")]
    path.write_text("\n".join([*lines, *([f"send_to: [{', '.join(names)}]"] if names else [])]) + "\n", "utf-8")


def hooked(shop: Path, url: str) -> None:
    """Write the receiver's address into the declaration that the shop comes with."""
    path = shop / "destinations" / "campaign_hooks.yaml"
    lines = [f"url: {url}" if line.startswith("url:") else line for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join([*lines, "allow_private: true"]) + "\n", "utf-8")


def pushed(shop: Path, *arguments: str) -> Any:
    done = run("push", *arguments, "-f", "json", cwd=shop, **SECRETS)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def counts(result: Any, to: str, segment: str = "winback") -> dict[str, Any]:
    return next(row for row in result["data"] if (row["destination"], row["segment"]) == (to, segment))


def in_files(shop: Path, folder: str = "Rückgewinnung") -> set[str]:
    newest = max((shop / "out" / "mailing_files" / folder).glob("*.csv"))
    with newest.open(encoding="utf-8-sig", newline="") as stream:
        return {row["email"] for row in csv.DictReader(stream, delimiter=";")}


def in_sqlite(shop: Path, segment: str = "winback") -> set[str]:
    with closing(sqlite3.connect(shop / "crm.db")) as base:
        return {one for (one,) in base.execute("SELECT email FROM segment_members WHERE segment = ?", (segment,))}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: `apt install postgresql`)")
    with postgres.server(programs) as url:
        yield url


def test_a_plan_shows_the_waterfall_and_a_push_delivers_it_everywhere(shop: Path) -> None:
    receiver = Receiver()
    with serving(receiver) as url:
        hooked(shop, url)
        (shop / "destinations" / "crm.yaml").write_text(TABLE.format(name="crm", url="sqlite:///crm.db"), "utf-8")
        sent_to(shop, "winback", "mailing_files", "crm", "campaign_hooks")

        plan = document("plan", "winback", "--as-of", "2026-11-18", cwd=shop)
        first = pushed(shop, "winback")
        again = pushed(shop, "winback")

    planned = {row["destination"]: row for row in plan["sections"]["waterfall"]}
    assert planned.keys() == {"mailing_files", "crm", "campaign_hooks"}
    people = in_files(shop)
    assert len(people) == planned["crm"]["change"] == counts(first, "crm")["added"] > 40
    assert people == in_sqlite(shop) == receiver.there["winback"]
    assert receiver.forged == []
    left = [planned["crm"][step] for step in STEPS[:-1]]
    assert left == sorted(left, reverse=True)
    assert left[0] > left[2] > left[3]
    assert all(row["added"] == row["removed"] == row["calls"] == 0 for row in again["data"])


def test_a_real_server_holds_what_the_file_holds(shop: Path, server: str) -> None:
    import sqlalchemy as sa

    plain = server.replace("+pg8000", "").replace(f":{postgres.PASSWORD}@", "@")
    text = TABLE.format(name="crm", url=plain) + "password: {env: CRM_PASSWORD}\n"
    (shop / "destinations" / "crm.yaml").write_text(text, "utf-8")
    sent_to(shop, "winback", "mailing_files", "crm")

    pushed(shop, "winback")

    engine = sa.create_engine(server)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT email, segment, punkte FROM segment_members")).all()
    engine.dispose()
    assert {email for email, _, _ in rows} == in_files(shop)
    assert {segment for _, segment, _ in rows} == {"winback"}
    assert any(isinstance(points, int) for _, _, points in rows)


def test_who_withdraws_while_a_push_is_under_way_is_out_at_its_end(shop: Path) -> None:
    receiver, gone = Receiver(), []

    def withdraw(told: dict[str, Any]) -> None:
        if not gone:
            gone.append(told["data"]["people"][0]["identifiers"]["email"])
            done = run("consent", "withdraw", "-", cwd=shop, stdin=f"{gone[0]}\n")
            assert done.returncode == 0, done.stderr

    receiver.meanwhile = withdraw
    with serving(receiver) as url:
        hooked(shop, url)
        sent_to(shop, "winback", "campaign_hooks")
        told = run("push", "winback", "-f", "json", cwd=shop, **SECRETS)

    count = counts(json.loads(told.stdout), "campaign_hooks")
    assert (told.returncode, count["overtaken"]) == (0, 1), told.stderr
    assert "1 withdrew while they were told, and are taken out again" in told.stderr
    assert gone[0] not in told.stdout + told.stderr
    assert list(receiver.messages.values()) == ["segment.entered", "segment.left"]
    assert gone[0] not in receiver.there["winback"]


def test_reconcile_finds_three_kinds_of_drift_and_repairs_them(shop: Path) -> None:
    (shop / "destinations" / "crm.yaml").write_text(TABLE.format(name="crm", url="sqlite:///crm.db"), "utf-8")
    sent_to(shop, "winback", "crm")
    sent_to(shop, "newsletter_readers", "crm")
    pushed(shop, "--all")
    before = in_sqlite(shop)
    with closing(sqlite3.connect(shop / "crm.db")) as base:
        base.execute("DELETE FROM segment_members WHERE segment = 'winback' AND email IN (?, ?)", sorted(before)[:2])
        base.execute(
            "INSERT INTO segment_members (segment, member_key, email) VALUES ('winback', 'x', 'x@post.example')"
        )
        base.commit()
    sent_to(shop, "newsletter_readers")

    found = run("reconcile", "crm", "-f", "json", cwd=shop)
    words = ("--apply", "--remove-foreign", "--yes", "--confirm", "newsletter_readers")
    repaired = run("reconcile", "crm", *words, cwd=shop)
    after = run("reconcile", "crm", cwd=shop)

    drift = {row["segment"]: row for row in json.loads(found.stdout)["data"]}
    assert (found.returncode, repaired.returncode, after.returncode) == (1, 0, 0), repaired.stderr + after.stdout
    assert (drift["winback"]["missing"], drift["winback"]["foreign"]) == (2, 1)
    assert drift["newsletter_readers"]["state"] == "orphaned"
    assert in_sqlite(shop) == before
    assert in_sqlite(shop, "newsletter_readers") == set()
