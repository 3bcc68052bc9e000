"""From a shop's API to segments, through the program as people run it; killed in the middle and gone on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from fake_shop import TOKEN, FakeShop
from fetch_program import PROGRAM, document, environment, run


def declare(project: Path, shop: FakeShop) -> None:
    text = f"""source: shop_orders
preset: shopify_orders
rest: {{with: {{shop: acme}}, base_url: "{shop.url}/admin/api/2026-10", limits: {{requests: 1000}}}}
"""
    (project / "sources" / "shop_orders.yaml").write_text(text, encoding="utf-8")


def ingested(project: Path, *arguments: str) -> dict[str, Any]:
    (row,) = document("ingest", *arguments, cwd=project)["data"]
    return row


def test_killed_in_the_middle_it_goes_on_without_loss_or_doubles(project: Path) -> None:
    holding, reached = threading.Event(), threading.Event()

    def hold(number: int, handler: BaseHTTPRequestHandler) -> bool:
        if number == 4 and not holding.is_set():
            reached.set()
            holding.wait(60)
            return True
        return False

    with FakeShop(before=hold) as shop:
        for number in range(20):
            shop.order(number, 1 + number // 5)
        declare(project, shop)
        process = subprocess.Popen(
            [*PROGRAM, "ingest"], cwd=project, env=environment(project), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        holding.set()
        spool = project / ".segctl" / "dev" / "spool" / "shop_orders"
        assert len((spool / "records.ndjson").read_text(encoding="utf-8").splitlines()) == 9

        row = ingested(project)

        assert (row["read"], row["new"], row["bad"]) == (20, 40, 0)  # an order and its item each
        assert sum("page_info" not in path for path in shop.asked) == 1
        assert not spool.exists()
        before = len(shop.asked)
        shop.order(3, 20, total="99.00")
        shop.order(21, 20)
        changed = ingested(project)
        assert changed["new"] == 2
        assert "updated_at_min=2026-11-04T08%3A58%3A19Z" in shop.asked[before]
        assert ingested(project)["new"] == 0
        assert shop.refused == []
    done = run("apply", cwd=project)
    assert done.returncode == 0, done.stderr
    (segment,) = document("ls", "segments", cwd=project)["data"]
    assert segment["members"] == 5


def test_two_at_once_one_waits_its_turn(project: Path) -> None:
    holding, reached = threading.Event(), threading.Event()

    def hold(number: int, handler: BaseHTTPRequestHandler) -> bool:
        if number == 2:
            reached.set()
            holding.wait(60)
        return False

    with FakeShop(before=hold) as shop:
        for number in range(6):
            shop.order(number, 1)
        declare(project, shop)
        first = subprocess.Popen(
            [*PROGRAM, "ingest"], cwd=project, env=environment(project), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert reached.wait(60)
        second = run("ingest", cwd=project)
        holding.set()
        first.communicate(timeout=60)

    assert (second.returncode, first.returncode) == (75, 0)
    assert "SEG604" in second.stderr


def test_no_secret_reaches_any_place(project: Path, tmp_path: Path) -> None:
    """Success, refusal, failure, a bug: everything that was written is searched."""
    with FakeShop() as shop:
        shop.order(1, 1)
        shop.orders[0]["note"] = f"token {TOKEN} repeated"
        shop.orders[0]["currency"] = f"x{TOKEN}x"
        declare(project, shop)
        path = project / "sources" / "bad.yaml"
        told = [
            run("ingest", "-vv", "--log-file", "log.ndjson", "--json", cwd=project),
            run(
                "doctor",
                "--online",
                "shop_orders",
                "--show-personal",
                "-vv",
                "--json",
                "--log-file",
                "log.ndjson",
                cwd=project,
            ),
            run("doctor", "--online", "shop_orders", "-o", "doctor.txt", cwd=project),
        ]
        assert [done.returncode for done in told] == [0, 0, 0], [done.stderr for done in told]
        records = json.loads(told[1].stdout)["run"]["records"]
        assert records[0]["note"] == "token *** repeated"
        path.write_text(
            f"source: bad\nkind: rest\nkey: {{email: e}}\nprofiles: {{city: c}}\nrest:\n  base_url: {shop.url}\n"
            "  path: admin/api/2026-10/orders.json\n  limits: {retries: 0}\n"
            "  auth: {api_key: {query: page_info, value: {env: SHOPIFY_TOKEN}}}\n"
            "  headers: {X-Shopify-Access-Token: {env: SHOPIFY_TOKEN}}\n",
            encoding="utf-8",
        )
        told += [run("ingest", "bad", "-vv", "--log-file", "log.ndjson", cwd=project)]
        assert told[-1].returncode == 2
        path.write_text(path.read_text(encoding="utf-8").replace(shop.url, "http://127.0.0.1:1"), encoding="utf-8")
        told += [run("ingest", "bad", "-vv", "--log-file", "log.ndjson", cwd=project)]
        assert told[-1].returncode == 75
        path.write_text(path.read_text(encoding="utf-8").replace("{env: SHOPIFY_TOKEN}", TOKEN), encoding="utf-8")
        told += [run("lint", cwd=project), run("ingest", "bad", "-vv", cwd=project)]
        assert "SEG370" in told[-1].stderr
        path.unlink()
        told += [crashed(project)]
        assert told[-1].returncode == 70
    for done in told:
        assert TOKEN not in done.stdout + done.stderr, done.args
    searched = [file for file in project.rglob("*") if file.is_file()]
    assert any("segctl-bug" in file.name for file in searched)
    assert any(file.name == "log.ndjson" for file in searched)
    for file in searched:
        assert TOKEN.encode() not in file.read_bytes(), file


def crashed(project: Path) -> subprocess.CompletedProcess[str]:
    """An ingest in which a library dies with the key in its words."""
    program = """
import sys
import requests
from segctl.cli.main import main
def send(self, prepared, **options):
    raise ZeroDivisionError(f"{prepared.url} {dict(prepared.headers)}")
requests.Session.send = send
sys.exit(main())
"""
    return subprocess.run(
        [sys.executable, "-c", program, "ingest", "shop_orders", "-vv"],
        cwd=project, capture_output=True, text=True, env=environment(project), timeout=60, check=False,
    )  # fmt: skip


def test_a_dry_run_since_and_limit_from_the_command_line(project: Path) -> None:
    with FakeShop() as shop:
        for number in range(10):
            shop.order(number, 1 + number)
        declare(project, shop)
        dry = ingested(project, "--dry-run")
        assert (dry["new"], len(shop.asked)) == (6, 1)
        assert not (project / ".segctl" / "dev" / "spool").exists()
        part = ingested(project, "--limit", "4")
        assert part["new"] == 8
        late = ingested(project, "--since", "2026-11-09")
        assert late["new"] == 4
        assert "updated_at_min=2026-11-08T22%3A58%3A00Z" in shop.asked[-1]
        refused = run("ingest", "--limit", "0", cwd=project)
        assert (refused.returncode, "SEG384" in refused.stderr) == (2, True)


def test_a_place_that_the_service_forgot_begins_again(project: Path) -> None:
    def fail(number: int, handler: BaseHTTPRequestHandler) -> bool:
        if number == 3:
            handler.send_error(410)
            return True
        return False

    with FakeShop(before=fail) as shop:
        for number in range(8):
            shop.order(number, 1)
        declare(project, shop)
        assert run("ingest", cwd=project).returncode == 2
        shop._cursors.clear()

        done = run("ingest", cwd=project)

        assert done.returncode == 0
        assert "it began again" in done.stderr
        assert "order_completed" in done.stderr or "fetched 8 records" in done.stderr
