"""A collector of the tests' own: a project, `segctl listen` as a process, and requests to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

KEYS = {
    "SHOP_KEY": "wk_shop_0123456789ab", "GA_SECRET": "ga4_secret_0123456789", "SNOW_KEY": "wk_snow_0123456789",
    "GTM_KEY": "wk_gtm_0123456789", "TEALIUM_KEY": "wk_tealium_012345", "FORM_KEY": "wk_form_0123456789",
    "STRIPE_SECRET": "whsec_stripe_0123456789", "SHOPIFY_SECRET": "shpss_0123456789",
    "HUBSPOT_SECRET": "hubspot-secret-0123456789", "SVIX_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}  # fmt: skip
PROJECT = """segctl: 1
name: live
identifiers:
  user_id: {class: known}
  anonymous_id: {class: anonymous}
traits:
  email: text
  plan: text
  city: text
events:
  page_viewed: {properties: {path: text, title: text}}
  screen_viewed: {properties: {name: text}}
  group_joined: {properties: {name: text}}
  product_viewed: {properties: {product_id: text, price: number}}
  order_completed: {properties: {order_id: text, value: number}}
  signed_up: {properties: {form: text}}
  payment: {properties: {amount: number, topic: text}}
"""
SOURCES = {
    "web": "kind: collector\ncollector:\n  keys: {shop: {env: SHOP_KEY}}\n"
    "  origins: [https://shop.example]\n  max_kb: 100\ntracking: segment\n",
    "app": "kind: collector\ncollector: {keys: {app: {env: GA_SECRET}}}\ntracking: ga4_mp\nprofiles: none\n",
    "snow": "kind: collector\ncollector: {keys: {snow: {env: SNOW_KEY}}}\ntracking: snowplow\nprofiles: none\n",
    "tags": "kind: collector\ncollector: {keys: {tags: {env: GTM_KEY}}}\ntracking: gtm\nprofiles: none\n",
    "tealium": "kind: collector\ncollector: {keys: {tealium: {env: TEALIUM_KEY}}}\ntracking: tealium\n"
    "profiles: {email: traits.email}\n",
    "forms": "kind: collector\ncollector: {keys: {forms: {env: FORM_KEY}}, id: submission, rate: 3}\n"
    "key: {user_id: person.id}\nevents:\n  - event: signed_up\n    time: collector.received\n"
    "    id: submission\n    properties: {form: form}\n",
    "payments": "kind: collector\ncollector: {accepts: stripe, secret: {env: STRIPE_SECRET}}\n"
    "key: {user_id: data.object.customer}\nevents:\n  - event: payment\n    time: {column: created, format: epoch_s}\n"
    "    id: id\n    properties: {amount: data.object.amount, topic: collector.kind}\n",
    "shopify": "kind: collector\ncollector: {accepts: shopify, secret: {env: SHOPIFY_SECRET}}\n"
    "key: {user_id: customer.id}\nevents:\n  - event: order_completed\n    time: created_at\n"
    "    id: [id, collector.kind]\n    properties: {order_id: id, value: total_price}\n",
    "crm": "kind: collector\ncollector: {accepts: hubspot, secret: {env: HUBSPOT_SECRET},"
    " url: 'https://t.shop.example/hooks/crm'}\nkey: {user_id: objectId}\nevents:\n  - event: signed_up\n"
    "    time: {column: occurredAt, format: epoch_ms}\n    id: eventId\n    properties: {form: subscriptionType}\n",
    "svix": "kind: collector\ncollector:\n  accepts: standard_webhooks\n"
    "  secret: [{env: STRIPE_SECRET}, {env: SVIX_SECRET}]\nkey: {user_id: data.user}\nevents:\n  - event: signed_up\n"
    "    time: timestamp\n    id: collector.id\n    properties: {form: type}\n",
}  # fmt: skip


def write_project(root: Path, names: tuple[str, ...] = tuple(SOURCES)) -> Path:
    """A project with these sources."""
    (root / "sources").mkdir(parents=True)
    (root / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    for name in names:
        (root / "sources" / f"{name}.yaml").write_text(f"source: {name}\n{SOURCES[name]}", encoding="utf-8")
    return root


def environment() -> dict[str, str]:
    return {**os.environ, **KEYS}


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One call of segctl in the project."""
    command = [sys.executable, "-m", "segctl", *words]
    return subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)


class Collector:
    """A running `segctl listen`."""

    def __init__(self, root: Path, *words: str) -> None:
        self.root = root
        command = [sys.executable, "-m", "segctl", "listen", "--bind", "127.0.0.1:0", "--json", *words]
        self.process = subprocess.Popen(
            command, cwd=root, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        assert self.process.stderr is not None
        while True:
            line = self.process.stderr.readline()
            self.said.append(line)
            found = re.search(r"listening at http://127\.0\.0\.1:(\d+)", line)
            if found or not line:
                break
        assert found, "".join(self.said)
        self.port = int(found[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> dict[str, Any]:
        """Ends it in order and gives its summary."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=20)
        self.said.append(err)
        assert self.process.returncode == 0, err
        found: dict[str, Any] = json.loads(out)
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def ask(
        self, method: str, path: str, body: bytes | dict[str, Any] | list[Any] | None = None, **headers: str
    ) -> HTTPResponse:
        """The answer to a request, read whole."""
        data = json.dumps(body).encode() if isinstance(body, dict | list) else body
        named = {"Content-Type": "application/json"} | {name.replace("_", "-"): of for name, of in headers.items()}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, data, named)
            answer = connection.getresponse()
            answer.text = answer.read()
            return answer
        finally:
            connection.close()

    def post(self, path: str, body: bytes | dict[str, Any] | list[Any], **headers: str) -> int:
        return self.ask("POST", path, body, **headers).status


@contextmanager
def collecting(root: Path, *words: str) -> Iterator[Collector]:
    """A collector that is gone at the end, whatever happens."""
    collector = Collector(root, *words)
    try:
        yield collector
    finally:
        if collector.process.poll() is None:
            collector.kill()


def lines(root: Path) -> list[dict[str, Any]]:
    """All accepted requests, in the order they were written."""
    files = sorted((root / ".segctl").rglob("collector/*.ndjson"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def ingested(root: Path) -> dict[str, int]:
    """Stored events of each kind that has any, after an ingest in this process."""
    from datetime import UTC, datetime

    from segctl.operations.ingest.ingest import ingest, open_for_ingest, sources_of

    os.environ.update(KEYS)
    with open_for_ingest(root) as (project, workspace):
        result = ingest(project, workspace, sources_of(project).values(), now=datetime.now(UTC))
        errors = [source.error for source in result.sources if source.error is not None]
        assert not errors, errors
    return stored(root)


def stored(root: Path) -> dict[str, int]:
    """Stored events of each kind that has any."""
    rows = json.loads(run(root, "ls", "events", "--json").stdout)["data"]
    return {row["event"]: row["rows"] for row in rows if row["rows"]}
