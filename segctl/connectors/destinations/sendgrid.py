"""SendGrid: an audience is a list; contacts are imported into it as a job, and leave it by their ids.

Contacts are never deleted (`DELETE /v3/marketing/contacts` would do that), and suppressions are not touched. Somebody
imported a moment ago may not be found yet, so a removal that finds nobody is tried again and never counted as done.
Fields are `first_name`, `last_name`, `city` and the like; any other is the id of a custom field, such as `w1_T`.
"""

from __future__ import annotations

import hashlib
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
    NotNowError,
    Remote,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
    place,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.jobs import MARK, Job, left_out
from segctl.connectors.destinations.mailing import Json, folded, listed, within
from segctl.connectors.destinations.values import plain
from segctl.connectors.destinations.ways_in import missing_audience
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import SegctlError

MOST_BYTES = 6_000_000
SEARCHED = 100
"""Identifiers of one search."""
ABILITIES = Abilities(
    identifiers=("email", "phone", "external_id", "anonymous_id"),
    channel="email",
    # 30,000 are allowed; a job's text holds a mark for each row.
    batch_rows=5000,
    batch_bytes=MOST_BYTES,
    recipient="esp",
    parallel=2,
)
OPTIONS = (
    Option("api_key", "secret", "key with the right to change marketing contacts", required=True),
    Option("region", "choice", "where the account is", default="global", choices=("global", "eu")),
    Option("create_audiences", "boolean", "make a list where there is none of that name", default=True),
    Option("base_url", "url", "another address of the service"),
)
ADDRESSES = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
NAMES = {"email": "email", "phone": "phone_number_id", "external_id": "external_id", "anonymous_id": "anonymous_id"}
"""Identifier → the name of it there; the first that a row has is what it is searched by."""
FIELDS = frozenset(
    {"first_name", "last_name", "address_line_1", "address_line_2", "city", "state_province_region", "country",
     "postal_code", "phone_number", "whatsapp", "line", "facebook", "unique_name"}
)  # fmt: skip
"""Fields of its own; every other name is the id of a custom field."""
CONTACTS = "/v3/marketing/contacts"
REPORT_HOSTS = ("*.sendgrid.com", "*.sendgrid.net", "*.amazonaws.com")
GOES_ON = frozenset({None, "", "pending"})
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_WORDS = re.compile(r"[^\s,;\"'\t|]+")


def connect(destination: Destination, around: Around) -> SendGrid:
    """Its connector."""
    return SendGrid(destination, around)


def contact(row: Row) -> Json:
    """A contact as an import takes it; a field without a value leaves what is there."""
    told: dict[str, Any] = {NAMES[kind]: value for kind, value in row.identifiers.items() if kind in NAMES and value}
    custom: dict[str, Any] = {}
    for name, value in row.fields.items():
        if value is not None:
            (told if name in FIELDS else custom)[name] = plain(value)
    return {**told, "custom_fields": custom} if custom else told


def searched_by(row: Row) -> tuple[str, str] | None:
    """Name there and value of the identifier that a person is searched by."""
    return next(((NAMES[kind], row.identifiers[kind]) for kind in NAMES if row.identifiers.get(kind)), None)


def mark(value: str) -> str:
    """A short digest of an identifier, by which a report's lines are found again."""
    return hashlib.sha256(folded(value).encode()).hexdigest()[:MARK]


def marked(report: str, marks: Sequence[str]) -> set[int]:
    """Indices of the rows whose identifier stands in a report, whatever its columns are."""
    found = {mark(word) for word in _WORDS.findall(report)}
    return {index for index, one in enumerate(marks) if one in found}


