"""A stand-in of SendGrid's marketing contacts: imports are jobs, contacts have ids, and searches may lag behind."""

from __future__ import annotations

import re
import uuid
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_KNOWN_BY = ("email", "phone_number_id", "external_id", "anonymous_id")
_FIELDS = frozenset({*_KNOWN_BY, "first_name", "last_name", "city", "country", "custom_fields"})
_PREFIX = "/v3/marketing"


class SendGrid(Fake):
    """One account.

    Attributes:
        lists: Id → name.
        contacts: Id → fields.
        inside: (List, contact).
        refused: Identifiers that an import refuses.
        lag: So many searches find nobody.
        ends_as: What jobs end as.
        tells: Whether the report on errors can be read.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.url = ""
        self.lists: dict[str, str] = {_id("somebody's"): "somebody's"}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.inside: set[tuple[str, str]] = set()
        self.refused: set[str] = set()
        self.lag = 0
        self.ends_as = "completed"
        self.tells = True
        self.jobs: dict[str, dict[str, Any]] = {}

    def can_fail(self, asked: Asked) -> bool:
        return asked.method in ("PUT", "DELETE")

    def refusal(self, asked: Asked, status: int) -> Any:
        words = f"refused {asked.body.decode(errors='replace')} {asked.url} by {dict(asked.headers)}"
        return {"errors": [{"message": words, "field": "contacts[0]", "error_id": "x"}]}

    def answer(self, asked: Asked) -> Reply:
        if asked.path.startswith("/report/"):
            return self._report(asked)
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return Reply(401, {"errors": [{"message": "authorization required"}]})
        method, path = asked.method, asked.path.removeprefix(_PREFIX)
        if path == "/lists":
            return self._page(asked) if method == "GET" else self._list_made(asked.json)
        if (method, path) == ("PUT", "/contacts"):
            return self._imported(asked.json)
        if method == "GET" and path.startswith("/contacts/imports/"):
            return self._state(path.rpartition("/")[2])
        if method == "POST" and path.startswith("/contacts/search/"):
            return self._searched(path.removeprefix("/contacts/search/"), asked.json)
        one = re.fullmatch(rf"/lists/({_UUID.pattern})/contacts", path)
        if one and method == "DELETE":
            return self._left(one[1], asked.query["contact_ids"][0].split(","))
        raise WrongRequestError(f"{method} {path} is nothing that is used", 404)

    def _page(self, asked: Asked) -> Reply:
        start = int(asked.query.get("page_token", ["0"])[0])
        shown = [
            {"id": name, "name": title, "contact_count": sum(one == name for one, _ in self.inside)}
            for name, title in list(self.lists.items())[start : start + 2]
        ]
        link = f"https://elsewhere.example.com{_PREFIX}/lists?page_size=2&page_token={start + 2}"
        more = {"next": link} if start + 2 < len(self.lists) else {}
        return Reply(200, {"result": shown, "_metadata": {"count": len(self.lists), **more}})

    def _list_made(self, body: dict[str, Any]) -> Reply:
        if body.keys() != {"name"} or not 1 <= len(body["name"]) <= 100:
            raise WrongRequestError("a list has a name of 1 to 100 signs")
        self.lists[_id(body["name"])] = body["name"]
        return Reply(201, {"id": _id(body["name"]), "name": body["name"], "contact_count": 0})

    def _imported(self, body: dict[str, Any]) -> Reply:
        if body.keys() - {"list_ids", "contacts"} or not 1 <= len(body["contacts"]) <= 30_000:
            raise WrongRequestError("1 to 30,000 contacts, and lists")
        if any(name not in self.lists for name in body.get("list_ids", [])):
            raise WrongRequestError("no such list", 404)
        bad, counts = [], {"created": 0, "updated": 0}
        for told in body["contacts"]:
            if told.keys() - _FIELDS or not set(told) & set(_KNOWN_BY):
                raise WrongRequestError(f"a contact with {sorted(told)}")
            if self.refused & {str(told.get(name)) for name in _KNOWN_BY}:
                bad.append(told)
                continue
            number = next((n for n, one in self.contacts.items() if _is_same(one, told)), None)
            counts["created" if number is None else "updated"] += 1
            number = number or _id(f"contact {len(self.contacts)}")
            self.contacts[number] = {**self.contacts.get(number, {}), **told}
            self.inside |= {(name, number) for name in body.get("list_ids", [])}
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = {"bad": bad, "counts": counts, "asked": 0, "count": len(body["contacts"])}
        return Reply(202, {"job_id": job})

    def _state(self, name: str) -> Reply:
        job = self.jobs[name]
        job["asked"] += 1
        if job["asked"] == 1:
            return Reply(200, {"id": name, "status": "pending", "job_type": "upsert_contacts"})
        results = {"requested_count": job["count"], "errored_count": len(job["bad"]), "deleted_count": 0}
        results |= {f"{what}_count": count for what, count in job["counts"].items()}
        if job["bad"]:
            results["errors_url"] = f"{self.url}/report/{name}?X-Signature=secret"
        return Reply(200, {"id": name, "status": self.ends_as, "job_type": "upsert_contacts", "results": results})

    def _report(self, asked: Asked) -> Reply:
        if "authorization" in asked.headers:
            raise WrongRequestError("the key went to where reports are kept")
        if not self.tells:
            return Reply(403, raw=b"<Error>expired</Error>", headers={"Content-Type": "application/xml"})
        bad = self.jobs[asked.path.rpartition("/")[2]]["bad"]
        lines = [f'"{one.get("email", "")}",{one.get("external_id", "")},"bad contact"' for one in bad]
        text = "\n".join(["email,external_id,error", *lines])
        return Reply(200, raw=text.encode(), headers={"Content-Type": "text/csv"})

    def _searched(self, kind: str, body: dict[str, Any]) -> Reply:
        name, key = ("email", "emails") if kind == "emails" else (kind.removeprefix("identifiers/"), "identifiers")
        if body.keys() != {key} or not 1 <= len(body[key]) <= 100 or name not in _KNOWN_BY:
            raise WrongRequestError("a search has 1 to 100 identifiers of one kind")
        if self.lag:
            self.lag -= 1
            return Reply(404, {"errors": [{"message": "not found"}]})
        found = {
            value: {"contact": {"id": number, **one, **self._more(number)}}
            for value in body[key]
            for number, one in self.contacts.items()
            if str(one.get(name)).lower() == value.lower()
        }
        if not found:
            return Reply(404, {"errors": [{"message": "not found"}]})
        missing = {value: {"error": "contact not found"} for value in body[key] if value not in found}
        return Reply(200, {"result": {**found, **missing}})

    def _more(self, number: str) -> dict[str, Any]:
        at = "2026-11-22T06:00:00Z"
        lists = [name for name, one in self.inside if one == number]
        return {"list_ids": lists, "segment_ids": [], "created_at": at, "updated_at": at}

    def _left(self, name: str, numbers: list[str]) -> Reply:
        if not all(_UUID.fullmatch(number) for number in numbers):
            raise WrongRequestError("contact ids are UUIDs")
        self.inside -= {(name, number) for number in numbers}
        return Reply(202, {"job_id": "job-of-removal"})


def _is_same(one: dict[str, Any], told: dict[str, Any]) -> bool:
    return any(told.get(name) and told.get(name) == one.get(name) for name in _KNOWN_BY)


def _id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))
