"""Stand-ins of SendGrid's and Brevo's transactional mail, written here from facts: they take one mail a request."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from fakes.server import Asked, Fake, Reply, WrongRequestError

RESERVED = {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to",
            "from", "subject", "reply-to", "cc", "bcc"}  # fmt: skip
ADDRESS = re.compile(r"[!-~]+@[a-z0-9.-]+\Z", re.IGNORECASE)


class FakeMail(Fake):
    """What was sent.

    Attributes:
        sent: Bodies, in order of arrival.
        refused: Addresses that the service refuses.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.sent: list[Any] = []
        self.refused: set[str] = set()

    def must(self, holds: object, why: str) -> None:
        """Refuses what a connector must never send."""
        if not holds:
            raise WrongRequestError(why)


class FakeSendGridMail(FakeMail):
    """`POST /v3/mail/send` and `GET /v3/scopes`."""

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            raise WrongRequestError("no key", 401)
        if (asked.method, asked.path) == ("GET", "/v3/scopes"):
            return Reply(200, {"scopes": ["mail.send"]})
        self.must((asked.method, asked.path) == ("POST", "/v3/mail/send"), "no such path")
        body = asked.json
        self.must(
            body.keys() <= {"personalizations", "from", "reply_to", "subject", "content", "headers", "template_id",
                            "categories", "asm"}, "an unknown key")  # fmt: skip
        (told,) = body["personalizations"]
        self.must(told.keys() <= {"to", "custom_args", "dynamic_template_data"}, "an unknown key of a personalization")
        (to,) = told["to"]
        self.must(ADDRESS.match(to["email"]) and ADDRESS.match(body["from"]["email"]), "no address")
        self.must(all(isinstance(one, str) for one in told["custom_args"].values()), "custom_args are texts")
        self.must(not RESERVED & {name.lower() for name in body["headers"]}, "a reserved header")
        if "template_id" in body:
            self.must(body["template_id"].startswith("d-") and "content" not in body, "no dynamic template")
        else:
            kinds = [one["type"] for one in body["content"]]
            self.must(kinds in (["text/plain"], ["text/html"], ["text/plain", "text/html"]), "content out of order")
            self.must(body["subject"] and all(one["value"] for one in body["content"]), "something is empty")
        if to["email"] in self.refused:
            about = {"message": f"{to['email']} does not contain a valid address.", "field": "personalizations.0.to"}
            return Reply(400, {"errors": [{**about, "help": None}]})
        self.sent.append(body)
        return Reply(202, None, {"X-Message-Id": f"m{len(self.sent)}"})


class FakeBrevoMail(FakeMail):
    """`POST /v3/smtp/email` and `GET /v3/account`; a key that was used is refused."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.keys: set[str] = set()

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("api-key") != self.key:
            raise WrongRequestError("no key", 401)
        if (asked.method, asked.path) == ("GET", "/v3/account"):
            return Reply(200, {"email": "owner@example.com", "plan": []})
        self.must((asked.method, asked.path) == ("POST", "/v3/smtp/email"), "no such path")
        body = asked.json
        self.must(
            body.keys() <= {"sender", "to", "subject", "htmlContent", "textContent", "replyTo", "headers", "templateId",
                            "params", "tags"}, "an unknown key")  # fmt: skip
        (to,) = body["to"]
        self.must(ADDRESS.match(to["email"]) and ADDRESS.match(body["sender"]["email"]), "no address")
        if "templateId" in body:
            self.must(isinstance(body["templateId"], int) and "htmlContent" not in body, "no template")
        else:
            self.must(body["subject"] and body["htmlContent"], "subject and HTML are mandatory without a template")
        key = str(UUID(body["headers"]["idempotencyKey"]))
        if to["email"] in self.refused:
            return Reply(400, {"code": "invalid_parameter", "message": f"email {to['email']} is not valid in to"})
        if key in self.keys:
            return Reply(400, {"code": "duplicate_parameter", "message": "the idempotency key was used"})
        self.keys.add(key)
        self.sent.append(body)
        return Reply(201, {"messageId": f"<m{len(self.sent)}@smtp-relay.mailin.fr>"})
