"""Meta: an audience is a custom audience; hashed keys go in and out, and the service counts and names nobody.

Deltas are added and deleted. `usersreplace`, which swaps everybody, is not used: half a batch would be the whole
audience. The token goes in a header, never in an address, and no page's link is followed, for links carry the token.

Fields are Meta's keys: `FN`, `LN`, `FI`, `CT`, `ST`, `ZIP`, `COUNTRY`, `GEN`, `DOBY`, `DOBM`, `DOBD`, and `DOB` for a
date that becomes the three. They help to match; somebody is found by e-mail, phone or id alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segctl.connectors.destinations import mailing, meta_answers, normal_meta
from segctl.connectors.destinations.base import Abilities, Around, Batch, Member, Remote, Row, Sent
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.jobs import left_out
from segctl.connectors.destinations.mailing import Json, listed, within
from segctl.connectors.destinations.ways_in import closed_audience, in_form, missing_audience, only_fields
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.secrets import MASK, remember

if TYPE_CHECKING:
    from segctl.connectors.http.client import Client

ABILITIES = Abilities(
    identifiers=("email", "phone", "external_id", "mobile_ad_id"),
    channel="ads",
    batch_rows=10_000,
    recipient="ads",
    parallel=2,
    minimum=100,
)
OPTIONS = (
    Option("ad_account_id", "text", "number of the ad account, with or without `act_`", required=True),
    Option("access_token", "secret", "token with the permission `ads_management`", required=True),
    Option("app_secret", "secret", "of the app, where it demands that calls are proved by it"),
    Option("source", "choice", "where the people's data come from", default="USER_PROVIDED_ONLY",
           choices=("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")),
    Option("customer_consent", "boolean", "say with each call that everybody in it has agreed; only where the "
           "purpose's consent was found", default=False),
    Option("country", "text", "ISO code of people whose fields do not say one"),
    Option("create_audiences", "boolean", "make an audience where there is none of that name", default=True),
    Option("api_version", "text", "version of the Graph API", default="v25.0"),
    Option("base_url", "url", "another address of the service", default="https://graph.facebook.com"),
)  # fmt: skip
IDENTIFIERS = {"email": "EMAIL", "phone": "PHONE", "external_id": "EXTERN_ID", "mobile_ad_id": "MADID"}
BIRTHDAY = "DOB"
"""A field of ours: a date that becomes the three keys of Meta."""
FIELDS = ("FN", "LN", "FI", "CT", "ST", "ZIP", "COUNTRY", "GEN", "DOBY", "DOBM", "DOBD", BIRTHDAY)
HOST = "graph.facebook.com"
FLAGGED = 471
_ACCOUNT = re.compile(r"(?:act_)?\d{1,20}")
_VERSION = re.compile(r"v\d{1,3}\.\d")
_NOBODY = "there is no e-mail address, phone number or id in a form that Meta takes"


def connect(destination: Destination, around: Around) -> Meta:
    """Its connector."""
    return Meta(destination, around)


def told(row: Row, country: str | None = None) -> dict[str, str]:
    """Key → value of a person as a payload carries it; keys without a value are left out.

    Args:
        row: Fields by Meta's keys.
        country: ISO code where the fields say none.
    """
    values: dict[str, Any] = {
        key: row.identifiers[kind] for kind, key in IDENTIFIERS.items() if row.identifiers.get(kind)
    }
    fields = dict(row.fields)
    birthday = fields.pop(BIRTHDAY, None)
    if birthday is not None:
        values |= dict.fromkeys(("DOBY", "DOBM", "DOBD"), birthday)
    values |= {key: value for key, value in fields.items() if key in FIELDS}
    region = str(values.get("COUNTRY") or country or "") or None
    if region is not None:
        values.setdefault("COUNTRY", region)
    found = {key: normal_meta.told(key, value, region) for key, value in values.items()}
    return {key: value for key, value in found.items() if value}


def is_known(keys: Mapping[str, str]) -> bool:
    """Whether a person could be found by what is told: a name and a city alone are nobody."""
    return any(key in keys for key in IDENTIFIERS.values())


def payload(people: Sequence[Mapping[str, str]]) -> Json:
    """Keys once, then one row a person; a missing value is an empty text, never the hash of one."""
    schema = [key for key in normal_meta.KEYS if any(key in person for person in people)]
    return {"schema": schema, "data": [[person.get(key, "") for key in schema] for person in people]}


def session(batch_id: str, count: int) -> Json:
    """A session of one batch, the same on every try."""
    number = int.from_bytes(hashlib.sha256(batch_id.encode()).digest()[:8], "big") >> 1
    return {"session_id": number or 1, "batch_seq": 1, "last_batch_flag": True, "estimated_num_total": count}


class Meta:
    """One ad account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        only_fields(destination, FIELDS)
        account = in_form(destination, "ad_account_id", _ACCOUNT, "`act_` and digits, or the digits alone")
        self.account = f"act_{account.removeprefix('act_')}"
        version = self.options.get("api_version", "v25.0")
        if "api_version" in self.options:
            in_form(destination, "api_version", _VERSION, "`v25.0`")
        base_url = f"{self.options.get('base_url', f'https://{HOST}')}/{version}"
        self.country = self.options.get("country")
        self.client = self._client(base_url)
        self._secret_proof: str | None = None

    def check(self) -> tuple[Probe, ...]:
        """Asks for one audience of the account."""
        return self.client.check(
            "GET", f"/{self.account}/customaudiences", params=[("fields", "id"), ("limit", "1"), *self._proof()]
        )

    def audience(self, segment: str, name: str) -> str:
        """Id of the audience of that name or id; made where it is missing."""
        # People can be told to customer lists alone; a lookalike may have the same name.
        lists = [item for item in self._audiences() if within(item, "subtype") in (None, "CUSTOM")]
        found = [item for item in lists if name in (within(item, "name"), within(item, "id"))]
        if len(found) > 1:
            raise mailing.ambiguous(self.destination.name, name, "audiences")
        if found:
            if within(found[0], "operation_status", "code") == FLAGGED:
                raise closed_audience(
                    self.destination, name, within(found[0], "operation_status", "description") or "it is flagged"
                )
            return str(found[0]["id"])
        if self.around.record is None and (name.isdecimal() or not self.options.get("create_audiences", True)):
            raise missing_audience(self.destination, name, "audience")
        body = {
            "name": name,
            "subtype": "CUSTOM",
            "customer_file_source": self.options.get("source", "USER_PROVIDED_ONLY"),
            "description": f"segctl: {segment}",
        }
        made = self._call("POST", f"/{self.account}/customaudiences", body, (), stand_in={"id": f"<{name}>"})
        return mailing.id_within(made, "id")

    def send(self, batch: Batch) -> Sent:
        """One call that adds or deletes; what Meta could not read is among the counts."""
        keys = [told(row, self.country) for row in batch.rows]
        out = {at: _NOBODY for at, found in enumerate(keys) if not is_known(found)}
        people = [found for at, found in enumerate(keys) if at not in out]
        rows = [row for at, row in enumerate(batch.rows) if at not in out]
        troubles = left_out(batch.rows, out)
        if not people:
            return Sent(troubles)
        body: dict[str, Any] = {"payload": payload(people), "session": session(batch.id, len(people))}
        is_removal = batch.action == "remove"
        if self.options.get("customer_consent") and not is_removal and batch.purpose in batch.granted:
            body["customer_consent"] = True
        answer = self._call("DELETE" if is_removal else "POST", f"/{batch.audience}/users", body, rows)
        if self.around.record is not None:
            return Sent(troubles)
        found, note, counts = meta_answers.received(answer, rows, people)
        return Sent({**troubles, **found}, note=note, counts=counts)

    def poll(self, job: str) -> Sent:  # noqa: ARG002 - the same shape at every destination
        """Nothing goes on: matching takes a day and concerns nobody by name."""
        return Sent()

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """Hashes of the normal forms; ids as they are."""
        found = told(Row(row.key, row.identifiers), self.country)
        return {kind: found[key] for kind, key in IDENTIFIERS.items() if key in found}

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - the same shape at every destination
        """Nobody: Meta does not say who is in an audience."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """Every custom audience of the account; their sizes are told as bounds only."""
        for item in self._audiences():
            yield Remote(str(within(item, "id") or ""), str(within(item, "name") or ""))

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    def _audiences(self) -> Iterator[Json]:
        after = ""
        while True:
            params = [("fields", "id,name,subtype,operation_status"), ("limit", "200"), *self._proof()]
            params += [("after", after)] if after else []
            answer = self.client.request("GET", f"/{self.account}/customaudiences", params=params, accept=(400,))
            if answer.status >= 400:
                raise meta_answers.problem(self.destination, answer, (), now=self.client.now())
            yield from listed(answer.value, "data")
            before, after = after, str(within(answer.value, "paging", "cursors", "after") or "")
            if after in ("", before) or not within(answer.value, "paging", "next"):
                return

    def _call(self, method: str, path: str, body: Json, rows: Sequence[Row], stand_in: Json = None) -> Json:
        told_body = {**body, **dict(self._proof())}
        accepted = (400, 403, 500, 503)
        answer = self.client.request(method, path, json=told_body, rows=rows, accept=accepted, stand_in=stand_in)
        if answer.status >= 400:
            raise meta_answers.problem(self.destination, answer, rows, now=self.client.now())
        return answer.value

    def _proof(self) -> list[tuple[str, str]]:
        """What proves that the app's secret is known, where one is given."""
        secret = self.options.get("app_secret")
        if secret is None:
            return []
        if self.around.record is not None:
            return [("appsecret_proof", MASK)]
        if self._secret_proof is None:
            from segctl.connectors.http.secrets import revealed

            key = revealed(secret, self.around.root).encode()
            token = revealed(self.options["access_token"], self.around.root).encode()
            self._secret_proof = remember(hmac.new(key, token, hashlib.sha256).hexdigest())
        return [("appsecret_proof", self._secret_proof)]

    def _client(self, base_url: str) -> Client:
        from segctl.model.fetching_rest import Bearer

        own = (HOST,) if "base_url" not in self.options else ()
        return client(self.destination, self.around, base_url, auth=Bearer(self.options["access_token"]), own=own)
