"""A stand-in of CleverReach, written here from facts: one group of receivers with tags, and a token of its own."""

from __future__ import annotations

import base64
from itertools import count
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

GROUP = "4711"


class FakeCleverReach(Fake):
    """A group.

    Attributes:
        receivers: Address → what is known, `activated` and `deactivated` among it.
        blacklist: Addresses of the account's.
        group_blacklist: Addresses of the group's.
        invalid: Addresses that a call answers to with an error of their own, inside a success.
        error_inside: Code of an error that the next change answers with, inside a success.
        page: Receivers on a page, whatever is asked for.
    """

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.receivers: dict[str, dict[str, Any]] = {}
        self.blacklist: set[str] = set()
        self.group_blacklist: set[str] = set()
        self.invalid: set[str] = set()
        self.error_inside: int | None = None
        self.tokens = 0
        self.page = 500
        self.numbers = count(1)

    def put(self, *emails: str, **more: Any) -> None:
        """Puts receivers into the group."""
        for email in emails:
            self.receivers[email] = {"id": str(next(self.numbers)), "email": email, "activated": 1, "deactivated": 0,
                                     "tags": [], "attributes": {}, "global_attributes": {}, **more}  # fmt: skip

    def inside(self, tag: str) -> set[str]:
        """Addresses with a tag."""
        return {email for email, one in self.receivers.items() if tag in one["tags"]}

    def can_fail(self, asked: Asked) -> bool:
        """Only what changes something."""
        return asked.path.startswith(f"/v3/groups/{GROUP}/receivers/")

    def answer(self, asked: Asked) -> Reply:
        """By method and path; nothing deletes, clears, activates or deactivates."""
        if asked.path == "/oauth/token.php":
            return self.token(asked)
        if asked.headers.get("authorization") != f"Bearer token-{self.tokens}":
            raise WrongRequestError("no token", 401)
        path = asked.path.removeprefix("/v3")
        match (asked.method, path):
            case ("GET", "/debug/whoami"):
                return Reply(200, {"id": "1", "email": "owner@example.com"})
            case ("GET", "/blacklist"):
                return Reply(200, [{"email": email, "comment": ""} for email in sorted(self.blacklist)])
            case ("GET", "/groups/4711/blacklist"):
                return Reply(200, [{"email": email} for email in sorted(self.group_blacklist)])
            case ("GET", "/groups/4711"):
                return Reply(200, {"id": GROUP, "name": "Newsletter"})
            case ("GET", other) if other.startswith("/groups/"):
                return Reply(404, {"error": {"code": 404, "message": "Not Found"}})
            case ("POST", "/receivers/filter"):
                return self.filtered(asked.json)
            case ("PUT" | "POST", "/groups/4711/receivers/updateplus" | "/groups/4711/receivers/insert"):
                return self.changed(asked, path.rpartition("/")[2])
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that may be asked", 404)

    def token(self, asked: Asked) -> Reply:
        """A token for basic credentials, at the root."""
        told = base64.b64decode(asked.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if told != f"{self.secret}:{self.secret}" or asked.form.get("grant_type") != "client_credentials":
            raise WrongRequestError("no client", 401)
        self.tokens += 1
        return Reply(200, {"access_token": f"token-{self.tokens}", "expires_in": 3600, "token_type": "bearer"})

    def filtered(self, body: Any) -> Reply:
        """Receivers of groups by rules; `contains` takes a part of a tag for the tag."""
        if body["groups"] != [GROUP] or body["operator"] not in ("AND", "OR") or not 1 <= body["pagesize"] <= 1000:
            raise WrongRequestError("no such filter")
        hits = [one for one in self.receivers.values() if any(_fits(one, rule) for rule in body["rules"])]
        size = min(body["pagesize"], self.page)
        found = hits[body["page"] * size : (body["page"] + 1) * size]
        return Reply(
            200, [one if body["detail"] & 4 else {k: v for k, v in one.items() if k != "tags"} for one in found]
        )

    def changed(self, asked: Asked, verb: str) -> Reply:
        """Receivers are updated or made, each with a state of its own."""
        if (asked.method, verb) not in (("PUT", "updateplus"), ("POST", "insert")) or not 1 <= len(asked.json) <= 250:
            raise WrongRequestError("no such change")
        if self.error_inside is not None:
            code, self.error_inside = self.error_inside, None
            return Reply(200, {"error": {"code": code, "message": f"refused {asked.body.decode()}"}})
        return Reply(200, [self.one(told, verb) for told in asked.json])

    def one(self, told: Any, verb: str) -> Any:
        """What becomes of one receiver."""
        known = {
            "email",
            "tags",
            "attributes",
            "global_attributes",
            *(("source", "registered", "activated") if verb == "insert" else ()),
        }
        if set(told) - known:
            raise WrongRequestError("this could wake somebody")
        email = told["email"]
        there = self.receivers.get(email)
        if email in self.invalid:
            return {"email": email, "status": "error", "error": {"code": 400, "message": f"{email} is invalid"}}
        if (there is None) is (verb == "updateplus"):
            return {"email": email, "status": f"{verb} failed"}
        if there is None:
            # Who is made without a word about it becomes active.
            self.put(email, activated=int(told.get("activated", told["registered"])))
            there = self.receivers[email]
        for tag in told.get("tags", []):
            gone = tag.removeprefix("-")
            there["tags"] = [has for has in there["tags"] if has != gone] + ([tag] if tag == gone else [])
        for scope in ("attributes", "global_attributes"):
            there[scope] = {**there[scope], **told.get(scope, {})}
        return {"id": there["id"], "email": email, "status": f"{verb} success"}


def _fits(one: Any, rule: Any) -> bool:
    match (rule["field"], rule["logic"]):
        case ("email", "eq"):
            return bool(one["email"] == rule["condition"])
        case ("tags", "contains"):
            return any(rule["condition"] in tag for tag in one["tags"])
    raise WrongRequestError("no such rule")
