"""A stand-in of HubSpot, written here from facts: like its lists and contacts in shape, not made or checked by it."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import unquote

from fakes.server import Asked, Fake, Reply, WrongRequestError

LISTS, CONTACTS = "/crm/v3/lists", "/crm/v3/objects/contacts"


class FakeHubSpot(Fake):
    """Lists and contacts.

    Attributes:
        lists: Id → name and way of processing.
        members: Id of a list → record ids.
        contacts: Record id → properties.
        merged: Record id that is gone → the one that stays.
        refused: Address → category of the error that an upsert of it meets.
        names_traces: Errors say which input they are about.
        is_daily: The day's limit is used up.
        is_reversed: Results come in another order.
        late: Record ids that lists do not know yet.
        traces_results: Results say which input they are of; the older version does not.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.lists: dict[str, tuple[str, str]] = {}
        self.members: dict[str, list[str]] = {}
        self.contacts: dict[str, dict[str, str]] = {}
        self.unseen: set[str] = set()
        self.refused: dict[str, str] = {}
        self.names_traces, self.is_daily, self.is_reversed, self.traces_results = True, False, False, False
        self.is_silent = False
        self.late: set[str] = set()
        self.page = 250
        self.numbers = count(101)

    def can_fail(self, asked: Asked) -> bool:
        """Only what changes something."""
        return asked.method == "PUT" or asked.path == f"{CONTACTS}/batch/upsert"

    def answer(self, asked: Asked) -> Reply:
        """By method and path, with the rate headers of every answer."""
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            raise WrongRequestError("no token", 401)
        headers = {"X-HubSpot-RateLimit-Max": "100", "X-HubSpot-RateLimit-Remaining": "99",
                   "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}  # fmt: skip
        if self.is_daily:
            body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY", "message": "daily limit"}
            return Reply(429, body, headers)
        status, body = self.done(asked)
        return Reply(status, body, headers)

    def done(self, asked: Asked) -> tuple[int, Any]:
        """Status and body."""
        if asked.path.startswith(CONTACTS):
            return self.of_contacts(asked, asked.path.removeprefix(CONTACTS))
        path = asked.path.removeprefix(LISTS)
        match (asked.method, *path.strip("/").split("/")):
            case ("POST", ""):
                return self.make_list(asked.json)
            case ("POST", "search"):
                return self.search_lists(asked.json)
            case ("GET", "object-type-id", "0-1", "name", name):
                wanted = unquote(name).lower()
                return self.one_list(next((n for n, (has, _) in self.lists.items() if has.lower() == wanted), None))
            case ("GET", number):
                return self.one_list(number if number in self.lists else None)
            case ("GET", number, "memberships"):
                return self.paged(asked, number)
            case ("PUT", number, "memberships", "add" | "remove" as verb):
                return self.change(number, verb, asked.json)
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that the service has", 404)

    def make_list(self, body: Any) -> tuple[int, Any]:
        """A static list; names are unique whatever their case."""
        if set(body) != {"name", "objectTypeId", "processingType"} or body["objectTypeId"] != "0-1":
            raise WrongRequestError("no such list")
        if body["name"].lower() in [name.lower() for name, _ in self.lists.values()]:
            return 400, {"status": "error", "message": "The name is taken", "subCategory": "ILS.DUPLICATE_LIST_NAMES"}
        number = str(next(self.numbers))
        self.lists[number], self.members[number] = (body["name"], body["processingType"]), []
        return 200, self.one_list(number)[1]

    def one_list(self, number: str | None) -> tuple[int, Any]:
        """A list, or none; some are out of sight for a while."""
        if number is None or number in self.unseen:
            self.unseen.discard(number or "")
            return 404, {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "List does not exist"}
        name, way = self.lists[number]
        return 200, {"list": {"listId": number, "name": name, "processingType": way, "objectTypeId": "0-1"}}

    def search_lists(self, body: Any) -> tuple[int, Any]:
        """Lists by their way of processing, a page of them."""
        found = [n for n, (_, way) in self.lists.items() if way in body["processingTypes"]]
        at = body["offset"]
        part = found[at : at + min(body["count"], self.page)]
        sizes = {n: {"hs_list_size": str(len(self.members[n]))} for n in part}
        lists = [{"listId": n, "name": self.lists[n][0], "additionalProperties": sizes[n]} for n in part]
        return 200, {
            "lists": lists,
            "hasMore": at + len(part) < len(found),
            "offset": at + len(part),
            "total": len(found),
        }

    def paged(self, asked: Asked, number: str) -> tuple[int, Any]:
        """Members of a list."""
        limit, at = int(asked.query["limit"][0]), int(asked.query.get("after", ["0"])[0])
        if not 1 <= limit <= 250:
            raise WrongRequestError("no such page")
        end = at + min(limit, self.page)
        found = [
            {"recordId": one, "membershipTimestamp": "2026-11-22T06:00:00Z"} for one in self.members[number][at:end]
        ]
        return 200, {
            "results": found,
            **({"paging": {"next": {"after": str(end)}}} if end < len(self.members[number]) else {}),
        }

    def change(self, number: str, verb: str, ids: Any) -> tuple[int, Any]:
        """A bare array of ids; unknown ones, and those in or out already, are ignored."""
        if not isinstance(ids, list) or not ids or len(ids) > 1000 or not all(isinstance(one, str) for one in ids):
            raise WrongRequestError("a bare array of record ids is wanted")
        if self.lists[number][1] == "DYNAMIC":
            raise WrongRequestError("the list computes its members")
        missing = [one for one in ids if one not in self.contacts or one in self.late]
        there = set(self.members[number])
        moved = [one for one in ids if one not in missing and (one in there) is (verb == "remove")]
        self.members[number] = [one for one in [*self.members[number], *(moved if verb == "add" else [])]
                                if verb == "add" or one not in moved]  # fmt: skip
        added, removed = (moved, []) if verb == "add" else ([], moved)
        return 200, {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing}

    def of_contacts(self, asked: Asked, path: str) -> tuple[int, Any]:
        """Contacts: one page, or a batch."""
        if (asked.method, path) == ("GET", ""):
            return 200, {"results": []}
        body = asked.json if asked.method == "POST" else {}
        if path == "/batch/read":
            return self.read(body)
        if path == "/batch/upsert":
            return self.upsert(body["inputs"])
        raise WrongRequestError(f"{path} is nothing that the service has", 404)

    def read(self, body: Any) -> tuple[int, Any]:
        """Contacts by id or property; those who are missing make it a 207."""
        names = [one["id"] for one in body["inputs"]]
        if not 1 <= len(names) <= 100 or set(body) - {"inputs", "properties", "idProperty"}:
            raise WrongRequestError("at most 100")
        by = body.get("idProperty")
        found = [(n, told) for n, told in self.contacts.items() if (told.get(by) if by else n) in names]
        results = [{"id": n, "properties": {name: told.get(name) for name in body["properties"]}} for n, told in found]
        errors = [{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "some are missing"}]
        is_whole = len(found) == len(names)
        return (200, {"status": "COMPLETE", "results": results}) if is_whole else (
            207, {"status": "COMPLETE", "results": results, "numErrors": 1, "errors": errors})  # fmt: skip

    def upsert(self, inputs: list[Any]) -> tuple[int, Any]:
        """Contacts by a unique property; two of one id in a batch are refused, as are values that are no text."""
        ids = [one["id"] for one in inputs]
        if len(ids) != len(set(ids)) or not 1 <= len(ids) <= 100:
            raise WrongRequestError("doublets, or too many")
        results, errors = [], []
        for one in inputs:
            if not all(isinstance(value, str) for value in one["properties"].values()):
                raise WrongRequestError("all values are text")
            if one["id"] in self.refused:
                context = {"objectWriteTraceId": [one["objectWriteTraceId"]]} if self.names_traces else {}
                errors.append({"status": "error", "category": self.refused[one["id"]], "context": context,
                               "message": f"Property values were not valid for {one['id']}"})  # fmt: skip
                continue
            known = next((n for n, told in self.contacts.items() if told.get(one["idProperty"]) == one["id"]), None)
            number = known or str(next(self.numbers))
            self.contacts[number] = self.contacts.get(number, {}) | one["properties"]
            traced = {"objectWriteTraceId": one["objectWriteTraceId"]} if self.traces_results else {}
            results.append({"id": number, "new": known is None, "properties": dict(self.contacts[number]), **traced})
        results = results[::-1] if self.is_reversed else results
        if self.is_silent:
            results = []
        body = {"status": "COMPLETE", "results": results}
        # A 200 with errors in it comes as well as a 207.
        return (200 if self.is_reversed or not errors else 207), body | (
            {"numErrors": len(errors), "errors": errors} if errors else {}
        )
