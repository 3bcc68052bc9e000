"""Presets against the vendors' own API descriptions: what a preset sends is what the vendor documents.

A description without state answers the same example each time, so only the first page comes from it; the second part
puts a stateful stand-in of our own behind Prism, which then checks both what is asked and what is answered.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fetch_program import document, run
from prism import guarded, mocked

from segctl.compile.sources import bind_source_text
from segctl.connectors.sources.base import Around, Page, Start
from segctl.connectors.sources.http import RestConnector
from segctl.model.errors import SegctlError
from segctl.model.fetching_rest import RestFetch
from segctl.model.project import EventKind, IdentifierType, Project
from segctl.model.types import TEXT

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAMES = ("email", "klaviyo_id", "stripe_id", "activecampaign_id")
PROJECT = Project(
    root="/nowhere",
    name="shop",
    identifiers=tuple(IdentifierType(name) for name in NAMES),
    events=(EventKind("klaviyo_event", (("metric_id", TEXT),)),),
)
KLAVIYO = "klaviyo/klaviyo-2026-07-15.json"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KLAVIYO_API_KEY", "STRIPE_API_KEY", "ACTIVECAMPAIGN_KEY"):
        monkeypatch.setenv(name, f"key-of-{name.lower()}")
    monkeypatch.setenv("NO_PROXY", "*")


def declared(preset: str, url: str, more: str = "") -> RestFetch:
    text = f"source: api\npreset: {preset}\nrest:\n  base_url: {url}\n  limits: {{retries: 0, requests: 1000}}\n{more}"
    source, found = bind_source_text(text, "sources/api.yaml", PROJECT)
    assert source is not None, [f.message for f in found]
    assert isinstance(source.fetch, RestFetch)
    return source.fetch


def connector(fetch: RestFetch, tmp_path: Path) -> RestConnector:
    return RestConnector(fetch, Around("api", tmp_path, NOW, sleep=lambda seconds: None))


def all_of(fetch: RestFetch, tmp_path: Path, start: Start | None = None) -> list[Page]:
    return list(connector(fetch, tmp_path).pages(start or Start()))


def test_klaviyo_accepts_what_the_presets_ask(shared: Path, tmp_path: Path) -> None:
    with mocked(shared / "contracts" / KLAVIYO) as url:
        profiles = declared("klaviyo_profiles", url)
        # The example's next page is http://example.com: another host, which must get nothing.
        with pytest.raises(SegctlError) as caught:
            all_of(profiles, tmp_path, Start(cursor="2026-11-01T00:00:00+00:00"))
        with pytest.raises(SegctlError) as events:
            all_of(declared("klaviyo_events", url, "  with: {metric: UxxKY}\n"), tmp_path)
        with pytest.raises(SegctlError) as without:
            all_of(declared("klaviyo_profiles", url, "  headers: {revision: ~}\n"), tmp_path)
        with pytest.raises(SegctlError) as nobody:
            all_of(declared("klaviyo_profiles", url, "  auth: none\n"), tmp_path)

    assert (caught.value.code, events.value.code) == ("SEG378", "SEG378")
    assert without.value.code == "SEG375"  # the description is really looked at
    assert nobody.value.code == "SEG374"


def test_stripe_accepts_what_the_preset_asks(shared: Path, tmp_path: Path) -> None:
    with mocked(shared / "contracts" / "stripe" / "stripe-customers-events-read.json") as url:
        fetch = declared("stripe_customers", url)
        trial = connector(fetch, tmp_path).check(3)
        with pytest.raises(SegctlError) as without:
            all_of(declared("stripe_customers", url, "  auth: none\n"), tmp_path)
        with pytest.raises(SegctlError) as wrong:
            all_of(declared("stripe_customers", url, "  pages: {size_param: ~}\n  params: {limit: many}\n"), tmp_path)

    assert [probe.status for probe in trial.probes] == ["ok"] * len(trial.probes)
    assert trial.records[0]["object"] == "customer"
    assert without.value.code == "SEG374"
    assert wrong.value.code == "SEG375"  # `limit` is a number in the description


def test_activecampaign_accepts_what_the_preset_asks(shared: Path, tmp_path: Path) -> None:
    with mocked(shared / "contracts" / "activecampaign" / "activecampaign-v3.json") as url:
        fetch = declared("activecampaign_contacts", url)
        first = next(connector(fetch, tmp_path).pages(Start(cursor="2026-11-01T00:00:00+00:00")))
        with pytest.raises(SegctlError) as static:
            all_of(fetch, tmp_path)
        with pytest.raises(SegctlError) as without:
            all_of(declared("activecampaign_contacts", url, "  auth: none\n"), tmp_path)

    assert (first.count, first.cursor) == (1, "2026-11-01T00:00:00+00:00")
    assert static.value.code == "SEG382"  # the same example for ever
    assert without.value.code == "SEG374"


def test_klaviyo_pages_through_a_stand_in_that_its_description_guards(shared: Path, tmp_path: Path) -> None:
    with stand_in() as (upstream, served), guarded(shared / "contracts" / KLAVIYO, upstream) as url:
        served["url"] = url
        fetch = declared("klaviyo_profiles", url)
        pages = all_of(fetch, tmp_path)
        resumed = all_of(fetch, tmp_path, Start(pages[0].position, pages[0].cursor))
        all_of(fetch, tmp_path, Start(cursor=pages[-1].cursor))

    emails = [json.loads(line)["attributes"]["email"] for page in pages for line in page.lines.splitlines()]
    assert emails == [f"k{n}@example.com" for n in range(5)]
    assert sum(page.count for page in resumed) == 3
    assert pages[-1].cursor == "2026-11-05T08:00:00+00:00"
    assert served["asked"][0]["page[size]"] == ["100"]
    assert served["asked"][5]["filter"] == ["greater-than(updated,2026-11-05T07:58:00Z)"]


def test_two_services_become_people_through_the_program(shared: Path, project: Path) -> None:
    """A description without state gives the same page for ever, so `pages: none` takes it once."""
    (project / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\nidentifiers: {email: {class: known}, stripe_id: {class: known}}\n"
        "traits: {city: text, first_name: text}\n",
        encoding="utf-8",
    )
    (project / "segments" / "buyers.yaml").unlink()
    stripe = shared / "contracts" / "stripe" / "stripe-customers-events-read.json"
    with mocked(stripe) as stripe_url, mocked(shared / "contracts" / KLAVIYO) as klaviyo_url:
        for preset, url in (("stripe_customers", stripe_url), ("klaviyo_profiles", klaviyo_url)):
            text = f"source: {preset}\npreset: {preset}\nrest: {{base_url: '{url}', pages: none}}\n"
            (project / "sources" / f"{preset}.yaml").write_text(text, encoding="utf-8")
        keys = {"STRIPE_API_KEY": "sk_test_planted", "KLAVIYO_API_KEY": "pk_planted_1"}
        tried = run("doctor", "--online", "klaviyo_profiles", cwd=project, **keys)
        done = run("ingest", "--json", cwd=project, **keys)

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(row["source"], row["new"], row["bad"]) for row in json.loads(done.stdout)["data"]] == [
        ("klaviyo_profiles", 1, 0),
        ("stripe_customers", 1, 0),
    ]
    assert "sarah.mason@klaviyo-demo.com" in tried.stderr
    assert len(document("ls", "sources", cwd=project)["data"]) == 2


@contextmanager
def stand_in() -> Iterator[tuple[str, dict[str, Any]]]:
    """Profiles in the shape of Klaviyo's answers, two a page; written here, checked by Prism."""
    served: dict[str, Any] = {"url": "", "asked": []}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            served["asked"].append(query)
            at = int(query.get("page[cursor]", ["0"])[0])
            here = f"{served['url']}/api/profiles"
            data = [
                {
                    "type": "profile",
                    "id": f"P{n}",
                    "attributes": {"email": f"k{n}@example.com", "updated": f"2026-11-0{n + 1}T08:00:00+00:00"},
                    "links": {"self": f"{here}/P{n}"},
                }
                for n in range(at, min(at + 2, 5))
            ]
            links = {"self": here}
            if at + 2 < 5:
                links["next"] = f"{here}?page%5Bcursor%5D={at + 2}&page%5Bsize%5D=100"
            body = json.dumps({"data": data, "links": links}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.api+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", served
    finally:
        server.shutdown()
        server.server_close()
