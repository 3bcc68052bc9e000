"""Klaviyo: an audience is a list; people enter it by bulk import and leave it by its relationship.

Neither changes what somebody has subscribed to. The subscription jobs, which lift suppressions and unsubscribe from
everything where a list is missing, are not used at all.

Fields are `first_name`, `last_name`, `organization`, `locale`, `title`, `image`, `location.city` and the like; any
other becomes a property of the profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from segctl.connectors.destinations import mailing
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    BatchRefusedError,
    Member,
    Remote,
    Row,
    Sent,
    Trouble,
    place,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.mailing import Json, compared, listed, within
from segctl.connectors.destinations.values import plain, text
from segctl.connectors.http.reasons import words_of
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.fetching_rest import ApiKey

MOST_BYTES, MOST_PROFILE_BYTES = 5_000_000, 100_000
ON_A_PAGE = 100
"""Profiles on a page, so as many addresses in a filter."""
ABILITIES = Abilities(
    identifiers=("email", "phone", "external_id"),
    channel="email",
    batch_rows=1000,
    batch_bytes=MOST_BYTES,
    parallel=2,
    recipient="esp",
    reads_back=True,
)
OPTIONS = (
    Option("api_key", "secret", "private key with the scopes lists and profiles, read and write", required=True),
    Option("base_url", "url", "another address of the service", default="https://a.klaviyo.com"),
    Option("revision", "text", "date of the API's revision", default="2026-07-15"),
    Option("create_audiences", "boolean", "make a list where there is none of that name", default=True),
)
NAMES = {"email": "email", "phone": "phone_number", "external_id": "external_id"}
"""Identifier → its name there."""
PROFILE_FIELDS = frozenset({"first_name", "last_name", "organization", "locale", "title", "image"})
LOCATION = "location."
IMPORTS = "/api/profile-bulk-import-jobs"
_JSON_API = "application/vnd.api+json"
_GOING_ON = frozenset({"queued", "processing"})
_POINTER = re.compile(r"/profiles/data/(\d+)|^/data/(\d+)")
_ID = re.compile(r"[A-Za-z0-9]{6}")


def profile(row: Row) -> Json:
    """A person as a bulk import takes them; fields that Klaviyo does not know become properties."""
    attributes: dict[str, Any] = {NAMES[kind]: value for kind, value in row.identifiers.items() if kind in NAMES}
    location, properties = {}, {}
    for name, value in row.fields.items():
        if name in PROFILE_FIELDS:
            attributes[name] = None if value is None else text(value)
        elif name.startswith(LOCATION):
            location[name.removeprefix(LOCATION)] = plain(value)
        else:
            properties[name] = plain(value)
    attributes |= {name: value for name, value in (("location", location), ("properties", properties)) if value}
    return {"type": "profile", "attributes": attributes}


def import_job(profiles: Sequence[Json], audience: str | None) -> Json:
    """The body that imports profiles, into a list when one is given; it subscribes nobody."""
    data: dict[str, Any] = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": list(profiles)}}}
    if audience is not None:
        data["relationships"] = {"lists": {"data": [{"type": "list", "id": audience}]}}
    return {"data": data}


def quoted(value: str) -> str:
    """A text in a filter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def pointed(errors: Sequence[Json], count: int) -> dict[int, Json]:
    """Errors by the place of the profile that they point at, of `count` in the job; the first of each."""
    found: dict[int, Json] = {}
    for error in errors:
        match = _POINTER.search(str(within(error, "source", "pointer") or ""))
        index = -1 if match is None else int(match[1] or match[2])
        if 0 <= index < count:
            found.setdefault(index, error)
    return found


def cursor_of(answer: Json) -> str | None:
    """The next page's cursor; of the link nothing else is taken, so it cannot lead to another host."""
    link = within(answer, "links", "next")
    found = parse_qs(urlsplit(str(link or "")).query).get("page[cursor]")
    return found[0] if found else None


