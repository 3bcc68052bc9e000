"""CleverReach: an audience is a tag on the receivers of one group, since a receiver of two groups is two records.

`activated` and `deactivated` of somebody who is there are never sent: either can wake a receiver who opted out. Who is
there is asked first, and those are updated by a call that makes nobody; new ones are another call, where wanted.

Fields are attributes of the group; with `global.` before the name, of the account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    BatchRefusedError,
    Member,
    NotNowError,
    Remote,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.mailing import Json, folded, listed, within
from segctl.connectors.destinations.values import plain
from segctl.connectors.http.reasons import cleaner, words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.fetching_rest import ClientCredentials

if TYPE_CHECKING:
    from segctl.connectors.http.exchange import Answer

BASE_URL = "https://rest.cleverreach.com/v3"
TOKEN_PATH = "/oauth/token.php"
ON_A_PAGE = 500
WITH_TAGS = 4
"""Detail of receivers, as bits: 1 events, 2 orders, 4 tags."""
LONGEST_ORIGIN = 50
GLOBAL = "global."
ABILITIES = Abilities(
    identifiers=("email",),
    channel="email",
    batch_rows=250,
    recipient="esp",
    reads_back=True,
)
OPTIONS = (
    Option("client_id", "secret", "id of an OAuth app of the account", required=True),
    Option("client_secret", "secret", "its secret", required=True),
    Option("group", "integer", "id of the group (list of receivers) whose receivers are tagged", required=True),
    Option("base_url", "url", "another address of the service, up to `/v3`", default=BASE_URL),
    Option("origin", "text", "stands before the tag and says who set it", default="segctl"),
    Option(
        "new_receivers",
        "choice",
        "people who are not in the group yet: `never` leaves them out, `inactive` adds them without activating",
        default="never",
        choices=("never", "inactive", "active"),
    ),
)
_NAME = re.compile(r"[^\s.,-][^\s.,]*")
_TAG = re.compile(r"[^\s.,-][^\s.,]*\.[^\s.,]+")
_REFUSED = ("error", "invalid", "fail", "not ")
"""Words in the state of a single receiver that was not taken."""


def attributes(row: Row) -> dict[str, dict[str, Any]]:
    """Fields by the name of the group's attribute; ``global.`` before it makes it one of the account."""
    found: dict[str, dict[str, Any]] = {"attributes": {}, "global_attributes": {}}
    for name, value in row.fields.items():
        scope = "global_attributes" if name.startswith(GLOBAL) else "attributes"
        found[scope][name.removeprefix(GLOBAL)] = "" if value is None else plain(value)
    return {scope: values for scope, values in found.items() if values}


def receiver(row: Row, tag: str | None) -> dict[str, Any]:
    """A receiver who is there; nothing of it touches whether he is active."""
    return {"email": row.identifiers["email"], **({"tags": [tag]} if tag else {}), **attributes(row)}


def refused(answer: Json, groups: Mapping[str, Sequence[Row]]) -> dict[str, Trouble]:
    """Troubles by address of the receivers that a list of results does not take."""
    found = {}
    for item in answer if isinstance(answer, list) else ():
        value = folded(within(item, "email") or "")
        state = str(within(item, "error") or within(item, "status") or "")
        if value in groups and any(word in state.lower() for word in _REFUSED):
            reason = words_of(within(item, "error") or within(item, "status"), groups[value])
            found[value] = Trouble("invalid", reason, "receiver")
    return found


