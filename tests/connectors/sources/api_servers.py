"""What servers of our own are asked, and how they answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from segctl.model.fetching_rest import Limits

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
QUICK = Limits(retries=3, connect_s=2, read_s=1, page_s=1)


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Served:
    """A server and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


Answering = Callable[[Asked, BaseHTTPRequestHandler], None]


def reply(
    handler: BaseHTTPRequestHandler, body: Any = None, status: int = 200, raw: bytes | None = None, **headers: str
) -> None:
    """An ordinary answer."""
    data = raw if raw is not None else json.dumps(body).encode()
    handler.send_response(status)
    named = {"Content-Type": "application/json", "Content-Length": str(len(data))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in named.items():
        if value:
            handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)
