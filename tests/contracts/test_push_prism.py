"""`segctl push` from the sample project to every vendor whose API description there is, with Prism in between.

Prism refuses each request that breaks the vendor's description, and a stand-in behind it keeps the state, so who is
there at the end can be compared with the file that the same push has written.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from end_to_end.program import ok, run
from fakes.activecampaign import FakeActiveCampaign
from fakes.google import Google
from fakes.klaviyo import FakeKlaviyo
from fakes.listmonk import Listmonk
from fakes.meta import Meta
from fakes.sendgrid import SendGrid
from fakes.server import Asked, Fake, Reply, serving
from fakes.tracking import Tracking
from prism import guarded

pytestmark = pytest.mark.slow
SECRET = "planted-of-the-service-0d1f"
REFERENCE = {"env": "OF_THE_SERVICE"}
SEGMENT = """
segment: told
purpose: {purpose}
send_to: [files, service]
where:
  any: [{{segment: newsletter_readers}}, {{segment: winback}}]
"""


def most(audiences: dict[str, Any]) -> int:
    """Members of the fullest audience: the others are empty."""
    return max(map(len, audiences.values()))


@dataclass(frozen=True)
class Case:
    """One vendor: its stand-in, its description, and what the declaration says beside the address.

    Attributes:
        there: How many people the stand-in has at the end; None where `segctl reconcile` can be asked.
        aside: Pattern of paths that the vendor's description leaves out; they go to the stand-in directly.
    """

    kind: str
    description: str
    fake: Callable[[], Fake]
    declared: dict[str, Any]
    address: str = "base_url"
    purpose: str = "newsletter"
    upstream: str = ""
    aside: str = "-"
    there: Callable[[Any], int] | None = None
    identify: dict[str, str] = field(default_factory=lambda: {"email": "email"})


CASES = (
    Case("klaviyo", "klaviyo/klaviyo-2026-07-15.json", lambda: FakeKlaviyo(SECRET), {"api_key": REFERENCE}),
    Case("activecampaign", "activecampaign/activecampaign-v3.json", lambda: FakeActiveCampaign(SECRET),
         {"api_key": REFERENCE}, address="url", aside=r"/api/3/(tags.*|contacts/\d+/contactTags)"),
    Case("google_ads", "google-data-manager/datamanager-v1.openapi.json", Google,
         {"account_id": "123-456-7890", "terms_accepted": True, "country": "DE",
          "client_id": REFERENCE, "client_secret": REFERENCE, "refresh_token": REFERENCE}, purpose="ads",
         there=lambda fake: most(fake.people)),
    Case("meta", "meta/meta-custom-audience.openapi.json", lambda: Meta(SECRET),
         {"ad_account_id": "123456", "access_token": REFERENCE, "customer_consent": True}, purpose="ads",
         there=lambda fake: most(fake.people)),
    Case("sendgrid", "sendgrid/sendgrid-marketing.json", lambda: SendGrid(SECRET), {"api_key": REFERENCE},
         there=lambda fake: len(fake.inside)),
    Case("rudderstack", "rudderstack/rudderstack-http-v1.json", lambda: Tracking(SECRET, in_context=True),
         {"write_key": REFERENCE, "deliver": "both", "channel": "email"}, address="data_plane",
         identify={"external_id": "customer_id"}, there=lambda fake: most(fake.entered)),
    Case("listmonk", "listmonk/listmonk.json", lambda: Listmonk("segctl", SECRET),
         {"user": "segctl", "token": REFERENCE}, upstream="/api"),
)  # fmt: skip


class Before(Fake):
    """Hands on what it is asked: to Prism, and paths that the description leaves out to the stand-in itself."""

    def __init__(self, prism: str, direct: str, aside: str) -> None:
        super().__init__()
        self.prism, self.direct, self.aside, self.refused = prism, direct, aside, list[str]()

    def respond(self, asked: Asked) -> tuple[Reply | None, None]:
        """The answer of whoever is asked."""
        base = self.direct if re.fullmatch(self.aside, asked.path) else self.prism
        kept = {k: v for k, v in asked.headers.items() if k not in ("host", "content-length", "accept-encoding")}
        request = urllib.request.Request(f"{base}{asked.url}", asked.body or None, kept, method=asked.method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
                return Reply(answer.status, None, _handed(answer.headers), answer.read()), None
        except urllib.error.HTTPError as error:
            body = error.read()
            if b"stoplight.io/prism" in body:
                self.refused.append(f"{asked.method} {asked.path}: {body[:2000]!r}")
            return Reply(error.code, None, _handed(error.headers), body), None


def _handed(headers: Any) -> dict[str, str]:
    kept = ("Content-Type", "Retry-After")
    return {name: headers[name] for name in kept if headers[name] is not None}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with what people have agreed to; each test takes a copy and evaluates its own segment."""
    folder = tmp_path_factory.mktemp("evaluated")
    ok("init", ".", "--template", "shop", cwd=folder)
    ok("ingest", cwd=folder)
    assert run("consent", "import", "data/consents.csv", cwd=folder).returncode == 3
    ok("suppress", "import", "data/bounces.csv", cwd=folder)
    return folder