class CleverReach:
    """One group of an account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        options = destination.options
        self.name, self.around, self.is_dry = destination.name, around, around.record is not None
        self.new, self.group = str(options.get("new_receivers", "never")), str(options["group"])
        self.origin = str(options.get("origin", "segctl"))
        if not _NAME.fullmatch(self.origin) or len(self.origin) > LONGEST_ORIGIN:
            why = f"an origin has no blanks, full stops or commas and at most {LONGEST_ORIGIN} signs"
            raise mailing.unfit(self.name, self.origin, why, "write another `origin:`")
        self._blocked: frozenset[str] | None = None
        base_url = str(options.get("base_url", BASE_URL)).rstrip("/")
        # The token service stands at the root, not below the version.
        token_url = base_url.removesuffix("/v3") + TOKEN_PATH
        self.client = client(
            destination,
            around,
            base_url,
            auth=ClientCredentials(token_url, options["client_id"], options["client_secret"], style="basic"),
            own=() if "base_url" in options else ("rest.cleverreach.com",),
            # No rate is published; a call moves 250 receivers.
            requests=5,
            per_s=1.0,
        )

    def check(self) -> tuple[Probe, ...]:
        """Asks who is asking."""
        return self.client.check("GET", "/debug/whoami")

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """The tag, which is there as soon as somebody has it; the group must be."""
        tag = name if _TAG.fullmatch(name) else f"{self.origin}.{name}"
        if not _TAG.fullmatch(tag):
            why = "a tag has an origin, a full stop and a name without blanks, commas and further full stops"
            raise mailing.unfit(self.name, name, why, "give the segment another name under `audiences:`")
        answer = self._ask("GET", f"/groups/{self.group}", accept=(404,))
        if answer.status == 404:
            raise mailing.not_made(self.name, self.group, "group")
        return tag

    def send(self, batch: Batch) -> Sent:
        """Who is there is tagged or loses the tag; who is not is left out or added, as declared."""
        if batch.action != "remove":
            mailing.named(batch.rows, "email")
        groups = mailing.by_value([row for row in batch.rows if row.identifiers.get("email")], "email")
        there = self._there(batch, list(groups))
        found = {value: rows for value, rows in groups.items() if value in there}
        new = {value: rows for value, rows in groups.items() if value not in there}
        if batch.action == "add" and new and self.new != "never":
            self._blacklisted()
        troubles = self._update(batch, found)
        if batch.action == "add":
            troubles |= self._add(batch, new, has_begun=bool(found))
        elif batch.action == "update":
            troubles |= dict.fromkeys(new, not_there())
        return Sent(mailing.shared(groups, troubles))

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - every call is done when it answers
        """Nothing goes on there."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The address in small letters."""
        email = row.identifiers.get("email")
        return {"email": folded(email)} if email else {}

    def members(self, audience: str) -> Iterator[Member]:
        """Every receiver of the group with the tag."""
        rule = {"field": "tags", "logic": "contains", "condition": audience}
        for item in self._filtered([rule], "AND"):
            # The filter takes part of a tag for the tag.
            tags = within(item, "tags")
            if not isinstance(tags, list) or audience in [str(tag) for tag in tags]:
                yield Member({"email": folded(within(item, "email") or "")}, str(item["id"]))

    def audiences(self) -> Iterator[Remote]:
        """Tags of the origin, counted over the receivers of the group: the service has no list of them."""
        counts: dict[str, int] = {}
        rule = {"field": "tags", "logic": "contains", "condition": f"{self.origin}."}
        for item in self._filtered([rule], "AND"):
            for tag in listed(item, "tags"):
                if str(tag).startswith(f"{self.origin}."):
                    counts[str(tag)] = counts.get(str(tag), 0) + 1
        yield from (Remote(tag, tag.partition(".")[2], count) for tag, count in sorted(counts.items()))

    def has(self, audience: str) -> bool | None:
        """A tag of another origin is not in the list, and is there as far as anybody knows."""
        return None if audience.startswith(f"{self.origin}.") else True

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _there(self, batch: Batch, values: Sequence[str]) -> set[str]:
        """Which addresses are receivers of the group; all of them in a dry run."""
        rules = [{"field": "email", "logic": "eq", "condition": value} for value in values]
        found = self._filtered(rules, "OR", batch.rows, most=len(rules)) if rules else ()
        there = {folded(within(item, "email") or "") for item in found}
        return set(values) if self.is_dry else there

    def _update(self, batch: Batch, groups: Mapping[str, Sequence[Row]]) -> dict[str, Trouble]:
        """Changes receivers who are there; it makes none."""
        tag = {"add": batch.audience, "remove": f"-{batch.audience}", "update": None}[batch.action]
        body = [receiver(rows[0], tag) for rows in groups.values()]
        if batch.action == "remove":
            body = [{"email": told["email"], "tags": told["tags"]} for told in body]
        if not body or (batch.action == "update" and all(len(told) == 1 for told in body)):
            return {}
        path = f"/groups/{self.group}/receivers/updateplus"
        return refused(self._ask("PUT", path, json=body, rows=batch.rows).value, groups)

    def _add(self, batch: Batch, groups: Mapping[str, Sequence[Row]], *, has_begun: bool) -> dict[str, Trouble]:
        """Makes receivers where that is wanted, but nobody who is on a blacklist."""
        if self.new == "never":
            return dict.fromkeys(groups, not_there())
        blocked = self._blacklisted() if groups else frozenset()
        troubles = {
            value: Trouble("invalid", "on a blacklist there", "blacklist") for value in groups if value in blocked
        }
        made = {value: rows for value, rows in groups.items() if value not in blocked}
        started = {"source": "segctl", "registered": int(batch.at.timestamp())}
        started |= {"activated": "0"} if self.new == "inactive" else {}
        body = [receiver(rows[0], batch.audience) | started for rows in made.values()]
        if not body:
            return troubles
        try:
            # `insert` and not `upsert`: should somebody have come in between, he stays as he is.
            answer = self._ask("POST", f"/groups/{self.group}/receivers/insert", json=body, rows=batch.rows)
        except (BatchRefusedError, NotNowError, UnknownOutcomeError) as error:
            if not has_begun:
                raise
            is_unknown = isinstance(error, UnknownOutcomeError)
            left = Trouble("unknown" if is_unknown else "rejected", f"not added: {error}", "not_sent")
            return troubles | dict.fromkeys(made, left)
        return troubles | refused(answer.value, made)

    def _blacklisted(self) -> frozenset[str]:
        """Addresses on the blacklists of account and group, read once."""
        if self._blocked is None:
            answers = [self._ask("GET", path) for path in ("/blacklist", f"/groups/{self.group}/blacklist")]
            items = [item for answer in answers for item in (answer.value if isinstance(answer.value, list) else ())]
            self._blocked = frozenset(folded(within(item, "email") or item) for item in items)
        return self._blocked

    def _filtered(
        self, rules: Sequence[Json], operator: str, rows: Sequence[Row] = (), *, most: int | None = None
    ) -> Iterator[Json]:
        """Receivers of the group that a filter finds, page by page until one is empty or there can be no more."""
        seen: set[str] = set()
        for page in count():
            body = {"groups": [self.group], "operator": operator, "rules": list(rules), "activeonly": False,
                    "detail": WITH_TAGS, "page": page, "pagesize": ON_A_PAGE}  # fmt: skip
            answer = self._ask("POST", "/receivers/filter", json=body, rows=rows, reads=True)
            found = answer.value if isinstance(answer.value, list) else []
            new = [item for item in found if str(within(item, "id")) not in seen]
            yield from new
            seen |= {str(within(item, "id")) for item in new}
            if not new or len(seen) == most:
                return

    def _ask(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401 - those of `Client.request`
        """A request; what a success holds may be an error."""
        answer = self.client.request(method, path, **options)
        error = within(answer.value, "error")
        if error and answer.status < 300:
            raise self._inside(answer, error, options.get("rows", ()))
        return answer

    def _inside(self, answer: Answer, error: Json, rows: Sequence[Row]) -> Exception:
        """What an error in a success means, by its code as by a status."""
        from dataclasses import replace

        from segctl.connectors.http.outcomes import of_answer

        code = str(within(error, "code") or "")
        status = int(code) if code.isdecimal() and 400 <= int(code) < 600 else 400
        now = self.around.now
        found = of_answer(self.name, replace(answer, status=status), now=now, clean=cleaner(rows))
        assert found is not None
        return found


def not_there() -> Trouble:
    """Somebody who is no receiver of the group."""
    return Trouble("rejected", "no receiver of the group; `new_receivers` says whether people are added", "not_there")


def connect(destination: Destination, around: Around) -> CleverReach:
    """The connector of a group."""
    return CleverReach(destination, around)
