"""A stand-in of the tracking API that Segment and RudderStack share; it knows a message that comes again by its id."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from fakes.server import Asked, Fake, Reply, WrongRequestError


class Tracking(Fake):
    """A source.

    Attributes:
        in_context: Traits stand under ``context.traits``, and answers are text.
        traits: Id → traits.
        entered: Audience → ids of those whose last event was to enter.
        events: Names and ids of what was tracked, without repetitions.
    """

    def __init__(self, key: str, *, in_context: bool) -> None:
        super().__init__()
        self.credentials = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        self.in_context = in_context
        self.traits: dict[str, dict[str, Any]] = {}
        self.entered: dict[str, set[str]] = {}
        self.events: list[tuple[str, str]] = []
        self.seen: set[str] = set()

    def refusal(self, asked: Asked, status: int) -> Any:
        return {"message": f"refused {asked.body.decode(errors='replace')} by {dict(asked.headers)}"}

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != self.credentials:
            return Reply(401, {"message": "wrong write key"})
        if (asked.method, asked.path) != ("POST", "/v1/batch"):
            raise WrongRequestError(f"{asked.method} {asked.path} is nothing that is used", 404)
        body = asked.json
        if body.keys() != {"batch"} or len(body["batch"]) > 2500 or len(asked.body) > 500 * 1024:
            raise WrongRequestError("at most 2500 events and 500 KB")
        if not body["batch"]:
            return self._said(400, "empty batch")
        for event in body["batch"]:
            self._event(event)
        return self._said(200, "OK")

    def _said(self, status: int, text: str) -> Reply:
        if self.in_context:
            return Reply(status, raw=text.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
        return Reply(status, {"success": status == 200, "message": text})

    def _event(self, event: dict[str, Any]) -> None:
        if not event.get("userId") and not event.get("anonymousId"):
            raise WrongRequestError("an event of nobody")
        if len(event["messageId"]) >= 100 or datetime.fromisoformat(event["timestamp"]).tzinfo is None:
            raise WrongRequestError("a message has an id below 100 signs and a time with an offset")
        if event["messageId"] in self.seen:
            return
        self.seen.add(event["messageId"])
        name = event.get("userId") or event["anonymousId"]
        if event["type"] == "identify":
            if ("traits" in event) is self.in_context:
                raise WrongRequestError("traits stand elsewhere")
            self.traits.setdefault(name, {}).update((event["context"] if self.in_context else event)["traits"])
        elif event["type"] == "track":
            inside = self.entered.setdefault(event["properties"]["audience"], set())
            (inside.add if event["event"] == "Audience Entered" else inside.discard)(name)
            self.events.append((event["event"], name))
        else:
            raise WrongRequestError(f"the type {event['type']}")