class Klaviyo:
    """One account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        options = destination.options
        self.name, self.is_dry = destination.name, around.record is not None
        self.may_create = options.get("create_audiences", True)
        self.client = client(
            destination,
            around,
            options.get("base_url", "https://a.klaviyo.com"),
            auth=ApiKey("header", "Authorization", options["api_key"], "Klaviyo-API-Key "),
            own=() if "base_url" in options else ("a.klaviyo.com",),
            headers=(
                ("revision", options.get("revision", "2026-07-15")),
                ("Accept", _JSON_API),
                ("Content-Type", _JSON_API),
            ),
            # The pace of lists and imports, size M: 150 a minute; headers say when a burst is used up.
            requests=150,
            per_s=60.0,
        )

    def check(self) -> tuple[Probe, ...]:
        """Asks for one list."""
        return self.client.check("GET", "/api/lists", params=[("page[size]", "1")])

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """Id of the list of that name or id; made where it is missing."""
        for what in ("name", "id") if _ID.fullmatch(name) else ("name",):
            answer = self.client.request("GET", "/api/lists", params=[("filter", f"equals({what},{quoted(name)})")])
            found = [item for item in listed(answer.value, "data") if within(item, "id")]
            if len(found) > 1:
                raise mailing.ambiguous(self.name, name, "lists")
            if found:
                return str(found[0]["id"])
        if not self.may_create and not self.is_dry:
            raise mailing.not_made(self.name, name, "list")
        body = {"data": {"type": "list", "attributes": {"name": name}}}
        made = self.client.request("POST", "/api/lists", json=body, stand_in={"data": {"id": f"<{name}>"}})
        return mailing.id_within(made.value, "data", "id")

    def send(self, batch: Batch) -> Sent:
        """A job that imports, or the relationship's DELETE."""
        if batch.action == "remove":
            return self._leave(batch)
        profiles = [profile(row) for row in batch.rows]
        heavy = [
            row.key for row, body in zip(batch.rows, profiles, strict=True) if mailing.size(body) > MOST_PROFILE_BYTES
        ]
        if heavy:
            reason = "the profile is larger than 100 KB"
            raise BatchRefusedError(reason, code="too_large", rows=dict.fromkeys(heavy, reason))
        body = import_job(profiles, batch.audience if batch.action == "add" else None)
        mailing.within_bytes(body, MOST_BYTES)
        answer = self.client.request("POST", IMPORTS, json=body, rows=batch.rows, accept=(400, 422))
        if answer.status in (400, 422):
            raise refused(answer.value, batch.rows)
        job = within(answer.value, "data", "id")
        return Sent(job=None if job is None else f"{job}/{len(profiles)}", wait_s=2.0)

    def poll(self, job: str) -> Sent:
        """How far an import is; `job` is its id and the number of its profiles."""
        name, _, count = job.partition("/")
        attributes = within(self.client.request("GET", f"{IMPORTS}/{name}").value, "data", "attributes")
        status, failed = within(attributes, "status"), within(attributes, "failed_count") or 0
        if status in _GOING_ON:
            return Sent(job=job, wait_s=5.0)
        if status != "complete":
            ended = Trouble("unknown", f"the service ended the import as `{status}`", str(status))
            return Sent(troubles={place(index): ended for index in range(int(count))})
        if not failed:
            return Sent()
        told = [within(item, "attributes") for item in self._pages(f"{IMPORTS}/{name}/import-errors")]
        errors = pointed(told, int(count))
        troubles = {place(index): invalid(error) for index, error in errors.items()}
        if len(troubles) < failed:
            # Who failed is not said, so nobody else of the job counts as taken; sending again changes nothing.
            unnamed = Trouble("unknown", f"{failed - len(troubles)} of {count} failed, and not who", "unnamed")
            troubles = {place(index): unnamed for index in range(int(count))} | troubles
        return Sent(troubles=troubles)

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As given; addresses in small letters."""
        return {kind: compared(kind, value) for kind, value in row.identifiers.items() if kind in NAMES}

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody on a list."""
        fields = [("fields[profile]", ",".join(NAMES.values()))]
        for item in self._pages(f"/api/lists/{audience}/profiles", fields):
            found = {kind: within(item, "attributes", name) for kind, name in NAMES.items()}
            told = {kind: str(value) for kind, value in found.items() if value}
            if "email" in told:
                told["email"] = mailing.folded(told["email"])
            yield Member(told, str(item["id"]))

    def audiences(self) -> Iterator[Remote]:
        """Every list; its size would cost a call each, at one a second."""
        for item in self._pages("/api/lists", size=10):
            yield Remote(str(item["id"]), str(within(item, "attributes", "name") or ""))

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _leave(self, batch: Batch) -> Sent:
        """Takes people off the list; who is not known there needs no taking off."""
        ids = {row.known_as: row for row in batch.rows if row.known_as}
        for attempt in (ids, {}):
            found = {**dict.fromkeys(attempt), **self._ids([row for row in batch.rows if row.known_as not in attempt])}
            if not found:
                break
            path = f"/api/lists/{batch.audience}/relationships/profiles"
            body = {"data": [{"type": "profile", "id": name} for name in found]}
            answer = self.client.request("DELETE", path, json=body, rows=batch.rows, accept=(404,) if attempt else ())
            if answer.status != 404:
                break
            # An id goes when two profiles become one; the address tells the one that stays.
        return Sent()

    def _ids(self, rows: Sequence[Row]) -> dict[str, None]:
        """Ids of people there, by the best identifier that finds them: a number may be another's as well."""
        found: dict[str, None] = {}
        left = list(rows)
        for kind, name in NAMES.items():
            values = sorted({row.identifiers[kind] for row in left if row.identifiers.get(kind)})
            there = set()
            for part in mailing.pieces(values, ON_A_PAGE):
                wanted = f"any({name},[{','.join(quoted(value) for value in part)}])"
                for item in self._pages("/api/profiles", [("filter", wanted), ("fields[profile]", name)]):
                    found[str(item["id"])] = None
                    there.add(compared(kind, within(item, "attributes", name) or ""))
            left = [row for row in left if compared(kind, row.identifiers.get(kind) or "") not in there]
        return found

    def _pages(self, path: str, params: Sequence[tuple[str, str]] = (), size: int = ON_A_PAGE) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            asked = [("page[size]", str(size)), *params, *([("page[cursor]", cursor)] if cursor else [])]
            answer = self.client.request("GET", path, params=asked)
            yield from listed(answer.value, "data")
            before, cursor = cursor, cursor_of(answer.value)
            if cursor is None or cursor == before:
                return


def invalid(error: Json, rows: Sequence[Row] = ()) -> Trouble:
    """What an error of one profile says."""
    return Trouble("invalid", words_of(error, rows), within(error, "code"))


def refused(answer: Json, rows: Sequence[Row]) -> BatchRefusedError:
    """A call that is refused for what is in it, with the rows that it points at."""
    errors = listed(answer, "errors")
    named = {rows[index].key: words_of(error, rows) for index, error in pointed(errors, len(rows)).items()}
    code = within(errors[0], "code") if errors else None
    return BatchRefusedError(words_of(answer, rows), code=code or "400", rows=named)


def connect(destination: Destination, around: Around) -> Klaviyo:
    """The connector of an account."""
    return Klaviyo(destination, around)
