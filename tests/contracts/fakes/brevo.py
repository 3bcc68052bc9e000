"""A stand-in of Brevo, written here from facts: contacts, lists in folders, imports that go on for a while."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import unquote

from fakes.server import Asked, Fake, Reply, WrongRequestError

ONE_OF = ("emails", "ids", "extIds")


class FakeBrevo(Fake):
    """Contacts and lists.

    Attributes:
        contacts: Id → email, ext_id, attributes, lists, blacklisted.
        failing: Addresses that an import leaves out, telling of them in a report alone.
        stubborn: Addresses that a list neither takes nor lets go.
        asked_to_confirm: Addresses that got the mail.
        ends_as: State in which imports end.
        page: Things on a page, whatever is asked for.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.contacts: dict[int, dict[str, Any]] = {}
        self.lists: dict[int, str] = {}
        self.folders = [{"id": 5, "name": "Segmente"}]
        self.processes: dict[int, dict[str, Any]] = {}
        self.failing: set[str] = set()
        self.stubborn: set[str] = set()
        self.asked_to_confirm: list[str] = []
        self.ends_as, self.page = "completed", 500
        self.numbers = count(11)

    def put(self, *emails: str, **more: Any) -> None:
        """Makes contacts."""
        for email in emails:
            number = next(self.numbers)
            self.contacts[number] = {"id": number, "email": email, "extId": None, "attributes": {}, "listIds": [],
                                     "emailBlacklisted": False, **more}  # fmt: skip

    def inside(self, number: str) -> set[str]:
        """Addresses on a list."""
        return {one["email"] for one in self.contacts.values() if int(number) in one["listIds"]}

    def answer(self, asked: Asked) -> Reply:
        """By method and path, with the rate headers of every answer."""
        if asked.headers.get("api-key") != self.key:
            raise WrongRequestError("no key", 401)
        reply = self.done(asked)
        left = {"x-sib-ratelimit-limit": "10", "x-sib-ratelimit-remaining": "9", "x-sib-ratelimit-reset": "1"}
        return Reply(reply.status, reply.body, left)

    def done(self, asked: Asked) -> Reply:
        """The vendor's answer, with its effect."""
        body = asked.json if asked.body else None
        if body is not None and "lacklist" in str(body):
            raise WrongRequestError("an opt-out was touched")
        match (asked.method, *asked.path.removeprefix("/v3/").split("/")):
            case ("GET", "account"):
                return Reply(200, {"email": "owner@example.com", "plan": []})
            case ("GET", "contacts", "folders"):
                return Reply(200, {"folders": self.folders, "count": len(self.folders)})
            case ("GET", "contacts", "lists"):
                found = [
                    {"id": n, "name": name, "uniqueSubscribers": len(self.inside(str(n)))}
                    for n, name in self.lists.items()
                ]
                return self.paged(asked, "lists", found, 50)
            case ("POST", "contacts", "lists"):
                return self.make_list(body)
            case ("GET", "contacts", "lists", number, "contacts"):
                found = [one for one in self.contacts.values() if int(number) in one["listIds"]]
                return self.paged(asked, "contacts", found, 500)
            case ("POST", "contacts", "lists", number, "contacts", "add" | "remove" as verb):
                return self.change(int(number), verb, body)
            case ("POST", "contacts", "import"):
                return self.take_import(body, len(asked.body))
            case ("POST", "contacts"):
                return self.make(body)
            case ("POST", "contacts", "batch"):
                return self.update(body)
            case ("POST", "contacts", "doubleOptinConfirmation"):
                return self.ask_to_confirm(body)
            case ("GET", "contacts", name):
                return self.contact(asked, unquote(name))
            case ("GET", "processes", number):
                return self.process(int(number))
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that may be asked", 404)

    def make_list(self, body: Any) -> Reply:
        """A list needs a folder."""
        if set(body) != {"name", "folderId"} or body["folderId"] not in [one["id"] for one in self.folders]:
            return Reply(400, {"code": "invalid_parameter", "message": "Folder ID does not exist"})
        number = next(self.numbers)
        self.lists[number] = body["name"]
        return Reply(201, {"id": number})

    def change(self, number: int, verb: str, body: Any) -> Reply:
        """Exactly one array of at most 150; a failure is who is in or out already, or no contact."""
        if len(body) != 1 or next(iter(body)) not in ONE_OF or not 1 <= len(next(iter(body.values()))) <= 150:
            raise WrongRequestError("exactly one array of at most 150")
        ((name, values),) = body.items()
        key = {"emails": "email", "extIds": "extId", "ids": "id"}[name]
        success, failure = [], []
        for value in values:
            wanted = value.lower() if name == "emails" else value
            one = next((one for one in self.contacts.values() if one[key] == wanted), None)
            if one is None or one["email"] in self.stubborn or (number in one["listIds"]) is (verb == "add"):
                failure.append(value)
                continue
            one["listIds"] = [*one["listIds"], number] if verb == "add" else [n for n in one["listIds"] if n != number]
            success.append(wanted)
        if not success:
            return Reply(400, {"code": "invalid_parameter", "message": "Contact already in list and/or does not exist"})
        return Reply(201, {"contacts": {"success": success, "failure": failure}})

    def take_import(self, body: Any, size: int) -> Reply:
        """Creates and updates at once, and tells later."""
        known = {"jsonBody", "listIds", "updateExistingContacts", "emptyContactsAttributes", "disableNotification"}
        if set(body) - known or size > 10_000_000 or any(n not in self.lists for n in body["listIds"]):
            raise WrongRequestError("no such import")
        failed = []
        for told in body["jsonBody"]:
            if set(told) - {"email", "ext_id", "attributes"} or not isinstance(told["attributes"], dict):
                raise WrongRequestError("no such contact")
            if told.get("email") in self.failing:
                failed.append(told["email"])
                continue
            one = self.found(told)
            if one is None:
                self.put(told.get("email", ""), extId=told.get("ext_id"))
                one = self.contacts[max(self.contacts)]
            changes = told["attributes"]
            if not body.get("emptyContactsAttributes"):
                changes = {name: value for name, value in changes.items() if value != ""}
            one["attributes"] |= changes
            one["listIds"] = sorted({*one["listIds"], *body["listIds"]})
        number = next(self.numbers)
        self.processes[number] = {"asked": 0, "failed": failed}
        return Reply(202, {"processId": number})

    def make(self, body: Any) -> Reply:
        """One contact, made or changed, and put on lists."""
        if set(body) - {"email", "ext_id", "attributes", "listIds", "updateEnabled"} or not body["updateEnabled"]:
            raise WrongRequestError("no such contact")
        if body.get("email") in self.failing:
            return Reply(400, {"code": "invalid_parameter", "message": f"{body['email']} is not valid"})
        one = self.found(body)
        is_new = one is None
        if one is None:
            self.put(body.get("email", ""), extId=body.get("ext_id"))
            one = self.contacts[max(self.contacts)]
        one["attributes"] |= body.get("attributes", {})
        one["listIds"] = sorted({*one["listIds"], *body["listIds"]})
        return Reply(201, {"id": one["id"]}) if is_new else Reply(204)

    def update(self, body: Any) -> Reply:
        """Only those who are there, and nothing is said of the others."""
        if set(body) != {"contacts"} or any(set(told) - {"email", "ext_id", "attributes"} for told in body["contacts"]):
            raise WrongRequestError("no such update")
        for told in body["contacts"]:
            one = self.found(told)
            if one is not None:
                one["attributes"] |= told["attributes"]
        return Reply(204)

    def ask_to_confirm(self, body: Any) -> Reply:
        """Somebody gets a mail; until it is answered nothing else happens."""
        if not {"email", "includeListIds", "templateId", "redirectionUrl"} <= set(body):
            raise WrongRequestError("something is missing")
        if body["email"] in self.failing:
            return Reply(400, {"code": "invalid_parameter", "message": f"{body['email']} is not valid"})
        self.asked_to_confirm.append(body["email"])
        return Reply(201, None)

    def contact(self, asked: Asked, name: str) -> Reply:
        """One contact, with the lists it is on."""
        kind = asked.query.get("identifierType", ["email_id"])[0]
        if kind not in ("email_id", "ext_id", "contact_id", "phone_id"):
            raise WrongRequestError("no such kind of identifier")
        one = self.found({"email" if kind == "email_id" else "ext_id": name})
        return (
            Reply(404, {"code": "document_not_found", "message": "Contact does not exist"})
            if one is None
            else Reply(200, one)
        )

    def process(self, number: int) -> Reply:
        """How far an import is."""
        process = self.processes[number]
        process["asked"] += 1
        status = ("queued", "in_process", self.ends_as)[min(process["asked"], 3) - 1]
        report = {"invalid_emails": "https://img.example/report.csv" if process["failed"] else ""}
        done = {"info": {"import": report}} if status == "completed" else {}
        return Reply(200, {"id": number, "name": "IMPORTUSER", "status": status, **done})

    def found(self, told: Any) -> dict[str, Any] | None:
        """The contact of an address or of an id of one's own."""
        email, own = (told.get("email") or "").lower(), told.get("ext_id")
        return next((one for one in self.contacts.values() if (email and one["email"].lower() == email)
                     or (own and one["extId"] == own)), None)  # fmt: skip

    def paged(self, asked: Asked, name: str, found: list[Any], most: int) -> Reply:
        """A page; an empty one has no list at all."""
        size, at = int(asked.query["limit"][0]), int(asked.query["offset"][0])
        if not 1 <= size <= most:
            raise WrongRequestError("too many on a page")
        part = found[at : at + min(size, self.page)]
        return Reply(200, {"count": len(found), **({name: part} if part else {})})
