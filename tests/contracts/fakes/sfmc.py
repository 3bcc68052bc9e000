"""A stand-in of Marketing Cloud: data extensions filled by requests that take their time, and journeys."""

from __future__ import annotations

import re
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError

COLUMNS = frozenset({"SubscriberKey", "EmailAddress", "MobileNumber", "InSegment", "Segment", "first_name", "City"})


class Sfmc(Fake):
    """One business unit.

    Attributes:
        extensions: External key → columns of the primary key.
        rows: External key → primary key → row.
        bad: Value of a key column → error message of its row.
        entries: Event key → contacts that entered, repetitions included.
        strangers: Contacts that a journey does not take.
        ends_as: Last status of a request.
        forgets: So many results are left out at the end.
    """

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.extensions: dict[str, tuple[str, ...]] = {
            "winback": ("SubscriberKey",),
            "all segs": ("EmailAddress", "Segment"),
        }
        self.rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {name: {} for name in self.extensions}
        self.bad: dict[str, str] = {}
        self.entries: dict[str, list[str]] = {}
        self.strangers: set[str] = set()
        self.is_reversed = False
        self.ends_as = "Complete"
        self.forgets = 0
        self.tokens = 0
        self.requests: dict[str, dict[str, Any]] = {}

    def can_fail(self, asked: Asked) -> bool:
        return asked.path.endswith(("/rows", "/events"))

    def refusal(self, asked: Asked, status: int) -> Any:
        words = f"refused {asked.body.decode(errors='replace')} by {dict(asked.headers)}"
        return {"message": words, "errorcode": 10006, "documentation": "https://developer.example.com"}

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/v2/token":
            return self._token(asked)
        if asked.headers.get("authorization") != f"Bearer token-number-{self.tokens}":
            return Reply(401, {"message": "Not Authorized", "errorcode": 0})
        from urllib.parse import unquote

        path = unquote(asked.path)
        rows = re.fullmatch(r"/data/v1/async/dataextensions/key:(.+)/rows", path)
        if rows and asked.method == "PUT":
            return self._upserted(rows[1], asked.json)
        request = re.fullmatch(r"/data/v1/async/([^/]+)/(status|results)", path)
        if request and asked.method == "GET":
            return self._state(request[1]) if request[2] == "status" else self._results(request[1], asked)
        rowset = re.fullmatch(r"/data/v1/customobjectdata/key/(.+)/rowset", path)
        if rowset and asked.method == "GET":
            return self._rowset(rowset[1], asked)
        if (asked.method, path) == ("POST", "/interaction/v1/async/events"):
            return self._entered(asked.json)
        raise WrongRequestError(f"{asked.method} {path} is nothing that is used", 404)

    def _token(self, asked: Asked) -> Reply:
        form = asked.form
        if form.get("client_secret") != self.secret or form.get("grant_type") != "client_credentials":
            raise WrongRequestError("another client", 401)
        if form.keys() - {"grant_type", "client_id", "client_secret", "account_id"}:
            raise WrongRequestError(f"a token for {sorted(form)}")
        self.tokens += 1
        return Reply(200, {
            "access_token": f"token-number-{self.tokens}",
            "token_type": "Bearer",
            "expires_in": 1079,
            "rest_instance_url": "https://rest.attacker.example/",
        })  # fmt: skip

    def _upserted(self, key: str, body: dict[str, Any]) -> Reply:
        if key not in self.extensions:
            return Reply(404, {"message": "not found", "errorcode": 30003})
        if body.keys() != {"items"} or not 1 <= len(body["items"]) <= 30_000:
            raise WrongRequestError("items are 1 to 30,000")
        results = []
        for item in body["items"]:
            if item.keys() - COLUMNS or any(isinstance(value, dict | list) for value in item.values()):
                raise WrongRequestError(f"a row of {sorted(item)}, which is not flat or has other columns")
            name = tuple(item.get(column) for column in self.extensions[key])
            if None in name:
                raise WrongRequestError("a row without its key")
            fault = next((self.bad[value] for value in map(str, item.values()) if value in self.bad), None)
            results.append({"status": "OK", "errorCode": "", "message": ""} if fault is None else
                           {"status": "Error", "errorCode": "10001", "message": fault})  # fmt: skip
            if fault is None:
                self.rows[key].setdefault(name, {}).update(item)
        number = f"request-{len(self.requests) + 1}"
        self.requests[number] = {"results": results[: len(results) - self.forgets], "asked": 0}
        return Reply(202, {"requestId": number, "resultMessages": []})

    def _state(self, number: str) -> Reply:
        request = self.requests.get(number)
        found: dict[str, Any] = {"requestId": number, "resultMessages": []}
        if request is None or request["asked"] == 0:
            if request is not None:
                request["asked"] = 1
            message = {"resultType": "Error", "resultClass": "Error", "resultCode": "AsyncRequestStatusNotFound"}
            return Reply(200, {**found, "resultMessages": [message]})
        request["asked"] += 1
        word = "Pending" if request["asked"] == 2 else self.ends_as
        has_errors = any(one["status"] != "OK" for one in request["results"]) or self.ends_as != "Complete"
        status = {"requestStatus": word, "hasErrors": has_errors or self.forgets > 0, "resultStatus": "OK"}
        return Reply(200, {**found, "status": {**status, "requestId": number}})

    def _results(self, number: str, asked: Asked) -> Reply:
        """Two a page, however many are asked for."""
        return self._paged(self.requests[number]["results"] if self.ends_as == "Complete" else [], asked)

    def _rowset(self, key: str, asked: Asked) -> Reply:
        if key not in self.extensions:
            return Reply(404, {"message": "not found"})
        columns = self.extensions[key]
        found = [
            {
                "keys": {column.lower(): row[column] for column in columns},
                "values": {name.lower(): str(value) for name, value in row.items() if name not in columns},
            }
            for row in self.rows[key].values()
        ]
        return self._paged(found, asked)

    def _paged(self, found: list[Any], asked: Asked) -> Reply:
        page = int(asked.query["$page"][0])
        shown = found[(page - 1) * 2 : page * 2]
        return Reply(200, {"page": page, "pageSize": 2, "count": len(found), "items": shown})

    def _entered(self, body: dict[str, Any]) -> Reply:
        if body.keys() != {"eventDefinitionKey", "members"} or not 1 <= len(body["members"]) <= 100:
            raise WrongRequestError("an event with 1 to 100 members")
        if "." in body["eventDefinitionKey"]:
            raise WrongRequestError("a full stop in the event's key")
        members = []
        for one in body["members"]:
            if one.keys() != {"contactKey", "data"}:
                raise WrongRequestError(f"a member of {sorted(one)}")
            if one["contactKey"] in self.strangers:
                words = f"Contact {one['contactKey']} is not known"
                members.append({"contactKey": one["contactKey"], "errorcode": 121053, "message": words})
                continue
            self.entries.setdefault(body["eventDefinitionKey"], []).append(one["contactKey"])
            instance = f"instance-{one['contactKey']}"
            members.append(
                {"contactKey": one["contactKey"], "eventInstanceId": instance, "errorcode": 0, "message": ""}
            )
        told = members[::-1] if self.is_reversed else members
        told = told[: len(told) - self.forgets]
        return Reply(202, {"requestId": "x", "count": len(members), "notQueuedCount": 0, "members": told})
