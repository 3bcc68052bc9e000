"""A stand-in of ActiveCampaign, written here from facts: contacts, tags and imports, but no status on a list."""

from __future__ import annotations

from itertools import count
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

BULK = {"email", "first_name", "last_name", "phone", "customer_acct_name", "tags", "fields"}
SINGLE = {"email", "firstName", "lastName", "phone", "fieldValues"}


class FakeActiveCampaign(Fake):
    """One account.

    Attributes:
        contacts: Id → address and what else is told.
        tags: Id → name.
        tagged: Id of an association → contact and tag.
        invalid: Addresses that are refused.
        failing: Addresses that an import leaves out, told by its status alone.
        ends_as: State in which imports end.
        says_no_in_a_success: A refused import is a 200.
        page: Things on a page, whatever is asked for.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.contacts: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, str] = {}
        self.tagged: dict[str, tuple[str, str]] = {}
        self.imports: dict[str, dict[str, Any]] = {}
        self.invalid: set[str] = set()
        self.failing: set[str] = set()
        self.ends_as, self.says_no_in_a_success, self.page = "completed", False, 100
        self.numbers = count(1)

    def inside(self, tag: str) -> set[str]:
        """Addresses with a tag."""
        return {self.contacts[contact]["email"] for contact, has in self.tagged.values() if has == tag}

    def answer(self, asked: Asked) -> Reply:
        """By method and path."""
        if asked.headers.get("api-token") != self.key:
            raise WrongRequestError("no key", 403)
        match (asked.method, *asked.path.removeprefix("/api/3/").split("/")):
            case ("GET", "contacts"):
                return self.find_contacts(asked)
            case ("GET", "contacts", number, "contactTags"):
                return self.associations(number)
            case ("GET", "tags"):
                wanted = asked.query.get("search", [""])[0].lower()
                found = [{"id": n, "tag": name, "tagType": "contact", "subscriber_count": str(len(self.inside(n)))}
                         for n, name in self.tags.items() if wanted in name.lower()]  # fmt: skip
                return self.paged(asked, "tags", found)
            case ("GET", "tags", number):
                is_there = number in self.tags
                return (
                    Reply(200, {"tag": {"id": number, "tag": self.tags[number]}})
                    if is_there
                    else Reply(404, {"message": "none"})
                )
            case ("POST", "tags"):
                return self.make_tag(asked.json)
            case ("POST", "contact", "sync"):
                return self.sync(asked.json)
            case ("POST", "contactTags"):
                return self.tag(asked.json)
            case ("DELETE", "contactTags", number):
                found = self.tagged.pop(number, None)
                return Reply(200, {}) if found else Reply(404, {"message": "No Result found for ContactTag"})
            case ("POST", "import", "bulk_import"):
                return self.take_import(asked.json, len(asked.body))
            case ("GET", "import", "info"):
                return self.info(asked.query["batchId"][0])
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that may be asked", 404)

    def find_contacts(self, asked: Asked) -> Reply:
        """By address, by tag, or all."""
        found = [{"id": n, "email": told["email"]} for n, told in self.contacts.items()]
        if "email" in asked.query:
            found = [one for one in found if one["email"] == asked.query["email"][0].lower()]
        if "tagid" in asked.query:
            inside = [contact for contact, has in self.tagged.values() if has == asked.query["tagid"][0]]
            found = [one for one in found if one["id"] in inside]
        return self.paged(asked, "contacts", found)

    def associations(self, number: str) -> Reply:
        """A contact's tags, by the association's id."""
        if number not in self.contacts:
            return Reply(404, {"message": "No Result found for Subscriber"})
        found = [
            {"id": one, "contact": contact, "tag": has}
            for one, (contact, has) in self.tagged.items()
            if contact == number
        ]
        return Reply(200, {"contactTags": found})

    def make_tag(self, body: Any) -> Reply:
        """A tag of contacts."""
        if set(body["tag"]) != {"tag", "tagType", "description"} or body["tag"]["tagType"] != "contact":
            raise WrongRequestError("no such tag")
        number = str(next(self.numbers))
        self.tags[number] = body["tag"]["tag"]
        return Reply(201, {"tag": {**body["tag"], "id": number}})

    def sync(self, body: Any) -> Reply:
        """One contact, by address."""
        told = body["contact"]
        if set(body) != {"contact"} or set(told) - SINGLE:
            raise WrongRequestError("no such contact")
        if told["email"] in self.invalid:
            errors = [
                {"title": f"{told['email']} is not valid", "code": "email_invalid", "source": {"pointer": "/data"}}
            ]
            return Reply(422, {"errors": errors})
        number, is_new = self.upserted(told)
        return Reply(201 if is_new else 200, {"contact": {"id": number, "email": told["email"]}})

    def tag(self, body: Any) -> Reply:
        """Puts a tag on a contact, once."""
        told = body["contactTag"]
        if set(told) != {"contact", "tag"} or told["contact"] not in self.contacts or told["tag"] not in self.tags:
            raise WrongRequestError("no such contact or tag")
        return Reply(201, {"contactTag": {"id": self.associated(told["contact"], told["tag"])}})

    def take_import(self, body: Any, size: int) -> Reply:
        """At most 250 contacts; one that is wrong makes all of them refused."""
        contacts = body["contacts"]
        if set(body) - {"contacts", "exclude_automations"} or not 1 <= len(contacts) <= 250 or size > 399_999:
            raise WrongRequestError("no such import")
        if any(
            set(told) - BULK or not all(isinstance(f["value"], str) for f in told.get("fields", []))
            for told in contacts
        ):
            raise WrongRequestError("no such contact")
        reasons = [{"contact": index, "failureReason": f"{told['email']} is not valid"}
                   for index, told in enumerate(contacts) if told["email"] in self.invalid]  # fmt: skip
        if reasons:
            refusal = {"success": 0, "Success": 0, "message": "validation failed", "failureReasons": reasons}
            return Reply(200 if self.says_no_in_a_success else 400, refusal)
        number = f"batch-{next(self.numbers)}"
        failed, done = [], []
        for told in contacts:
            if told["email"] in self.failing:
                failed.append(told["email"].upper())
                continue
            known = self.upserted(told)[0]
            done.append(known)
            for name in told.get("tags", []):
                self.associated(known, next(n for n, has in self.tags.items() if has == name))
        self.imports[number] = {"asked": 0, "success": done, "failure": failed}
        return Reply(200, {"Success": 1, "queued_contacts": len(contacts), "batchId": number, "message": "queued"})

    def info(self, number: str) -> Reply:
        """How far an import is."""
        found = self.imports[number]
        found["asked"] += 1
        status = ("waiting", "active", self.ends_as)[min(found["asked"], 3) - 1]
        is_done = status == self.ends_as
        return Reply(200, {"status": status, "success": found["success"] if is_done else [],
                           "failure": found["failure"] if is_done else []})  # fmt: skip

    def upserted(self, told: Any) -> tuple[str, bool]:
        """Id of a contact, and whether it is new."""
        email = told["email"].lower()
        known = next((n for n, one in self.contacts.items() if one["email"] == email), None)
        number = known or str(next(self.numbers))
        self.contacts[number] = self.contacts.get(number, {}) | told | {"email": email}
        return number, known is None

    def associated(self, contact: str, tag: str) -> str:
        """Id of the association of a contact and a tag."""
        known = next((one for one, pair in self.tagged.items() if pair == (contact, tag)), None)
        number = known or f"9{next(self.numbers)}"
        self.tagged[number] = (contact, tag)
        return number

    def paged(self, asked: Asked, name: str, found: list[Any]) -> Reply:
        """A page of 20 unless asked for more; the total is a text."""
        size, at = int(asked.query.get("limit", ["20"])[0]), int(asked.query.get("offset", ["0"])[0])
        if not 1 <= size <= 100:
            raise WrongRequestError("at most 100")
        left = {"RateLimit-Limit": "5", "RateLimit-Remaining": "4"}
        return Reply(200, {name: found[at : at + min(size, self.page)], "meta": {"total": str(len(found))}}, left)
