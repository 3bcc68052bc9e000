"""What goes wrong around a push: receivers, other commands, other workspaces, people who change their mind."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from end_to_end.program import ok, run
from push_shop import PROJECT, Shop, copied

from segctl.connectors.destinations.file import Files
from segctl.model.errors import IntegrityError
from segctl.operations.consent.record import Said


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return copied(tmp_path)


class Receiver:
    """Answers every message alike."""

    def __init__(self) -> None:
        self.status, self.body, self.asked = 200, b"{}", 0
        self.port = 0


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            receiver.asked += 1
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver(shop: Shop) -> Iterator[Receiver]:
    with receiving() as made:
        shop.destination("hook", f"url: http://127.0.0.1:{made.port}/x\nallow_private: true\n", kind="webhook")
        shop.send_to("hook")
        yield made


def test_a_receiver_that_is_gone_is_not_asked_again_until_somebody_wants_to_know(
    shop: Shop, receiver: Receiver
) -> None:
    receiver.status = 410
    first = shop.push()
    asked = receiver.asked
    again = shop.push()

    assert (first.errors["hook"].code, asked) == ("SEG903", 1)
    assert (again.errors["hook"].code, receiver.asked) == ("SEG903", 1)
    assert str(datetime.now(UTC).date()) in again.errors["hook"].message

    receiver.status = 200
    shop.push(retries=True)
    assert shop.push().exit == 0
    assert receiver.asked > 1


def test_a_host_that_is_not_allowed_is_never_asked(shop: Shop, receiver: Receiver) -> None:
    shop.destination(
        "hook", f"url: http://127.0.0.1:{receiver.port}/x\nallowed_hosts: [hooks.example.com]\n", kind="webhook"
    )

    done = shop.push()

    assert (done.errors["hook"].code, receiver.asked) == ("SEG897", 0)
    assert "anna" not in str(done.errors["hook"])


@pytest.mark.parametrize("body", [b"", b"<html>login</html>", b"null", b"[1, 2", b"\xff\xfe\x00", b'{"a": ' * 500])
def test_whatever_a_receiver_says_with_a_success_is_one(shop: Shop, receiver: Receiver, body: bytes) -> None:
    receiver.body = body

    done = shop.push()

    assert done.exit == 0
    assert [one.counts["added"] for one in done.outcomes] == [2]


def test_two_imports_of_consent_beside_a_push_are_both_heeded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.people(30)
    lists = []
    for name, numbers in (("one", range(10, 20)), ("two", range(15, 25))):
        lists.append(shop.folder / f"{name}.csv")
        rows = "".join(f"p{n}@example.org,withdrawn,2026-01-0{1 + n % 9}T10:00:00Z\n" for n in numbers)
        lists[-1].write_text("email,status,time\n" + rows, "utf-8")
    sending, threads, errors = Files.send, [], []

    def bring(path: Path) -> None:
        done = run("consent", "import", path.name, cwd=shop.folder)
        if done.returncode:
            errors.append(done.stderr)

    def send(files: Files, batch: Any) -> Any:
        if not threads:
            threads.extend(threading.Thread(target=bring, args=(path,)) for path in lists)
            for thread in threads:
                thread.start()
        return sending(files, batch)

    monkeypatch.setattr(Files, "send", send)
    done = shop.push()
    for thread in threads:
        thread.join()
    again = shop.push()

    assert (errors, done.exit, again.exit) == ([], 0, 0)
    for name in ("a_files", "b_files"):
        there = shop.there(name)
        assert [n for n in range(10, 40) if f"p{n}@" in there] == list(range(25, 40))


def test_a_plan_from_before_a_withdrawal_is_refused_and_tells_nobody(shop: Shop) -> None:
    ok("plan", "-o", "plan.json", cwd=shop.folder)
    shop.says("anna@example.org", Said("withdraw"))

    done = run("push", "plan.json", cwd=shop.folder)

    assert done.returncode == 4
    assert not (shop.folder / "out").exists()


def test_who_is_taken_apart_again_is_two_people_at_the_destination(shop: Shop) -> None:
    """Two records with one address are one person; when the address is corrected they are two, and each is right."""
    both = "{customer_id: {class: known}, mail: {class: known}}"
    text = PROJECT["segctl.yaml"].replace("{customer_id: {class: known}}", both)
    (shop.folder / "segctl.yaml").write_text(text, "utf-8")
    source = shop.folder / "sources/crm.yaml"
    source.write_text(PROJECT["sources/crm.yaml"].replace("{customer_id: nr}", "{customer_id: nr, mail: mail}"))
    shop.send_to("a_files")
    path = shop.folder / "crm.csv"
    path.write_text(PROJECT["crm.csv"].replace("bert@", "anna@"), "utf-8")
    shutil.rmtree(shop.folder / ".segctl")
    ok("ingest", cwd=shop.folder)
    ok("apply", cwd=shop.folder)
    shop.push()
    assert shop.there("a_files").count("@") == 1

    path.write_text(PROJECT["crm.csv"], "utf-8")
    ok("ingest", cwd=shop.folder)
    ok("apply", cwd=shop.folder)
    shop.says("bert@example.org", Said("withdraw"))
    done = shop.push()

    assert done.exit == 0
    assert "bert@" not in shop.there("a_files")


def test_a_copied_workspace_goes_on_where_it_was(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    shop.push()
    copy = Shop(tmp_path_factory.mktemp("copy"))
    shutil.copytree(shop.folder, copy.folder, dirs_exist_ok=True)
    copy.says("anna@example.org", Said("withdraw"))

    assert copy.push().exit == 0
    assert "anna@" not in copy.there("a_files")
    assert "anna@" in shop.there("a_files")


def test_with_the_key_of_another_workspace_nobody_is_told(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = copied(tmp_path_factory.mktemp("other"))
    shop.says("anna@example.org", Said("withdraw"))
    other.says("bert@example.org", Said("withdraw"))
    (key,) = shop.folder.rglob("consent.key")
    shutil.copy(next(other.folder.rglob("consent.key")), key)

    with pytest.raises(IntegrityError) as caught:
        shop.push()

    assert caught.value.code == "SEG800"
    assert not (shop.folder / "out").exists()


def test_caps_and_priority_count_over_several_pushes(shop: Shop) -> None:
    project = PROJECT["segctl.yaml"] + (
        "priority: {mails: [german, everybody]}\ncaps: {week: {channel: email, at_most: 1, within_last: 7 days}}\n"
    )
    (shop.folder / "segctl.yaml").write_text(project, "utf-8")
    text = PROJECT["segments/german.yaml"].replace("german", "everybody").replace("equals: DE", "exists: true")
    (shop.folder / "segments/everybody.yaml").write_text(text.replace("a_files, ", ""), "utf-8")
    shop.send_to("a_files")
    (shop.folder / "crm.csv").write_text(PROJECT["crm.csv"] + "3,AT,cora@example.org,\n", "utf-8")
    ok("ingest", cwd=shop.folder)
    ok("apply", cwd=shop.folder)

    first = shop.push()
    assert "anna@" in shop.there("a_files")
    assert [name for name in ("anna", "bert", "cora") if f"{name}@" in shop.there("b_files", "everybody")] == ["cora"]

    (shop.folder / "segctl.yaml").write_text(project.replace("priority: {mails: [german, everybody]}\n", ""), "utf-8")
    second = shop.push()
    assert (first.exit, second.exit) == (0, 0)
    assert "anna@" not in shop.there("b_files", "everybody")  # told this week already
    (shop.folder / "segctl.yaml").write_text(PROJECT["segctl.yaml"], "utf-8")
    assert shop.push().exit == 0
    assert "anna@" in shop.there("b_files", "everybody")


def test_requests_with_people_are_shown_on_demand_alone(shop: Shop) -> None:
    plain = run("push", "german", "--dry-run", "-f", "json", cwd=shop.folder)
    shown = run("push", "german", "--dry-run", "--show-personal", "-f", "json", cwd=shop.folder)

    assert (plain.returncode, shown.returncode) == (0, 0)
    assert "anna" not in plain.stdout + plain.stderr
    assert "anna@example.org" in shown.stdout
    assert "anna" not in shown.stderr
