"""A strict fake of a shop's API, written here: like Shopify's Admin REST in shape, not made or checked by Shopify.

It refuses what the documented API refuses: no or a wrong token (401), parameters besides `limit` and `page_info` on a
following page (400), a `limit` above 250 (400), an unknown `page_info` (400), more than its bucket holds (429). It
keeps state: customers and orders change, and what changed comes later in the order of `updated_at`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "shpat_planted_0a1b2c3d4e5f"
ALLOWED_FIRST = {"limit", "status", "updated_at_min", "fields"}
ALLOWED_NEXT = {"limit", "page_info", "fields"}
Answer = tuple[int, Any, dict[str, str]]


@dataclass
class FakeShop:
    """A shop with customers and orders.

    Attributes:
        page: Most records of an answer, whatever `limit` asks.
        before: Called with the number of the request before each answer, to fail or to hold it.
    """

    page: int = 3
    before: Callable[[int, BaseHTTPRequestHandler], bool] | None = None
    orders: list[dict[str, Any]] = field(default_factory=list)
    customers: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _cursors: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    def order(self, number: int, day: int, *, total: str = "19.90", customer: int | None = None) -> None:
        """Adds an order, or changes the one of that number."""
        who = customer or number % 5 + 1
        at = f"2026-11-{day:02d}T10:00:{number % 60:02d}+01:00"
        found = {
            "id": 5000 + number,
            "created_at": at,
            "updated_at": at,
            "total_price": total,
            "currency": "EUR",
            "financial_status": "paid",
            "email": f"kunde{who}@example.com",
            "customer": {"id": 100 + who, "first_name": "Jürgen", "last_name": "Groß"},
            "line_items": [{"sku": f"s{number}", "quantity": 2, "price": "9.95", "product_id": 7, "name": "Tee"}],
        }
        self.orders = sorted(
            [o for o in self.orders if o["id"] != found["id"]] + [found], key=lambda o: str(o["updated_at"])
        )

    def answer(self, path: str, query: dict[str, list[str]], headers: dict[str, str]) -> Answer:
        """Status, body and headers for a request."""
        if headers.get("x-shopify-access-token") != TOKEN:
            return 401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, {}
        kind = path.rsplit("/", 1)[-1].removesuffix(".json")
        if not path.startswith("/admin/api/2026-10/") or kind not in ("orders", "customers"):
            return 404, {"errors": "Not Found"}, {}
        allowed = ALLOWED_NEXT if "page_info" in query else ALLOWED_FIRST
        wrong = sorted(set(query) - allowed)
        if wrong or int(query.get("limit", ["50"])[0]) > 250:
            return 400, {"errors": {"query": f"not allowed here: {wrong}"}}, {}
        since, offset = query.get("updated_at_min", [""])[0], 0
        if "page_info" in query:
            known = self._cursors.get(query["page_info"][0])
            if known is None:
                return 400, {"errors": {"page_info": "Invalid value."}}, {}
            kind, since, offset = known
        records = [r for r in getattr(self, kind) if _utc(r["updated_at"]) >= _utc(since)]
        return 200, {kind: records[offset : offset + self.page]}, self._links(kind, since, offset, len(records))

    def _links(self, kind: str, since: str, offset: int, of: int) -> dict[str, str]:
        headers = {"X-Shopify-Shop-Api-Call-Limit": "1/40"}
        if offset + self.page < of:
            name = f"{kind}-{since}-{offset + self.page}".encode().hex()
            self._cursors[name] = (kind, since, offset + self.page)
            url = f"{self.url}/admin/api/2026-10/{kind}.json?limit=250&page_info={name}"
            headers["Link"] = f'<{url}>; rel="next"'
        return headers

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                shop.asked.append(self.path)
                if shop.before is not None and shop.before(len(shop.asked), self):
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, body, more = shop.answer(parts.path, parse_qs(parts.query), headers)
                if status != 200:
                    shop.refused.append(f"{status} {self.path}")
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json; charset=utf-8", **more}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


def _utc(text: str) -> str:
    from datetime import UTC, datetime

    return datetime.fromisoformat(text).astimezone(UTC).isoformat() if text else ""
