"""A strict fake of a CRM's API, written here: like HubSpot's contacts in shape, not made or checked by HubSpot.

It refuses no or a wrong token (401), a `limit` above 100 and an unknown `after` (400), and more than its burst of
requests between two ticks (429 with a policy and no Retry-After, as documented). Every answer carries its rate headers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TOKEN = "pat-planted-77aa88bb"
KNOWN = {"limit", "after", "properties", "archived"}


@dataclass
class FakeCrm:
    """Contacts, newest last.

    Attributes:
        burst: Requests allowed until `tick` is called.
        daily: Requests allowed for the day.
    """

    contacts: list[dict[str, Any]] = field(default_factory=list)
    burst: int = 3
    daily: int = 1000
    used: int = 0
    today: int = 0
    refused: list[int] = field(default_factory=list)

    def contact(self, number: int, **properties: str | None) -> None:
        """Adds a contact; all values are texts, as at HubSpot."""
        given = {"email": f"c{number}@example.com", "firstname": "Zoë", "city": "Köln"}
        given |= {"lastmodifieddate": "2026-11-01T08:00:00.123Z", **properties}
        self.contacts.append({"id": str(number), "properties": given, "archived": False})

    def tick(self, seconds: float) -> None:
        """Time goes by; ten seconds empty the burst."""
        if seconds >= 1:
            self.used = 0

    def answer(self, query: dict[str, list[str]], headers: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers for a request."""
        status, body = self._answer(query, headers)
        if status != 200:
            self.refused.append(status)
        left = {"X-HubSpot-RateLimit-Max": str(self.burst), "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}
        return status, body, left | {"X-HubSpot-RateLimit-Remaining": str(max(0, self.burst - self.used))}

    def _answer(self, query: dict[str, list[str]], headers: dict[str, str]) -> tuple[int, Any]:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"status": "error", "message": "Authentication credentials not found", "category": "INVALID"}
        self.today += 1
        self.used += 1
        if self.today > self.daily:
            return 429, {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY", "message": "daily limit"}
        if self.used > self.burst:
            return 429, {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
        limit = int(query.get("limit", ["10"])[0])
        after = query.get("after", ["0"])[0]
        if limit > 100 or set(query) - KNOWN or not after.isdigit() or any(len(v) > 1 for v in query.values()):
            return 400, {"status": "error", "message": "invalid query", "category": "VALIDATION_ERROR"}
        end = int(after) + limit
        wanted = query.get("properties", [""])[0].split(",")
        page = [
            {**contact, "properties": {name: contact["properties"].get(name) for name in wanted}}
            for contact in self.contacts[int(after) : end]
        ]
        paging = {"paging": {"next": {"after": str(end)}}} if end < len(self.contacts) else {}
        return 200, {"results": page, **paging}
