"""A stand-in of Klaviyo, written here from the facts of its API description, revision 2026-07-15."""

from __future__ import annotations

import json
import re
from itertools import count
from typing import Any
from urllib.parse import quote

from fakes.server import Asked, Fake, Reply, WrongRequestError

JSON_API = "application/vnd.api+json"
ATTRIBUTES = {
    "email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale", "title", "image",
    "location", "properties",
}  # fmt: skip
SELF = "http://elsewhere.example/api"
AT = "2026-11-22T06:00:00+00:00"
ANY = re.compile(r"any\((email|phone_number|external_id),(\[.*\])\)")
EQUALS = re.compile(r'equals\((name|id),(".*")\)')


class FakeKlaviyo(Fake):
    """Lists, profiles and import jobs.

    Attributes:
        members: List's id → ids of profiles.
        failing: Addresses whose import fails, told by the job's errors alone.
        is_cancelled: Jobs end without having done anything.
        points: Errors say which profile they are about.
        polls: Answers before a job is complete.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.lists: dict[str, str] = {}
        self.members: dict[str, list[str]] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.failing: set[str] = set()
        self.is_cancelled, self.points, self.polls, self.page = False, True, 2, 100
        self.numbers = count(1)

    def answer(self, asked: Asked) -> Reply:
        """By method and path; there is nothing that subscribes anybody."""
        self.check_headers(asked)
        parts = asked.path.removeprefix("/api/").split("/")
        match (asked.method, *parts):
            case ("GET", "lists"):
                return self.find_lists(asked)
            case ("POST", "lists"):
                return self.make_list(asked.json["data"])
            case ("GET", "lists", number, "profiles"):
                return self.paged(asked, [self.shown(one, joined_group_at=AT) for one in self.members[number]], 100)
            case ("GET", "profiles"):
                return self.find_profiles(asked)
            case ("DELETE", "lists", number, "relationships", "profiles"):
                return self.leave(number, asked.json)
            case ("POST", "profile-bulk-import-jobs"):
                return self.take_import(asked)
            case ("GET", "profile-bulk-import-jobs", number):
                return self.job(number)
            case ("GET", "profile-bulk-import-jobs", number, "import-errors"):
                return self.paged(asked, self.jobs[number]["errors"], 100)
        return super().answer(asked)

    def check_headers(self, asked: Asked) -> None:
        """As the description wants them."""
        if asked.headers.get("authorization") != f"Klaviyo-API-Key {self.key}":
            raise WrongRequestError("the key is missing or wrong", 401)
        wanted = {"revision": "2026-07-15", "accept": JSON_API, "content-type": JSON_API}
        if any(asked.headers.get(name) != value for name, value in wanted.items()):
            raise WrongRequestError("a header is missing or wrong")
        if asked.path.endswith("/"):
            raise WrongRequestError("no slash at the end")

    def find_lists(self, asked: Asked) -> Reply:
        """Lists by name or id, or all."""
        found = list(self.lists)
        if "filter" in asked.query:
            match = EQUALS.fullmatch(asked.query["filter"][0])
            if match is None:
                raise WrongRequestError("no such filter")
            wanted = json.loads(match[2])
            found = [one for one in found if wanted == (self.lists[one] if match[1] == "name" else one)]
        data = [self.shown_list(one) for one in found]
        return self.paged(asked, data, 10)

    def shown_list(self, number: str) -> Any:
        """A list as it is told of."""
        return {"type": "list", "id": number, "attributes": {"name": self.lists[number]}, "links": {"self": SELF}}

    def make_list(self, data: Any) -> Reply:
        """A list; a second of the same name may be."""
        if data["type"] != "list" or set(data["attributes"]) - {"name", "opt_in_process"}:
            raise WrongRequestError("no such list")
        number = f"L{next(self.numbers):05}"
        self.lists[number], self.members[number] = data["attributes"]["name"], []
        return self.said(201, {"data": self.shown_list(number)})

    def find_profiles(self, asked: Asked) -> Reply:
        """Profiles that one of some identifiers fits."""
        match = ANY.fullmatch(asked.query["filter"][0])
        wanted = json.loads(match[2]) if match else []
        if match is None or not 1 <= len(wanted) <= 100:
            raise WrongRequestError("no such filter")
        found = [
            one
            for one, told in self.profiles.items()
            if told.get(match[1]) in [w.lower() if match[1] == "email" else w for w in wanted]
        ]
        return self.paged(asked, [self.shown(one) for one in found], 100)

    def leave(self, number: str, body: Any) -> Reply:
        """Profiles leave a list; nothing else becomes of them."""
        ids = [one["id"] for one in body["data"]]
        if not 1 <= len(ids) <= 1000 or any(
            set(one) != {"type", "id"} or one["type"] != "profile" for one in body["data"]
        ):
            raise WrongRequestError("no such relationship")
        if set(ids) - self.profiles.keys():
            return self.said(404, {"errors": [{"code": "not_found", "detail": "A profile does not exist"}]})
        self.members[number] = [one for one in self.members[number] if one not in ids]
        return Reply(204)

    def take_import(self, asked: Asked) -> Reply:
        """Starts a job; what one profile breaks is told of all."""
        data = asked.json["data"]
        profiles = data["attributes"]["profiles"]["data"]
        lists = [one["id"] for one in data.get("relationships", {}).get("lists", {}).get("data", [])]
        if len(asked.body) > 5_000_000 or not 1 <= len(profiles) <= 10_000 or set(lists) - self.lists.keys():
            raise WrongRequestError("no such import")
        if set(data) - {"type", "attributes", "relationships"} or data["type"] != "profile-bulk-import-job":
            raise WrongRequestError("no such job")
        for index, one in enumerate(profiles):
            told = one["attributes"]
            if set(one) - {"type", "id", "attributes"} or set(told) - ATTRIBUTES or len(json.dumps(one)) > 100_000:
                raise WrongRequestError("no such profile")
            if not re.fullmatch(r"\+\d{7,15}", told.get("phone_number") or "+10000000"):
                pointer = f"/data/attributes/profiles/data/{index}/attributes/phone_number"
                detail = f"Invalid phone number {told['phone_number']} of {told.get('email')}"
                return self.said(
                    400, {"errors": [{"code": "invalid", "detail": detail, "source": {"pointer": pointer}}]}
                )
        return self.start(profiles, lists)

    def start(self, profiles: Any, lists: list[str]) -> Reply:
        """Does the work at once; only its end is told later."""
        number, errors = f"job-{next(self.numbers)}", []
        for index, one in enumerate(profiles):
            told = one["attributes"]
            if (told.get("email") or "") in self.failing:
                pointer = f"/data/attributes/profiles/data/{index}/attributes/email" if self.points else None
                attributes = {"code": "invalid", "title": "Invalid input.", "detail": f"{told['email']} is no address",
                              "source": {"pointer": pointer}}  # fmt: skip
                errors.append({"type": "import-error", "id": str(index), "attributes": attributes})
            elif not self.is_cancelled:
                known = self.upserted(told)
                for name in lists:
                    self.members[name] += [known] if known not in self.members[name] else []
        self.jobs[number] = {"asked": 0, "errors": errors, "total": len(profiles)}
        attributes = {"status": "queued", "total_count": len(profiles)}
        return self.said(202, {"data": shown_job(number, attributes)})

    def upserted(self, told: dict[str, Any]) -> str:
        """Id of a profile, made or changed."""
        told = {**told, **({"email": told["email"].lower()} if told.get("email") else {})}
        names = ("email", "phone_number", "external_id")
        found = [one for one, has in self.profiles.items() if any(told.get(n) and told[n] == has.get(n) for n in names)]
        number = found[0] if found else f"P{next(self.numbers):05}"
        self.profiles[number] = self.profiles.get(number, {}) | told
        return number

    def job(self, number: str) -> Reply:
        """How far a job is."""
        job = self.jobs[number]
        job["asked"] += 1
        states = [*("queued", "processing")[: self.polls], "cancelled" if self.is_cancelled else "complete"]
        status = states[min(job["asked"], len(states)) - 1]
        done = status == "complete"
        attributes = {
            "status": status,
            "total_count": job["total"],
            "failed_count": len(job["errors"]) if done else None,
        }
        return self.said(200, {"data": shown_job(number, attributes)})

    def shown(self, number: str, **more: str) -> Any:
        """A profile as it is listed."""
        return {"type": "profile", "id": number, "attributes": self.profiles[number] | more, "links": {"self": SELF}}

    def paged(self, asked: Asked, data: list[Any], most: int) -> Reply:
        """A page and the link to the next, which is a whole address, as everywhere there."""
        size = int(asked.query.get("page[size]", ["10"])[0])
        if not 1 <= size <= most:
            raise WrongRequestError("no such page")
        at, size = int(asked.query.get("page[cursor]", ["0"])[0]), min(size, self.page)
        links = {"self": SELF}
        if at + size < len(data):
            links["next"] = f"http://elsewhere.example{asked.path}?page%5Bcursor%5D={quote(str(at + size))}"
        return self.said(200, {"data": data[at : at + size], "links": links})

    def said(self, status: int, body: Any) -> Reply:
        """An answer with the rate headers of every answer."""
        left = {"RateLimit-Limit": "150", "RateLimit-Remaining": "149", "RateLimit-Reset": "60"}
        return Reply(status, body, {"Content-Type": JSON_API, **left})


def shown_job(number: str, attributes: dict[str, Any]) -> Any:
    """A job as it is told of."""
    told = {"created_at": AT, **attributes}
    return {"type": "profile-bulk-import-job", "id": number, "attributes": told, "links": {"self": SELF}}
