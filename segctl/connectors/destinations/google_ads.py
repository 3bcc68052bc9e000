"""Google Ads: an audience is a customer list; hashed people go in and out through the Data Manager API.

Consent goes with every ingestion, for all its members alike: who was not found to agree to `ad_user_data` is not sent
at all, and `ad_personalization` says denied where it was not found. What agrees to them is told by `signals` of the
purpose; without any, the consent to the purpose stands for both. A removal names the same normal forms again.

Fields are `givenName`, `familyName`, `regionCode` and `postalCode`, which go together or not at all. Credentials are a
`service_account`, or `client_id`, `client_secret` and `refresh_token`. Google works on a request for minutes, at times
for hours: the push asks for its state and goes on with it the next time.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from segctl.connectors.destinations import google_answers, mailing, normal_google
from segctl.connectors.destinations.audience_hashes import sha256
from segctl.connectors.destinations.base import (
    Abilities,
    Around,
    Batch,
    Member,
    Remote,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
)
from segctl.connectors.destinations.clients import client
from segctl.connectors.destinations.jobs import Job, left_out
from segctl.connectors.destinations.mailing import Json, listed, within
from segctl.connectors.destinations.ways_in import in_form, missing_audience, only_fields, way_in
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Destination, Option
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.connectors.http.exchange import Answer
    from segctl.model.fetching_rest import Auth

ABILITIES = Abilities(
    identifiers=("email", "phone"), channel="ads", batch_rows=10_000, recipient="ads", parallel=2, minimum=100
)
OPTIONS = (
    Option("account_id", "text", "number of the Google Ads account, with or without dashes", required=True),
    Option("account_type", "choice", "what the account is", default="GOOGLE_ADS",
           choices=("GOOGLE_ADS", "DISPLAY_VIDEO_ADVERTISER", "DISPLAY_VIDEO_PARTNER")),
    Option("login_account_id", "text", "manager account through which the account is reached"),
    Option("terms_accepted", "boolean", "you have accepted Google's terms for Customer Match", default=False),
    Option("consent", "mapping", "purpose that stands for `ad_user_data` or `ad_personalization`, where `signals` of "
           "the purpose do not say it"),
    Option("membership_days", "integer", "days after which Google drops who was not told again, at most 540",
           default=540),
    Option("country", "text", "ISO code for numbers and addresses without a country"),
    Option("encoding", "choice", "how hashes are written", default="HEX", choices=("HEX", "BASE64")),
    Option("service_account", "secret", "key file of a service account"),
    Option("client_id", "secret", "OAuth client; with `client_secret` and `refresh_token`"),
    Option("client_secret", "secret", "of the OAuth client"),
    Option("refresh_token", "secret", "of the person who allowed it"),
    Option("token_url", "url", "service that hands out tokens", default="https://oauth2.googleapis.com/token"),
    Option("create_audiences", "boolean", "make a list where there is none of that name", default=True),
    Option("base_url", "url", "another address of the service", default="https://datamanager.googleapis.com"),
)  # fmt: skip
SCOPE = "https://www.googleapis.com/auth/datamanager"
WAYS = {"account": ("service_account",), "person": ("client_id", "client_secret", "refresh_token")}
HOSTS = ("datamanager.googleapis.com", "oauth2.googleapis.com")
LONGEST_DAYS = 540
SIGNALS = ("ad_user_data", "ad_personalization")
_NUMBER = re.compile(r"\d{3}-?\d{3}-?\d{4}|\d{1,19}")
_NOBODY = "there is no e-mail address or phone number in a form that Google takes"
_NO_CONSENT = "consent to `ad_user_data` was not found"


def connect(destination: Destination, around: Around) -> GoogleAds:
    """Its connector."""
    return GoogleAds(destination, around)


def identifiers(row: Row, *, country: str | None, encoding: str) -> list[Json]:
    """What Google is told of a person; empty when nothing of it could be matched.

    Args:
        row: With the parts of an address among its fields, if there is one.
        country: ISO code where none is said.
        encoding: HEX or BASE64.
    """
    email, phone = row.identifiers.get("email"), row.identifiers.get("phone")
    found: list[Json] = []
    for name, form in (
        ("emailAddress", normal_google.email(email) if email else None),
        ("phoneNumber", normal_google.phone(phone, country) if phone else None),
    ):
        digest = sha256(form)
        if digest is not None:
            found.append({name: written(digest, encoding)})
    address = normal_google.address(dict(row.fields), country)
    if found and address is not None:
        hashed = {part: written(address[part], encoding) for part in ("givenName", "familyName")}
        found.append({"address": {**address, **hashed}})
    return found


def written(digest: str, encoding: str) -> str:
    """A hex digest in the encoding that the request names."""
    return base64.b64encode(bytes.fromhex(digest)).decode() if encoding == "BASE64" else digest


def consent(batch: Batch, purposes: Mapping[str, str]) -> dict[str, bool]:
    """Signal → whether everybody in the batch was found to agree to it.

    Args:
        batch: What was granted: purposes, and the signals that the purpose asks for.
        purposes: Signal → purpose, as declared. A signal that is not among them is looked for among those granted;
            where the purpose asks for no signal at all, it stands for both.
    """
    told = {signal: signal in batch.granted for signal in SIGNALS}
    if not any(told.values()):
        told = dict.fromkeys(SIGNALS, batch.purpose in batch.granted)
    return {signal: purposes[signal] in batch.granted if signal in purposes else told[signal] for signal in SIGNALS}


def ingestion(members: Sequence[Json], target: Json, encoding: str, *, personal: bool) -> Json:
    """The body that puts people in; `personal` says whether ads may be made for them alone."""
    return {
        **removal(members, target, encoding),
        "consent": {
            "adUserData": "CONSENT_GRANTED",
            "adPersonalization": "CONSENT_GRANTED" if personal else "CONSENT_DENIED",
        },
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
    }


def removal(members: Sequence[Json], target: Json, encoding: str) -> Json:
    """The body that takes people out: neither consent nor terms may stand in it."""
    told = [{"userData": {"userIdentifiers": found}} for found in members]
    return {"destinations": [target], "audienceMembers": told, "encoding": encoding}


class GoogleAds:
    """One advertiser's account."""

    def __init__(self, destination: Destination, around: Around) -> None:
        self.destination, self.around, self.options = destination, around, destination.options
        only_fields(destination, normal_google.ADDRESS)
        looks = "ten digits, with or without dashes"
        self.account = in_form(destination, "account_id", _NUMBER, looks).replace("-", "")
        self.login = str(self.options.get("login_account_id") or "") and in_form(
            destination, "login_account_id", _NUMBER, looks
        ).replace("-", "")
        self.encoding = self.options.get("encoding", "HEX")
        self.country = self.options.get("country")
        base_url = self.options.get("base_url", "https://datamanager.googleapis.com")
        self.client = client(
            destination, around, base_url, auth=self._auth(), own=HOSTS if base_url.endswith(HOSTS[0]) else (),
            requests=300, per_s=60.0,
        )  # fmt: skip

    def check(self) -> tuple[Probe, ...]:
        """Asks for one list, and looks whether terms are accepted."""
        probes = self.client.check("GET", self._lists, params=[("pageSize", "1")])
        if self.options.get("terms_accepted"):
            return probes
        hint = "accept them in Google Ads, then write `terms_accepted: true`"
        return (*probes, Probe("terms", "problem", "the terms for Customer Match are not accepted", hint))

    def audience(self, segment: str, name: str) -> str:  # noqa: ARG002 - the same shape at every destination
        """Id of the list of that name or id; made where it is missing."""
        found = [one for one in self.audiences() if name in (one.name, one.id)]
        if len(found) > 1:
            raise mailing.ambiguous(self.destination.name, name, "lists")
        if found:
            return found[0].id
        if self.around.record is None and (name.isdecimal() or not self.options.get("create_audiences", True)):
            raise missing_audience(self.destination, name, "list")
        days = min(LONGEST_DAYS, max(1, int(self.options.get("membership_days", LONGEST_DAYS))))
        made = self._call(
            "POST",
            self._lists,
            {
                "displayName": name,
                "membershipDuration": f"{days * 86_400}s",
                "ingestedUserListInfo": {
                    "uploadKeyTypes": ["CONTACT_ID"],
                    "contactIdInfo": {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"},
                },
            },
            stand_in={"id": f"<{name}>"},
        )
        number = within(made, "id") or str(within(made, "name") or "").rpartition("/")[2]
        return mailing.id_within({"id": number}, "id")

    def send(self, batch: Batch) -> Sent:
        """One ingestion or removal, whose state is asked later."""
        is_removal = batch.action == "remove"
        agreed = consent(batch, self.options.get("consent") or {})
        if not is_removal and not agreed["ad_user_data"]:
            return Sent({row.key: Trouble("invalid", _NO_CONSENT, "no_consent") for row in batch.rows})
        if not is_removal and not self.options.get("terms_accepted"):
            raise not_accepted(self.destination)
        told = [identifiers(row, country=self.country, encoding=self.encoding) for row in batch.rows]
        out = {at: _NOBODY for at, found in enumerate(told) if not found}
        members, rows = (
            [found for found in told if found],
            [row for row, found in zip(batch.rows, told, strict=True) if found],
        )
        troubles = left_out(batch.rows, out)
        if not members:
            return Sent(troubles)
        target = self._target(batch.audience)
        if is_removal:
            body = removal(members, target, self.encoding)
        else:
            body = ingestion(members, target, self.encoding, personal=agreed["ad_personalization"])
        answer = self._call("POST", f"/v1/audienceMembers:{'remove' if is_removal else 'ingest'}", body, rows)
        if self.around.record is not None:
            return Sent(troubles)
        name = within(answer, "requestId")
        if not name:
            raise UnknownOutcomeError("the answer names no request")
        return Sent(troubles, job=str(Job(((str(name), len(rows)),), out)), wait_s=10.0)

    def poll(self, job: str) -> Sent:
        """How a request stands; Google takes minutes, sometimes hours."""
        asked = Job.of(job)
        params = [("requestId", asked.parts[0][0])]
        return google_answers.state(
            self.client.request("GET", "/v1/requestStatus:retrieve", params=params).value, asked
        )

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """Hashes of the normal forms."""
        found = identifiers(Row(row.key, row.identifiers), country=self.country, encoding=self.encoding)
        names = {"emailAddress": "email", "phoneNumber": "phone"}
        return {names[name]: str(value) for one in found for name, value in one.items()}

    def members(self, audience: str) -> Iterator[Member]:  # noqa: ARG002 - the same shape at every destination
        """Nobody: Google does not say who is on a list."""
        return iter(())

    def audiences(self) -> Iterator[Remote]:
        """Every list of the account; sizes are those that may be advertised to."""
        token = ""
        while True:
            params = [("pageSize", "1000"), *([("pageToken", token)] if token else [])]
            answer = self.client.request("GET", self._lists, params=params).value
            for item in listed(answer, "userLists"):
                yield Remote(str(within(item, "id") or ""), str(within(item, "displayName") or ""))
            before, token = token, str(within(answer, "nextPageToken") or "")
            if token in ("", before):
                return

    def close(self) -> None:
        """Lets go of connections."""
        self.client.close()

    @property
    def _lists(self) -> str:
        kind = self.options.get("account_type", "GOOGLE_ADS")
        return f"/v1/accountTypes/{kind}/accounts/{self.account}/userLists"

    def _target(self, audience: str) -> Json:
        kind = self.options.get("account_type", "GOOGLE_ADS")
        found: dict[str, Any] = {"operatingAccount": {"accountType": kind, "accountId": self.account}}
        if self.login:
            found["loginAccount"] = {"accountType": kind, "accountId": self.login}
        return {**found, "productDestinationId": audience}

    def _call(self, method: str, path: str, body: Json, rows: Sequence[Row] = (), stand_in: Json = None) -> Json:
        answer = self.client.request(method, path, json=body, rows=rows, accept=(400, 429), stand_in=stand_in)
        if answer.status >= 400:
            self._raise(answer, rows)
        return answer.value

    def _raise(self, answer: Answer, rows: Sequence[Row]) -> NoReturn:
        problem = google_answers.problem(self.destination.name, answer, rows, now=self.client.now())
        assert problem is not None
        raise problem

    def _auth(self) -> Auth:
        from segctl.model.fetching_rest import ClientCredentials, ServiceAccount

        token_url = self.options.get("token_url", "https://oauth2.googleapis.com/token")
        if way_in(self.destination, WAYS) == "account":
            return ServiceAccount(self.options["service_account"], token_url, SCOPE)
        return ClientCredentials(
            token_url, self.options["client_id"], self.options["client_secret"], self.options["refresh_token"]
        )


def not_accepted(destination: Destination) -> UsageError:
    """Nobody has said that the terms are accepted."""
    return UsageError(
        "SEG934",
        f"`{destination.name}`: Google takes no lists of people before its terms for Customer Match are accepted",
        hint="accept them in Google Ads, then write `terms_accepted: true`",
        location=destination.location,
    )