class SendGrid:
    """One account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        from segctl.model.fetching_rest import Bearer

        self.destination, self.around, self.options = destination, around, destination.options
        own = ADDRESSES[self.options.get("region", "global")]
        base_url = self.options.get("base_url") or own
        hosts = (urlsplit(own).hostname or "",) if base_url == own else ()
        self.client = client(destination, around, base_url, auth=Bearer(self.options["api_key"]), own=hosts)

    def check(self) -> tuple[Probe, ...]:
        """Asks for one list."""
        return self.client.check("GET", "/v3/marketing/lists", params=[("page_size", "1")])

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """Id of the list of that name or id; made where it is missing."""
        found = [one for one in self.audiences() if name in (one.name, one.id)]
        if len(found) > 1:
            raise mailing.ambiguous(self.destination.name, name, "lists")
        if found:
            return found[0].id
        if self.around.record is None and _ID.fullmatch(name):
            raise missing_audience(self.destination, name, "list")
        if self.around.record is None and not self.options.get("create_audiences", True):
            raise mailing.not_made(self.destination.name, name, "list")
        if len(name) > 100:
            raise mailing.unfit(self.destination.name, name, "a list's name has at most 100 signs", "shorten it")
        body, stand_in = {"name": name}, {"id": f"<{name}>"}
        answer = self.client.request("POST", "/v3/marketing/lists", json=body, stand_in=stand_in)
        return mailing.id_within(answer.value, "id")

    def send(self, batch: Batch) -> Sent:
        """An import, or removals by id."""
        if batch.action == "remove":
            return self._left(batch)
        reason = "there is nothing to know the person by"
        out = {at: reason for at, row in enumerate(batch.rows) if searched_by(row) is None}
        rows = [row for at, row in enumerate(batch.rows) if at not in out]
        troubles = left_out(batch.rows, out)
        if not rows:
            return Sent(troubles)
        body: dict[str, Any] = {"contacts": [contact(row) for row in rows]}
        if batch.action == "add":
            body = {"list_ids": [batch.audience], **body}
        mailing.within_bytes(body, MOST_BYTES)
        answer = self.client.request("PUT", CONTACTS, json=body, rows=rows).value
        if self.around.record is not None:
            return Sent(troubles)
        name = within(answer, "job_id")
        if not name:
            raise UnknownOutcomeError("the answer names no job")
        marks = tuple(mark(found[1]) for row in rows if (found := searched_by(row)))
        return Sent(troubles, job=str(Job(((str(name), len(rows)),), out, marks=marks)), wait_s=2.0)

    def poll(self, job: str) -> Sent:
        """How far an import is; who was refused stands in a report that it names."""
        asked = Job.of(job)
        ((name, count),) = asked.parts
        answer = self.client.request("GET", f"{CONTACTS}/imports/{name}").value
        status, results = within(answer, "status"), within(answer, "results")
        if status in GOES_ON:
            return Sent(asked.troubles(), job=job, wait_s=5.0)
        places, troubles = asked.places()[0], asked.troubles()
        errored = int(within(results, "errored_count") or 0)
        counts = {name: int(within(results, f"{name}_count") or 0) for name in ("created", "updated", "errored")}
        if status == "failed" or (status == "errored" and not errored):
            ended = Trouble("rejected", f"SendGrid ended the import as `{status}`", str(status))
            return Sent({**dict.fromkeys(map(place, places), ended), **troubles}, counts=counts)
        if not errored:
            return Sent(troubles, counts=counts)
        refused = marked(self._report(within(results, "errors_url")), asked.marks)
        if len(refused) < min(errored, count):
            unnamed = Trouble("unknown", f"{errored:,} of {count:,} contacts failed, and not who", "unnamed")
            troubles = {**dict.fromkeys(map(place, places), unnamed), **troubles}
        bad = Trouble("invalid", "SendGrid refused the contact in the import", "import_error")
        return Sent({**troubles, **{place(places[index]): bad for index in refused}}, counts=counts)

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """As given; addresses in small letters."""
        return {kind: folded(value) if kind == "email" else value for kind, value in row.identifiers.items()}

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - the same shape at every destination
        """Nobody: a search shows fifty, and an export is a file somewhere else."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """Every list, with its size."""
        token = ""
        while True:
            params = [("page_size", "1000"), *([("page_token", token)] if token else [])]
            answer = self.client.request("GET", "/v3/marketing/lists", params=params).value
            for item in listed(answer, "result"):
                size = within(item, "contact_count")
                yield Remote(str(within(item, "id") or ""), str(within(item, "name") or ""), size)
            # Of the link nothing but the token is taken, so it cannot lead to another host.
            link = str(within(answer, "_metadata", "next") or "")
            before, token = token, parse_qs(urlsplit(link).query).get("page_token", [""])[0]
            if token in ("", before):
                return

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _left(self, batch: Batch) -> Sent:
        """Takes people off the list, a hundred a call; what was taken stays taken when a later call is not."""
        troubles: dict[str, Trouble] = {}
        for start in range(0, len(batch.rows), SEARCHED):
            part = batch.rows[start : start + SEARCHED]
            try:
                troubles |= self._part_left(batch.audience, part)
            except (BatchRefusedError, NotNowError, UnknownOutcomeError) as error:
                if start == 0:
                    raise
                is_unknown = isinstance(error, UnknownOutcomeError)
                ended = Trouble("unknown" if is_unknown else "rejected", str(error), "not_sent")
                behind = Trouble("rejected", f"not sent: {error}", "not_sent")
                troubles |= {row.key: behind for row in batch.rows[start:]}
                troubles |= {row.key: ended for row in part}
                break
        return Sent(troubles)

    def _part_left(self, audience: str, rows: Sequence[Row]) -> dict[str, Trouble]:
        """Takes some off; who is not found now may be found later."""
        known = {row.key: row.known_as for row in rows if row.known_as}
        known |= self._ids([row for row in rows if not row.known_as])
        if known:
            ids = ",".join(dict.fromkeys(str(name) for name in known.values()))
            path = f"/v3/marketing/lists/{audience}/contacts"
            self.client.request("DELETE", path, params=[("contact_ids", ids)], rows=rows)
        missing = Trouble("rejected", "SendGrid does not know the person, or not yet", "not_found")
        return {row.key: missing for row in rows if row.key not in known}

    def _ids(self, rows: Sequence[Row]) -> dict[str, str]:
        """Row's key → id of the contact, of those that are found."""
        found: dict[str, str] = {}
        for name in NAMES.values():
            asked = {by[1]: row for row in rows if (by := searched_by(row)) and by[0] == name}
            if not asked:
                continue
            key, path = ("emails", "emails") if name == "email" else ("identifiers", f"identifiers/{name}")
            answer = self.client.request(
                "POST", f"{CONTACTS}/search/{path}", json={key: list(asked)}, rows=rows, reads=True, accept=(404,)
            )
            result = within(answer.value, "result") or {}
            ids = {folded(value): within(one, "contact", "id") for value, one in result.items()}
            for value, row in asked.items():
                number = "0" if self.around.record is not None else ids.get(folded(value))
                if number:
                    found[row.key] = str(number)
        return found

    def _report(self, url: object) -> str:
        """A report on an import, fetched without credentials from the hosts where SendGrid keeps them; else empty."""
        if not isinstance(url, str) or not url:
            return ""
        try:
            declared = self.destination.allowed_hosts
            reader = client(self.destination, self.around, url, own=REPORT_HOSTS,
                            allow_private=bool(declared), takes_text=True)  # fmt: skip
            try:
                value = reader.request("GET", url).value
            finally:
                reader.close()
        except (SegctlError, NotNowError, BatchRefusedError, UnknownOutcomeError):
            return ""
        return value if isinstance(value, str) else str(value)
