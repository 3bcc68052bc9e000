"""A stand-in of the Data Manager API: strict about unknown fields, as Google is, and slow to say the outcome."""

from __future__ import annotations

import re
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

_HASH = re.compile(r"[0-9a-f]{64}|[A-Za-z0-9+/]{43}=")
_KEYS = {
    "ingest": {"destinations", "audienceMembers", "consent", "encoding", "termsOfService"},
    "remove": {"destinations", "audienceMembers", "encoding"},
}
_LIST = {"displayName", "membershipDuration", "ingestedUserListInfo", "description", "membershipStatus"}
_STATUSES = ("CONSENT_GRANTED", "CONSENT_DENIED")
ACCOUNT = "1234567890"
PATH = f"/v1/accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists"


class Google(Fake):
    """Lists of one account, a token service, and requests whose state is told on the second asking.

    Attributes:
        lists: Id → name.
        people: Id → identifiers of each member.
        bad: Hashes that turn out to be wrong when a request is worked on.
        tells_indices: Whether the state says which rows those were.
        tokens: How many were handed out; the last one is good.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, str] = {"11": "somebody else's"}
        self.people: dict[str, list[frozenset[str]]] = {"11": []}
        self.bad: set[str] = set()
        self.tells_indices = True
        self.tokens = 0
        self.requests: dict[str, dict[str, Any]] = {}
        self.waits: dict[str, int] = {}

    def can_fail(self, asked: Asked) -> bool:
        return asked.path.startswith("/v1/audienceMembers")

    def refusal(self, asked: Asked, status: int) -> Any:
        words = f"refused {asked.body.decode(errors='replace')} by {dict(asked.headers)}"
        names = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [
            {"field": "audience_members[1].user_data", "description": words}]}] if status == 400 else []  # fmt: skip
        return {
            "error": {"code": status, "message": words, "status": names.get(status, "INTERNAL"), "details": details}
        }

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            return self._token(asked)
        if asked.headers.get("authorization") != f"Bearer token-number-{self.tokens}":
            return Reply(401, self.refusal(asked, 401))
        if asked.method == "GET" and asked.path == PATH:
            return self._page(asked)
        if asked.method == "POST" and asked.path == PATH:
            return self._made(asked.json)
        if asked.method == "GET" and asked.path == "/v1/requestStatus:retrieve":
            return self._state(asked.query["requestId"][0])
        if asked.method == "POST" and asked.path in ("/v1/audienceMembers:ingest", "/v1/audienceMembers:remove"):
            return self._taken(asked.json, asked.path.rpartition(":")[2])
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that Google has", 404)

    def _token(self, asked: Asked) -> Reply:
        form = asked.form
        wanted = {"refresh_token", "client_id", "client_secret", "grant_type"}
        if form.get("grant_type") == "refresh_token" and form.keys() != wanted:
            raise WrongRequestError(f"a token for {sorted(form)}")
        self.tokens += 1
        token = f"token-number-{self.tokens}"
        return Reply(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer", "scope": "x"})

    def _page(self, asked: Asked) -> Reply:
        """Two lists a page, so that pages are followed."""
        start = int(asked.query.get("pageToken", ["0"])[0])
        shown = [
            {"name": f"{PATH[4:]}/{name}", "id": name, "displayName": title}
            for name, title in list(self.lists.items())[start : start + 2]
        ]
        more = {"nextPageToken": str(start + 2)} if start + 2 < len(self.lists) else {}
        return Reply(200, {"userLists": shown, **more})

    def _made(self, body: dict[str, Any]) -> Reply:
        if body.keys() - _LIST:
            raise WrongRequestError(f"unknown: {sorted(body.keys() - _LIST)}")
        seconds = re.fullmatch(r"(\d+)s", body["membershipDuration"])
        if seconds is None or int(seconds[1]) % 86_400 or not 0 < int(seconds[1]) <= 540 * 86_400:
            raise WrongRequestError("a duration is whole days in seconds, at most 540 days")
        if body["ingestedUserListInfo"]["uploadKeyTypes"] != ["CONTACT_ID"]:
            raise WrongRequestError("contacts need the key type CONTACT_ID")
        name = str(100 + len(self.lists))
        self.lists[name], self.people[name] = body["displayName"], []
        return Reply(200, {"name": f"{PATH[4:]}/{name}", "id": name, **body})

    def _taken(self, body: dict[str, Any], action: str) -> Reply:
        if body.keys() - _KEYS[action]:
            raise WrongRequestError(f"unknown: {sorted(body.keys() - _KEYS[action])}")
        (target,) = body["destinations"]
        if target.keys() - {"operatingAccount", "loginAccount", "productDestinationId"}:
            raise WrongRequestError(f"unknown: {sorted(target)}")
        if target["operatingAccount"] != {"accountType": "GOOGLE_ADS", "accountId": ACCOUNT}:
            raise WrongRequestError("another account", 403)
        name = target["productDestinationId"]
        if name not in self.lists:
            return Reply(400, _violation("destinations[0].product_destination_id", "there is no such list"))
        if action == "ingest":
            _agreed(body)
        members = [_member(item, body["encoding"]) for item in body["audienceMembers"]]
        if not 1 <= len(members) <= 10_000:
            raise WrongRequestError("1 to 10,000 members")
        self._carried_out(name, members, action)
        number = f"request-{len(self.requests) + 1}"
        self.requests[number], self.waits[number] = self._outcome(members, target, action), 1
        return Reply(200, {"requestId": number})

    def _carried_out(self, name: str, members: list[frozenset[str]], action: str) -> None:
        good = [one for one in members if not one & self.bad]
        kept = [one for one in self.people[name] if not any(one & other for other in good)]
        self.people[name] = kept + (good if action == "ingest" else [])

    def _outcome(self, members: list[frozenset[str]], target: Any, action: str) -> dict[str, Any]:
        bad = [at for at, one in enumerate(members) if one & self.bad]
        word = "FAILED" if len(bad) == len(members) else "PARTIAL_SUCCESS" if bad else "SUCCESS"
        found: dict[str, Any] = {"destination": target, "requestStatus": word}
        data = {"recordCount": str(len(members)), "userIdentifierCount": str(sum(map(len, members)))}
        if action == "ingest":
            rate = {"uploadMatchRateRange": "MATCH_RATE_RANGE_41_TO_50"}
            found["audienceMembersIngestionStatus"] = {"userDataIngestionStatus": {**data, **rate}}
        else:
            found["audienceMembersRemovalStatus"] = {"userDataRemovalStatus": data}
        if bad:
            count: dict[str, Any] = {"recordCount": str(len(bad)), "reason": "PROCESSING_ERROR_REASON_INVALID_FORMAT"}
            if self.tells_indices:
                count["recordIndices"] = bad
            found["errorInfo"] = {"errorCounts": [count]}
        return found

    def _state(self, number: str) -> Reply:
        if number not in self.requests:
            raise WrongRequestError("there is no such request", 404)
        found = self.requests[number]
        if self.waits[number]:
            self.waits[number] -= 1
            found = {"destination": found["destination"], "requestStatus": "PROCESSING"}
        return Reply(200, {"requestStatusPerDestination": [found]})


def _agreed(body: dict[str, Any]) -> None:
    consent = body["consent"]
    if consent.keys() != {"adUserData", "adPersonalization"} or not set(consent.values()) <= set(_STATUSES):
        raise WrongRequestError("consent names both signals")
    if consent["adUserData"] != "CONSENT_GRANTED":
        raise WrongRequestError("people are sent who have not agreed")
    if body["termsOfService"] != {"customerMatchTermsOfServiceStatus": "ACCEPTED"}:
        raise WrongRequestError("terms are not accepted")


def _member(item: dict[str, Any], encoding: str) -> frozenset[str]:
    if item.keys() != {"userData"} or item["userData"].keys() != {"userIdentifiers"}:
        raise WrongRequestError(f"unknown: {sorted(item)}")
    told = item["userData"]["userIdentifiers"]
    if not 1 <= len(told) <= 10 or any(len(one) != 1 for one in told):
        raise WrongRequestError("1 to 10 identifiers, each exactly one of email, phone and address")
    found = set()
    for one in told:
        ((name, value),) = one.items()
        hashed = [value] if name != "address" else [value["givenName"], value["familyName"]]
        if name == "address" and value.keys() != {"givenName", "familyName", "regionCode", "postalCode"}:
            raise WrongRequestError("an address is whole")
        length = 64 if encoding == "HEX" else 44
        if name not in ("emailAddress", "phoneNumber", "address") or any(
            not _HASH.fullmatch(text) or len(text) != length for text in hashed
        ):
            raise WrongRequestError(f"{name} is not hashed in {encoding}")
        if name != "address":
            found.add(value)
    return frozenset(found)


def _violation(field: str, description: str) -> dict[str, Any]:
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": field, "description": description}]}]  # fmt: skip
    return {"error": {"code": 400, "message": "invalid", "status": "INVALID_ARGUMENT", "details": details}}
