"""A stand-in of Meta's custom audiences: it counts and names nobody, and refuses what is not hashed."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

_HASH = re.compile(r"[0-9a-f]{64}")
_EMPTY = hashlib.sha256(b"").hexdigest()
_KEYS = frozenset(
    [
        "EXTERN_ID",
        "EMAIL",
        "PHONE",
        "GEN",
        "DOBY",
        "DOBM",
        "DOBD",
        "LN",
        "FN",
        "FI",
        "CT",
        "ST",
        "ZIP",
        "COUNTRY",
        "MADID",
    ]
)
_FINDS = ("EMAIL", "PHONE", "EXTERN_ID", "MADID")
_PLAIN = ("EXTERN_ID", "MADID")
ACCOUNT = "/v25.0/act_123456"


class Meta(Fake):
    """Audiences of one ad account.

    Attributes:
        audiences: Id → what is told of it.
        people: Id → key → value of each person.
        token: That must stand in the header.
        proof_of: The app's secret, where calls must be proved by it.
        bad: Values that turn out to be unreadable.
        error: Answered to the next call with an effect instead.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.audiences: dict[str, dict[str, Any]] = {"77": {"id": "77", "name": "lookalike", "subtype": "LOOKALIKE"}}
        self.people: dict[str, list[dict[str, str]]] = {"77": []}
        self.proof_of: str | None = None
        self.bad: set[str] = set()
        self.shows_samples = True
        self.error: tuple[int, dict[str, Any], dict[str, str]] | None = None

    def can_fail(self, asked: Asked) -> bool:
        return asked.path.endswith("/users")

    def refusal(self, asked: Asked, status: int) -> Any:
        words = f"refused {asked.body.decode(errors='replace')} by {dict(asked.headers)}"
        return {"error": {"message": words, "type": "OAuthException", "code": 100, "fbtrace_id": "x"}}

    def answer(self, asked: Asked) -> Reply:
        self._entitled(asked)
        if self.error is not None and asked.method != "GET":
            status, error, headers = self.error
            return Reply(status, {"error": {"type": "OAuthException", "message": "no", **error}}, headers)
        if asked.path == f"{ACCOUNT}/customaudiences":
            return self._page(asked) if asked.method == "GET" else self._made(asked.json)
        found = re.fullmatch(r"/v25\.0/(\d+)/users", asked.path)
        if found and asked.method in ("POST", "DELETE"):
            return self._taken(found[1], asked.json, asked.method == "POST")
        raise WrongRequestError(f"{asked.method} {asked.path} is nothing that is used", 404)

    def _entitled(self, asked: Asked) -> None:
        if "access_token" in asked.url or b"access_token" in asked.body:
            raise WrongRequestError("the token stands where it is logged")
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            raise WrongRequestError("another token", 401)
        if self.proof_of is not None:
            proof = hmac.new(self.proof_of.encode(), self.token.encode(), hashlib.sha256).hexdigest()
            told = (
                asked.query.get("appsecret_proof", [""])[0] if asked.method == "GET" else asked.json["appsecret_proof"]
            )
            if told != proof:
                raise WrongRequestError("the proof is wrong")

    def _page(self, asked: Asked) -> Reply:
        """Two audiences a page, with a link that holds the token, as the real one's do."""
        start = int(asked.query.get("after", ["0"])[0])
        shown = list(self.audiences.values())[start : start + 2]
        paging: dict[str, Any] = {"cursors": {"before": "x", "after": str(start + len(shown))}}
        if start + 2 < len(self.audiences):
            paging["next"] = f"https://graph.facebook.com/next?access_token={self.token}&after={start + 2}"
        return Reply(200, {"data": shown, "paging": paging})

    def _made(self, body: dict[str, Any]) -> Reply:
        wanted = {"name", "subtype", "customer_file_source", "description"}
        if body.keys() - {"appsecret_proof"} != wanted or body["subtype"] != "CUSTOM":
            raise WrongRequestError(f"an audience of {sorted(body)}")
        name = str(1000 + len(self.audiences))
        self.audiences[name] = {
            "id": name,
            "name": body["name"],
            "subtype": "CUSTOM",
            "operation_status": {"code": 200},
        }
        self.people[name] = []
        return Reply(200, {"id": name})

    def _taken(self, name: str, body: dict[str, Any], is_add: bool) -> Reply:
        if body.keys() - {"payload", "session", "appsecret_proof", "customer_consent"}:
            raise WrongRequestError(f"unknown: {sorted(body)}")
        session = body["session"]
        if not 0 < session["session_id"] < 2**63 or session["batch_seq"] != 1:
            raise WrongRequestError("a session has a positive number of 64 bits, and batches from 1")
        people = _people(body["payload"])
        if not 1 <= len(people) <= 10_000:
            raise WrongRequestError("1 to 10,000 rows")
        bad = [one for one in people if self.bad & set(one.values())]
        good = [one for one in people if one not in bad]
        kept = [one for one in self.people[name] if not any(_is_same(one, other) for other in good)]
        self.people[name] = kept + (good if is_add else [])
        samples = {value: "not readable" for one in bad for value in self.bad & set(one.values())}
        return Reply(200, {
            "audience_id": name,
            "session_id": str(session["session_id"]),
            "num_received": len(people),
            "num_invalid_entries": len(bad),
            "invalid_entry_samples": samples if self.shows_samples else {},
        })  # fmt: skip


def _is_same(one: dict[str, str], other: dict[str, str]) -> bool:
    return any(one.get(key) and one.get(key) == other.get(key) for key in _FINDS)


def _people(payload: dict[str, Any]) -> list[dict[str, str]]:
    if payload.keys() != {"schema", "data"} or set(payload["schema"]) - _KEYS:
        raise WrongRequestError(f"unknown keys in {payload.get('schema')}")
    found = []
    for row in payload["data"]:
        one = dict(zip(payload["schema"], row, strict=True))
        for key, value in one.items():
            if key not in _PLAIN and value and (not _HASH.fullmatch(value) or value == _EMPTY):
                raise WrongRequestError(f"{key} is not hashed, or the hash of nothing")
        if not any(one.get(key) for key in _FINDS):
            raise WrongRequestError("a row of nobody")
        found.append(one)
    return found