def declare(shop: Path, case: Case, url: str, direct: str) -> None:
    """The service, files beside it and a segment that goes to both; JSON is YAML."""
    common = {"purposes": [case.purpose], "identify": case.identify}
    own = {case.address: url} | ({"token_url": f"{direct}/token"} if case.kind == "google_ads" else {})
    service = {"destination": "service", "kind": case.kind, **common, **case.declared, **own}
    channel = "ads" if case.purpose == "ads" else "email"
    files = {"destination": "files", "kind": "file", "channel": channel, "format": "csv", **common}
    for name, declared in (("service", service), ("files", files)):
        (shop / "destinations" / f"{name}.yaml").write_text(json.dumps(declared), "utf-8")
    (shop / "segments" / "told.yaml").write_text(SEGMENT.format(purpose=case.purpose), "utf-8")
    for name in ("newsletter_readers", "winback", "cart_abandoners"):
        path = shop / "segments" / f"{name}.yaml"
        lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("send_to:")]
        path.write_text("\n".join(lines) + "\n", "utf-8")


def in_file(shop: Path) -> set[str]:
    """Who is in the newest file."""
    with max((shop / "out" / "files" / "told").glob("*.csv")).open(encoding="utf-8", newline="") as stream:
        return {next(iter(row.values())) for row in csv.DictReader(stream)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_what_the_program_sends_is_what_the_vendor_documents(
    shared: Path, evaluated: Path, tmp_path: Path, case: Case
) -> None:
    shop, fake = tmp_path / "shop", case.fake()
    shutil.copytree(evaluated, shop)
    with ExitStack() as stack:
        direct = stack.enter_context(serving(fake))
        prism = stack.enter_context(guarded(shared / "contracts" / case.description, f"{direct}{case.upstream}"))
        before = Before(prism, direct, case.aside)
        declare(shop, case, stack.enter_context(serving(before)), direct)
        ok("apply", "-s", "told+ +told told", "--as-of", "2026-11-18", cwd=shop)

        dry = push(shop, "--dry-run")
        first = push(shop)
        again = push(shop)
        gone = min(in_file(shop))
        withdrawn = run("consent", "withdraw", "-", cwd=shop, stdin=f"{gone}\n")
        last = push(shop)
        left = in_file(shop)
        compared = run("reconcile", "service", cwd=shop, OF_THE_SERVICE=SECRET, NO_PROXY="*")

    assert (fake.wrong, before.refused) == ([], [])
    assert first["added"] == dry["added"] == first["delivered"] > 10
    assert [again[name] for name in ("added", "updated", "removed", "calls")] == [0, 0, 0, 0]
    assert withdrawn.returncode == 0
    assert last["removed"] == 1
    assert len(left) == first["added"] - 1
    assert (compared.returncode, case.there and case.there(fake)) == ((2, len(left)) if case.there else (0, None)), (
        compared.stdout + compared.stderr
    )


def push(shop: Path, *words: str) -> Any:
    """The row of the service in the push's document, as segctl says it."""
    done = run("push", "told", *words, "-f", "json", cwd=shop, OF_THE_SERVICE=SECRET, NO_PROXY="*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    row = next(row for row in json.loads(done.stdout)["data"] if row["destination"] == "service")
    return row | {"delivered": row["unchanged"] + row["added"]}
