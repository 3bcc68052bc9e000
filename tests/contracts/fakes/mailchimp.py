"""A stand-in of Mailchimp, written here from facts: one list with members and static segments."""

from __future__ import annotations

import base64
import hashlib
from itertools import count
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

LIST = "a1b2c3d4e5"
STATUSES = {"subscribed", "unsubscribed", "cleaned", "pending", "transactional"}


def hashed(email: str) -> str:
    """How a member is named in a path."""
    return hashlib.md5(email.lower().encode()).hexdigest()


class FakeMailchimp(Fake):
    """A list.

    Attributes:
        members: Hash → member with address, status and merge fields.
        segments: Id → name.
        inside: Id of a segment → hashes of its members.
        required: Merge fields that must not be empty.
        gone: Addresses that were deleted for good.
        stubborn: Addresses that a segment neither takes nor lets go, with an error.
        is_crowded: Too many connections are open.
        page: Members on a page, whatever is asked for.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.members: dict[str, dict[str, Any]] = {}
        self.segments: dict[str, str] = {}
        self.inside: dict[str, list[str]] = {}
        self.required: set[str] = set()
        self.gone: set[str] = set()
        self.stubborn: set[str] = set()
        self.is_crowded, self.page = False, 1000
        self.numbers = count(49_001)

    def put(self, *emails: str, status: str = "subscribed") -> None:
        """Puts people on the list."""
        for email in emails:
            self.members[hashed(email)] = {"email_address": email, "status": status, "merge_fields": {}}

    def can_fail(self, asked: Asked) -> bool:
        """What fails is a change of a segment."""
        return asked.method == "POST" and asked.path.startswith(f"/3.0/lists/{LIST}/segments/")

    def answer(self, asked: Asked) -> Reply:
        """By method and path; nothing archives, deletes or empties."""
        if self.is_crowded:
            return Reply(403, raw=b"<html>Forbidden</html>", headers={"Content-Type": "text/html"})
        name, _, key = (
            base64.b64decode(asked.headers.get("authorization", "").removeprefix("Basic ")).decode().partition(":")
        )
        if not name or key != self.key:
            raise WrongRequestError("no key", 401)
        match (asked.method, *asked.path.removeprefix("/3.0/lists/").split("/")):
            case ("GET", one) if one == LIST:
                return Reply(200, {"id": LIST, "name": "Newsletter", "double_optin": False})
            case ("GET", one, "segments") if one == LIST:
                return self.list_segments(asked)
            case ("POST", one, "segments") if one == LIST:
                return self.make_segment(asked.json)
            case ("POST", one, "segments", number) if one == LIST:
                return self.change(number, asked.json)
            case ("GET", one, "segments", number, "members") if one == LIST:
                return self.list_members(asked, number)
            case ("GET", one, "members", member) if one == LIST:
                return self.member(member)
            case ("PATCH", one, "members", member) if one == LIST:
                return self.write(member, asked.json)
            case ("POST", one) if one == LIST:
                return self.add_members(asked.json)
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that may be asked", 404)

    def list_segments(self, asked: Asked) -> Reply:
        """Static ones."""
        if asked.query.get("type") != ["static"]:
            raise WrongRequestError("saved segments are none of ours")
        found = [{"id": int(n), "name": name, "member_count": len(self.inside[n])} for n, name in self.segments.items()]
        return self.paged(asked, "segments", found)

    def make_segment(self, body: Any) -> Reply:
        """An empty one."""
        if set(body) != {"name", "static_segment"} or body["static_segment"]:
            raise WrongRequestError("an empty static segment is wanted")
        number = str(next(self.numbers))
        self.segments[number], self.inside[number] = body["name"], []
        return Reply(200, {"id": int(number), "name": body["name"], "type": "static"})

    def change(self, number: str, body: Any) -> Reply:
        """At most 500 of each; addresses that are not on the list are ignored."""
        if (
            set(body) - {"members_to_add", "members_to_remove"}
            or not body
            or any(len(part) > 500 for part in body.values())
        ):
            raise WrongRequestError("no such change")
        inside, errors = self.inside[number], []
        changed: dict[str, list[Any]] = {"members_to_add": [], "members_to_remove": []}
        for what, emails in body.items():
            for email in emails:
                one = hashed(email)
                if one not in self.members:
                    continue
                if email in self.stubborn:
                    errors.append({"email_addresses": [email], "error": f"Could not change {email}"})
                elif (one in inside) is (what == "members_to_add"):
                    errors.append({"email_addresses": [email], "error": "The member is there already, or not at all"})
                else:
                    _ = inside.append(one) if what == "members_to_add" else inside.remove(one)
                    changed[what].append({"id": one, "email_address": self.members[one]["email_address"].upper()})
        return Reply(200, {
            "members_added": changed["members_to_add"], "members_removed": changed["members_to_remove"],
            "errors": errors,
            "total_added": len(changed["members_to_add"]), "total_removed": len(changed["members_to_remove"]),
            "error_count": len(errors),
        })  # fmt: skip

    def list_members(self, asked: Asked, number: str) -> Reply:
        """Only who is subscribed, unless the others are asked for."""
        asked_for = {name.removeprefix("include_") for name in asked.query if name.startswith("include_")} | {
            "subscribed"
        }
        found = [{"id": one, **self.members[one]} for one in self.inside[number]
                 if self.members[one]["status"] in asked_for]  # fmt: skip
        return self.paged(asked, "members", found)

    def member(self, one: str) -> Reply:
        """Somebody on the list, with the static segments as tags."""
        if one not in self.members:
            return Reply(404, {"type": "about:blank", "title": "Resource Not Found", "status": 404, "detail": "none"})
        tags = [
            {"id": int(number), "name": self.segments[number]} for number, there in self.inside.items() if one in there
        ]
        return Reply(200, {**self.members[one], "tags": tags})

    def write(self, one: str, body: Any) -> Reply:
        """Merge fields of somebody who is there, and nothing else."""
        if set(body) != {"merge_fields"}:
            raise WrongRequestError("a change of status")
        if one not in self.members:
            return Reply(404, {"title": "Resource Not Found", "status": 404, "detail": "none"})
        empty = [name for name in self.required if body["merge_fields"].get(name) == ""]
        if empty:
            errors = [{"field": empty[0], "message": "This value should not be blank."}]
            return Reply(400, {"title": "Invalid Resource", "status": 400, "detail": "a merge field", "errors": errors})
        self.members[one]["merge_fields"] |= body["merge_fields"]
        return Reply(200, self.members[one])

    def add_members(self, body: Any) -> Reply:
        """New people, up to 500; nobody who is there is touched."""
        if body.get("update_existing") is not False or body.get("sync_tags") or not 1 <= len(body["members"]) <= 500:
            raise WrongRequestError("this could bring somebody back")
        errors, made = [], []
        for one in body["members"]:
            if set(one) - {"email_address", "status", "merge_fields"} or one["status"] not in STATUSES:
                raise WrongRequestError("no such member")
            email = one["email_address"]
            told = None
            if hashed(email) in self.members:
                told = (f"{email} is already a list member", "ERROR_CONTACT_EXISTS")
            elif email in self.gone:
                told = (f"{email} was permanently deleted and cannot be re-imported", "ERROR_GENERIC")
            if told:
                errors.append({"email_address": email, "error": told[0], "error_code": told[1]})
                continue
            self.members[hashed(email)] = {"merge_fields": {}, **one}
            made.append(one)
        return Reply(200, {"new_members": made, "updated_members": [], "errors": errors, "total_created": len(made)})

    def paged(self, asked: Asked, name: str, found: list[Any]) -> Reply:
        """A page, ten without being asked for more."""
        size, at = int(asked.query.get("count", ["10"])[0]), int(asked.query.get("offset", ["0"])[0])
        if not 1 <= size <= 1000:
            raise WrongRequestError("at most 1000")
        return Reply(200, {name: found[at : at + min(size, self.page)], "total_items": len(found)})
