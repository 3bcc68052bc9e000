"""A stand-in of Mautic: contacts, segments and who is in them; an empty map comes as a list, as PHP has it."""

from __future__ import annotations

import base64
import re
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

_FIELDS = frozenset({"email", "firstname", "first_name", "lastname", "city", "points"})


class Mautic(Fake):
    """One installation.

    Attributes:
        contacts: Id → fields.
        segments: Id → name, alias, filters.
        inside: (Segment, contact).
        refused: Addresses that are refused.
        tokens: How many were handed out; the last is good.
    """

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self.basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.contacts: dict[int, dict[str, Any]] = {}
        self.segments: dict[int, dict[str, Any]] = {
            7: {"name": "Von Hand", "alias": "von-hand", "filters": []},
            8: {"name": "Kunden", "alias": "kunden", "filters": [{"field": "city"}]},
        }
        self.inside: set[tuple[int, int]] = set()
        self.refused: set[str] = set()
        self.is_reversed = False
        self.outsiders: set[int] = set()
        self.tokens = 0

    def refusal(self, asked: Asked, status: int) -> Any:
        words = f"refused {asked.body.decode(errors='replace')} by {dict(asked.headers)}"
        return {"errors": [{"code": status, "message": words, "details": []}]}

    def can_fail(self, asked: Asked) -> bool:
        return asked.path == "/api/contacts/batch/new" or asked.path.endswith("/remove")

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/oauth/v2/token":
            self.tokens += 1
            return Reply(200, {"access_token": f"token-number-{self.tokens}", "expires_in": 3600})
        if asked.headers.get("authorization") not in (self.basic, f"Bearer token-number-{self.tokens}"):
            return Reply(401, {"errors": [{"code": 401, "message": "access_denied"}]})
        return self._entered(asked)

    def _entered(self, asked: Asked) -> Reply:
        method, path = asked.method, asked.path.removeprefix("/api")
        one = re.fullmatch(r"/segments/(\d+)(?:/contacts/add|/contact/(\d+)/remove)?", path)
        if method == "GET" and path == "/segments":
            return self._page(asked, "lists", {n: {"id": n, **segment} for n, segment in self.segments.items()})
        if method == "POST" and path == "/segments/new":
            return self._segment_made(asked.json)
        if method == "GET" and path == "/contacts":
            return self._page(asked, "contacts", {n: self._shown(n) for n in self._searched(asked.query["search"][0])})
        if method == "POST" and path == "/contacts/batch/new":
            return self._batch(asked.json)
        if one and method == "GET" and path.endswith(one[1]):
            return Reply(200, {"list": {"id": int(one[1]), **self.segments[int(one[1])]}})
        if one and method == "POST" and one[2]:
            return self._taken_out(int(one[1]), int(one[2]))
        if one and method == "POST" and path.endswith("/contacts/add"):
            return self._put_in(int(one[1]), asked.json)
        raise WrongRequestError(f"{method} {path} is nothing that is used", 404)

    def add(self, email: str, **fields: Any) -> int:
        """A contact who is there already."""
        number = 100 + len(self.contacts)
        self.contacts[number] = {"email": email, **fields}
        return number

    def _shown(self, number: int) -> dict[str, Any]:
        return {"id": number, "fields": {"core": {}, "all": {"id": str(number), **self.contacts[number]}}}

    def _searched(self, text: str) -> list[int]:
        what, _, value = text.partition(":")
        if what == "email":
            return [n for n, one in self.contacts.items() if value in one["email"]]
        if what == "segment":
            (segment,) = (n for n, one in self.segments.items() if one["alias"] == value)
            return sorted(n for one, n in self.inside if one == segment)
        raise WrongRequestError(f"a search for {what}")

    def _page(self, asked: Asked, name: str, found: dict[int, Any]) -> Reply:
        start, most = int(asked.query.get("start", ["0"])[0]), min(3, int(asked.query["limit"][0]))
        shown = dict(list(found.items())[start : start + most])
        return Reply(200, {"total": str(len(found)), name: {str(n): one for n, one in shown.items()} or []})

    def _segment_made(self, body: dict[str, Any]) -> Reply:
        if body.keys() != {"name", "isPublished", "description"}:
            raise WrongRequestError(f"a segment of {sorted(body)}")
        number = 10 + len(self.segments)
        self.segments[number] = {"name": body["name"], "alias": f"alias-{number}", "filters": []}
        return Reply(201, {"list": {"id": number, **self.segments[number]}})

    def _batch(self, body: list[dict[str, Any]]) -> Reply:
        if not 1 <= len(body) <= 200:
            return Reply(500, {"errors": [{"code": 500, "message": "batch of more than 200"}]})
        contacts, errors, codes = {}, {}, {}
        for at, told in enumerate(body):
            if told.keys() - _FIELDS:
                raise WrongRequestError(f"not a field: {sorted(told.keys() - _FIELDS)}")
            if told["email"] in self.refused:
                errors[str(at)] = {"code": 400, "message": f"email: {told['email']} is invalid.", "details": {}}
                codes[str(at)] = 400
                continue
            there = [n for n, one in self.contacts.items() if one["email"] == told["email"]]
            number = there[0] if there else self.add(told["email"])
            self.contacts[number] |= told
            contacts[str(at)], codes[str(at)] = self._shown(number), 200 if there else 201
        items = list(contacts.values())
        shown = contacts if errors else items[::-1] if self.is_reversed else items
        return Reply(201, {"contacts": shown, "statusCodes": codes, **({"errors": errors} if errors else {})})

    def _put_in(self, segment: int, body: dict[str, Any]) -> Reply:
        if segment not in self.segments:
            raise WrongRequestError("no such segment", 404)
        details = {}
        for number in body["ids"]:
            is_there = number in self.contacts and number not in self.outsiders
            details[str(number)] = {"success": is_there}
            if is_there:
                self.inside.add((segment, number))
        return Reply(200, {"success": 1, "details": details or []})

    def _taken_out(self, segment: int, number: int) -> Reply:
        if number not in self.contacts:
            return Reply(404, {"errors": [{"code": 404, "message": "Item was not found."}]})
        self.inside.discard((segment, number))
        return Reply(200, {"success": 1})
