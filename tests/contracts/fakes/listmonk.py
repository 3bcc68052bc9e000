"""A stand-in of listmonk: subscribers, lists and subscriptions, with the rules of its own queries."""

from __future__ import annotations

import base64
import re
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

_QUERY = re.compile(r"subscribers\.email IN \(((?:'(?:[^']|'')*',?)+)\)")
_TEXT = re.compile(r"'((?:[^']|'')*)'")


class Listmonk(Fake):
    """One installation.

    Attributes:
        lists: Id → name, type, optin.
        subscribers: Id → email, name, status, attribs.
        subscriptions: (Subscriber, list) → status.
    """

    def __init__(self, user: str, token: str) -> None:
        super().__init__()
        self.credentials = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
        self.lists: dict[int, dict[str, Any]] = {1: {"name": "Opt-in list", "type": "public", "optin": "double"}}
        self.subscribers: dict[int, dict[str, Any]] = {}
        self.subscriptions: dict[tuple[int, int], str] = {}

    def refusal(self, asked: Asked, status: int) -> Any:
        return {"message": f"refused {asked.body.decode(errors='replace')} by {dict(asked.headers)}"}

    def can_fail(self, asked: Asked) -> bool:
        return asked.path == "/api/subscribers/lists"

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != self.credentials:
            return Reply(403, {"message": "invalid session"})
        if asked.path == "/api/lists" and asked.method == "GET":
            shown = [self._list(number) for number in self.lists]
            return _data({"results": shown, "total": len(shown), "per_page": 0, "page": 1})
        if asked.path == "/api/lists" and asked.method == "POST":
            return self._list_made(asked.json)
        if asked.path == "/api/subscribers" and asked.method == "GET":
            return self._found(asked)
        if asked.path == "/api/subscribers" and asked.method == "POST":
            return self._made(asked.json)
        if asked.path == "/api/subscribers/lists" and asked.method == "PUT":
            return self._moved(asked.json)
        one = re.fullmatch(r"/api/subscribers/(\d+)", asked.path)
        if one and asked.method == "PUT":
            return self._replaced(int(one[1]), asked.json)
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that is used", 404)

    def add(self, email: str, *, on: dict[int, str] | None = None, **more: Any) -> int:
        """A subscriber who is there already."""
        number = len(self.subscribers) + 1
        self.subscribers[number] = {"email": email, "name": "X", "status": "enabled", "attribs": {}, **more}
        self.subscriptions |= {(number, name): status for name, status in (on or {}).items()}
        return number

    def _list(self, number: int) -> dict[str, Any]:
        count = sum(name == number for _, name in self.subscriptions)
        return {"id": number, **self.lists[number], "subscriber_count": count}

    def _list_made(self, body: dict[str, Any]) -> Reply:
        if body.keys() != {"name", "type", "optin", "description"}:
            raise WrongRequestError(f"a list of {sorted(body)}")
        number = len(self.lists) + 1
        self.lists[number] = body
        return _data(self._list(number))

    def _found(self, asked: Asked) -> Reply:
        numbers = list(self.subscribers)
        if "query" in asked.query:
            query = _QUERY.fullmatch(asked.query["query"][0])
            if query is None:
                raise WrongRequestError(f"SQL of another kind: {asked.query['query'][0]}")
            wanted = {text.replace("''", "'") for text in _TEXT.findall(query[1])}
            numbers = [number for number in numbers if self.subscribers[number]["email"] in wanted]
        if "list_id" in asked.query:
            name = int(asked.query["list_id"][0])
            numbers = [number for number in numbers if (number, name) in self.subscriptions]
        page, most = int(asked.query.get("page", ["1"])[0]), int(asked.query["per_page"][0])
        shown = [self._subscriber(number) for number in numbers[(page - 1) * most : page * most]]
        return _data({"results": shown, "total": len(numbers), "per_page": most, "page": page})

    def _subscriber(self, number: int) -> dict[str, Any]:
        lists = [
            {"id": name, "name": self.lists[name]["name"], "subscription_status": status}
            for (one, name), status in self.subscriptions.items()
            if one == number
        ]
        return {"id": number, **self.subscribers[number], "lists": lists}

    def _made(self, body: dict[str, Any]) -> Reply:
        if body.keys() - {"email", "name", "status", "lists", "attribs"}:
            raise WrongRequestError(f"a subscriber with {sorted(body)}")
        if body["email"] != body["email"].lower() or not body["name"]:
            raise WrongRequestError("addresses in small letters, and a name")
        if any(one["email"] == body["email"] for one in self.subscribers.values()):
            return Reply(409, {"message": "E-mail already exists."})
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", body["email"]):
            return Reply(400, {"message": f"Invalid email: {body['email']}"})
        if body["lists"]:
            raise WrongRequestError("a list of double opt-in would mail at once")
        return _data(self._subscriber(self.add(body["email"], name=body["name"], attribs=body["attribs"])))

    def _replaced(self, number: int, body: dict[str, Any]) -> Reply:
        """A change replaces all; subscriptions that are not named are gone."""
        if body.keys() != {"email", "name", "status", "lists", "attribs"}:
            raise WrongRequestError(f"a change with {sorted(body)} clears what is left out")
        if body["status"] != self.subscribers[number]["status"]:
            raise WrongRequestError("the status was changed")
        self.subscribers[number] = {name: body[name] for name in ("email", "name", "status", "attribs")}
        for one, name in list(self.subscriptions):
            if one == number and name not in body["lists"]:
                del self.subscriptions[one, name]
        return _data(self._subscriber(number))

    def _moved(self, body: dict[str, Any]) -> Reply:
        if body.keys() != {"ids", "action", "target_list_ids"}:
            raise WrongRequestError(f"{sorted(body)}: a status would subscribe people again")
        if body["action"] not in ("add", "remove") or not body["ids"]:
            raise WrongRequestError(f"the action {body['action']} on {body['ids']}")
        for number in body["ids"]:
            if number not in self.subscribers:
                return Reply(500, {"message": "violates foreign key constraint"})
            for name in body["target_list_ids"]:
                if body["action"] == "add":
                    self.subscriptions.setdefault((number, name), "unconfirmed")
                else:
                    self.subscriptions.pop((number, name), None)
        return _data(True)


def _data(value: Any) -> Reply:
    return Reply(200, {"data": value})
