"""Google customer lists: the suite against a strict stand-in, and the traps of the Data Manager API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import NOW, PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, World, batch, finished
from fakes.google import ACCOUNT, Google
from fakes.server import Asked, Reply, serving

from segctl.connectors.destinations import google_answers, jobs
from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Row, place
from segctl.connectors.destinations.google_ads import GoogleAds
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import forget

ALEX = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"
"""Of alexz@example.com, from Google's guide."""
Connecting = Callable[..., GoogleAds]


def options(url: str) -> dict[str, Any]:
    return {
        "account_id": "123-456-7890",
        "terms_accepted": True,
        "client_id": SECRET,
        "client_secret": SECRET,
        "refresh_token": SECRET,
        "base_url": url,
        "token_url": f"{url}/token",
    }


class TestGoogleAds(HttpSuite):
    kind: ClassVar[str] = "google_ads"
    destination: ClassVar[dict[str, Any]] = {"channel": "ads"}
    asks_for_token: ClassVar[bool] = True
    fake: Google

    def make_fake(self) -> Google:
        return Google()

    def options(self) -> dict[str, Any]:
        return options(self.url)

    def people(self, audience: str) -> set[str]:
        with self.connected() as connector:
            seen = {next(iter(connector.seen_as(row).values())) for row in self.rows}
        return {name for one in self.fake.people[audience] for name in one & seen}


@pytest.fixture
def google() -> Iterator[tuple[Google, str]]:
    """A stand-in and its address."""
    fake = Google()
    with serving(fake) as url:
        yield fake, url
    assert fake.wrong == []


@pytest.fixture
def connect(google: tuple[Google, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connecting]:
    """Makes a connector with some options."""
    monkeypatch.setenv(VARIABLE, PLANTED)
    made: list[GoogleAds] = []

    def make(*, fields: tuple[tuple[str, str], ...] = (), **more: Any) -> GoogleAds:
        told = {name: value for name, value in {**options(google[1]), **more}.items() if value is not None}
        declared = Destination("ads", "google_ads", options=told, fields=fields, allowed_hosts=("127.0.0.1",))
        made.append(GoogleAds(declared, World(tmp_path).around()))
        return made[-1]

    yield make
    for one in made:
        one.close()
    forget()


def ingested(fake: Google) -> list[dict[str, Any]]:
    return [asked.json for asked in fake.asked if asked.path == "/v1/audienceMembers:ingest"]


def person(email: str, key: str = "k", **fields: Any) -> Row:
    return Row(key, {"email": email}, fields)


def test_an_ingestion_is_exactly_this(connect: Connecting, google: tuple[Google, str]) -> None:
    ads = connect()
    sent = finished(ads, batch((person(" AlexZ@Example.com "),), audience="11"))

    assert ingested(google[0]) == [
        {
            "destinations": [
                {
                    "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": ACCOUNT},
                    "productDestinationId": "11",
                }
            ],
            "audienceMembers": [{"userData": {"userIdentifiers": [{"emailAddress": ALEX}]}}],
            "encoding": "HEX",
            "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"},
            "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
        }
    ]
    assert sent.counts == {"received": 1, "identifiers": 1}
    assert sent.note == "match rate 41 to 50 %"


def test_people_are_sent_only_where_their_consent_to_it_was_found(
    connect: Connecting, google: tuple[Google, str]
) -> None:
    ads = connect()
    row = person("a@example.com")
    without = replace(batch((row,), audience="11"), granted=frozenset())
    nothing = replace(batch((row,), audience="11"), granted=frozenset(), purpose=None)

    refused = [finished(ads, told) for told in (without, nothing)]

    assert [sent.troubles["k"].code for sent in refused] == ["no_consent"] * 2
    assert ingested(google[0]) == []


def test_each_signal_has_the_purpose_that_the_declaration_gives_it(
    connect: Connecting, google: tuple[Google, str]
) -> None:
    ads = connect(consent={"ad_user_data": "ads", "ad_personalization": "ads.personal"})
    row = person("a@example.com")
    for granted in ({"ads"}, {"ads", "ads.personal"}, {"ads.personal"}):
        finished(ads, replace(batch((row,), audience="11"), purpose="ads", granted=frozenset(granted)))

    assert [body["consent"]["adPersonalization"] for body in ingested(google[0])] == [
        "CONSENT_DENIED",
        "CONSENT_GRANTED",
    ]


@pytest.mark.parametrize(
    ("granted", "said"),
    [
        ({"ads"}, ("CONSENT_GRANTED", "CONSENT_GRANTED")),
        ({"ads", "ad_user_data"}, ("CONSENT_GRANTED", "CONSENT_DENIED")),
        ({"ads", "ad_user_data", "ad_personalization"}, ("CONSENT_GRANTED", "CONSENT_GRANTED")),
        ({"ads", "ad_personalization"}, None),
        (set(), None),
    ],
)
def test_signals_that_the_purpose_asks_for_are_said_each_for_itself(
    connect: Connecting, google: tuple[Google, str], granted: set[str], said: tuple[str, str] | None
) -> None:
    told = replace(batch((person("a@example.com"),), audience="11"), purpose="ads", granted=frozenset(granted))

    connect().send(told)

    found = [(body["consent"]["adUserData"], body["consent"]["adPersonalization"]) for body in ingested(google[0])]
    assert found == ([] if said is None else [said])


def test_a_removal_names_the_same_people_and_carries_neither_consent_nor_terms(
    connect: Connecting, google: tuple[Google, str]
) -> None:
    ads = connect(terms_accepted=False)
    told = replace(batch(ROWS, "remove", audience="11"), granted=frozenset(), purpose=None)

    sent = finished(ads, told)

    (asked,) = [asked for asked in google[0].asked if asked.path.endswith(":remove")]
    assert asked.json.keys() == {"destinations", "audienceMembers", "encoding"}
    assert sent.troubles == {}
    emails = [dict(ads.seen_as(row))["email"] for row in ROWS]
    assert [one["userData"]["userIdentifiers"][0]["emailAddress"] for one in asked.json["audienceMembers"]] == emails


def test_without_accepted_terms_nothing_is_sent(connect: Connecting, google: tuple[Google, str]) -> None:
    ads = connect(terms_accepted=False)

    with pytest.raises(UsageError) as caught:
        ads.send(batch(ROWS, audience="11"))

    assert caught.value.code == "SEG934"
    assert google[0].asked == []
    assert [probe.name for probe in ads.check() if probe.status == "problem"] == ["terms"]


def test_an_address_goes_with_a_person_and_its_region_in_the_clear(
    connect: Connecting, google: tuple[Google, str]
) -> None:
    mapped = (("givenName", "first_name"), ("familyName", "last_name"), ("postalCode", "zip"))
    ads = connect(fields=mapped, country="de", encoding="BASE64")
    row = person("AlexZ@example.com", givenName="GivenName", familyName="FamilyName", postalCode="10115")

    finished(ads, batch((row,), audience="11"))

    (member,) = ingested(google[0])[0]["audienceMembers"]
    email, address = member["userData"]["userIdentifiers"]
    assert email == {"emailAddress": "UJ6TMBm7KFoTSpM0uLtnnf950M4CPVKa9L10TUe0/Yo="}
    assert (address["address"]["regionCode"], address["address"]["postalCode"]) == ("DE", "10115")
    assert ingested(google[0])[0]["encoding"] == "BASE64"


def test_who_cannot_be_matched_is_left_out_and_the_rest_keep_their_places(
    connect: Connecting, google: tuple[Google, str]
) -> None:
    fake, ads = google[0], connect()
    rows = (person("no address", "a"), person("b@example.com", "b"), person("", "c"), person("d@example.com", "d"))
    fake.bad = {ads.seen_as(rows[3])["email"]}

    sent = finished(ads, batch(rows, audience="11"))

    assert {key: (trouble.state, trouble.code) for key, trouble in sent.troubles.items()} == {
        "a": ("invalid", "left_out"),
        "c": ("invalid", "left_out"),
        "d": ("invalid", "INVALID_FORMAT"),
    }
    assert len(fake.people["11"]) == 1
    assert fake.asked[-2].query == {"requestId": ["request-1"]}  # asked while it went on, and again


def test_a_batch_of_nobody_makes_no_call(connect: Connecting, google: tuple[Google, str]) -> None:
    sent = finished(connect(), batch((person("no address"),), audience="11"))

    assert sent.troubles["k"].state == "invalid"
    assert google[0].asked == []


def test_counts_without_indices_are_told_and_blamed_on_nobody(connect: Connecting, google: tuple[Google, str]) -> None:
    fake, ads = google[0], connect()
    fake.tells_indices = False
    fake.bad = {ads.seen_as(ROWS[0])["email"]}

    sent = finished(ads, batch(ROWS, audience="11"))

    assert sent.troubles == {}
    assert "1 rows refused as INVALID_FORMAT, Google does not say which" in (sent.note or "")
    assert sent.counts["refused INVALID_FORMAT"] == 1


def test_a_failed_request_took_nobody(connect: Connecting, google: tuple[Google, str]) -> None:
    fake, ads = google[0], connect()
    fake.bad = {value for row in ROWS for value in ads.seen_as(row).values()}
    fake.tells_indices = False

    sent = finished(ads, batch(ROWS, audience="11"))

    assert sent.troubles.keys() == {row.key for row in ROWS}
    assert fake.people["11"] == []


@pytest.mark.parametrize("reason", ["INTERNAL_ERROR", "DESTINATION_TOO_RECENTLY_CREATED"])
def test_what_may_pass_is_rejected_and_may_be_sent_again(reason: str) -> None:
    body = {
        "requestStatusPerDestination": [
            {
                "requestStatus": "PARTIAL_SUCCESS",
                "errorInfo": {
                    "errorCounts": [
                        {"recordCount": "1", "reason": f"PROCESSING_ERROR_REASON_{reason}", "recordIndices": [1, 99]}
                    ]
                },
            }
        ]
    }

    sent = google_answers.state(body, jobs.Job((("r", 2),), {0: "why"}))

    assert sent.troubles[place(2)].state == "rejected"
    assert sent.troubles.keys() == {place(0), place(2)}


@pytest.mark.parametrize("entries", [None, [], [{}], [{"requestStatus": "REQUEST_STATUS_UNKNOWN"}]])
def test_a_state_that_is_not_known_yet_is_asked_again(entries: Any) -> None:
    job = jobs.Job((("r", 2),), {})

    assert google_answers.state({"requestStatusPerDestination": entries}, job).job == str(job)


def test_a_field_path_finds_the_member_that_the_whole_call_fails_for(connect: Connecting) -> None:
    violation = {"field": "audience_members.audience_members[0].user_data.user_identifiers[0]", "description": "bad"}
    error = refused(connect(), violation)

    assert isinstance(error, BatchRefusedError)
    assert error.rows == {"b": "bad"}  # the first that was sent; `a` was left out
    assert not error.is_size


def test_an_error_about_the_list_ends_it_instead_of_halving_the_batch(connect: Connecting) -> None:
    error = refused(connect(), {"field": "destinations[0].product_destination_id", "description": "no such list"})

    assert isinstance(error, UsageError)
    assert error.code == "SEG901"


def refused(ads: GoogleAds, violation: dict[str, str]) -> BaseException:
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "x", "details": [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]}}  # fmt: skip
    return told(ads, Reply(400, body))


def told(ads: GoogleAds, reply: Reply) -> BaseException:
    """What comes of a batch when the service answers so."""

    def answer(self: Google, asked: Asked) -> Reply:
        return self._token(asked) if asked.path == "/token" else reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Google, "answer", answer)
        with pytest.raises((BatchRefusedError, NotNowError, UsageError)) as caught:
            ads.send(batch((person("no address", "a"), person("b@example.com", "b")), audience="11"))
    return caught.value


@pytest.mark.parametrize(("quota", "is_daily"), [("IngestionPerDayPerProject", True), ("IngestionPerMinute", False)])
def test_a_quota_of_the_day_ends_the_push_and_one_of_the_minute_waits(
    connect: Connecting, quota: str, is_daily: bool
) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "metadata": {"quota_limit": quota}},
               {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}]  # fmt: skip
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded", "details": details}}

    error = told(connect(), Reply(429, body))

    assert isinstance(error, NotNowError)
    assert error.is_daily is is_daily
    assert error.wait_s == (None if is_daily else 17.0)


def test_lists_are_found_by_name_or_id_over_pages_and_made_once(
    connect: Connecting, google: tuple[Google, str]
) -> None:
    fake, ads = google[0], connect(membership_days=30)
    fake.lists |= {str(n): f"list {n}" for n in range(20, 25)}

    ids = [ads.audience("winback", name) for name in ("list 24", "24", "new", "new")]

    made = [asked.json for asked in fake.asked if asked.method == "POST" and asked.path != "/token"]
    assert ids[:2] == ["24", "24"]
    assert ids[2] == ids[3]
    assert [body["membershipDuration"] for body in made] == ["2592000s"]


@pytest.mark.parametrize(("days", "seconds"), [(1, "86400s"), (540, "46656000s"), (9999, "46656000s"), (0, "86400s")])
def test_a_list_keeps_people_for_as_long_as_google_allows(
    connect: Connecting, google: tuple[Google, str], days: int, seconds: str
) -> None:
    connect(membership_days=days).audience("winback", "new")

    assert google[0].asked[-1].json["membershipDuration"] == seconds


def test_an_id_that_is_not_there_makes_no_list(connect: Connecting) -> None:
    for ads, name in ((connect(), "999"), (connect(create_audiences=False), "new")):
        with pytest.raises(UsageError) as caught:
            ads.audience("winback", name)
        assert caught.value.code == "SEG936"


def test_two_lists_of_a_name_are_not_guessed_between(connect: Connecting, google: tuple[Google, str]) -> None:
    google[0].lists |= {"20": "twin", "21": "twin"}

    with pytest.raises(UsageError) as caught:
        connect().audience("winback", "twin")

    assert caught.value.code == "SEG920"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"account_id": "1/../2"}, "SEG933"),
        ({"login_account_id": "x"}, "SEG933"),
        ({"refresh_token": None}, "SEG932"),
        ({"service_account": SECRET}, "SEG932"),
        ({"fields": (("first_name", "first_name"),)}, "SEG935"),
    ],
)
def test_options_that_cannot_be_meant_are_told_before_anything_is_sent(
    connect: Connecting, wrong: dict[str, Any], code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        connect(**wrong)

    assert caught.value.code == code


def test_a_service_account_signs_for_its_token(connect: Connecting, google: tuple[Google, str], tmp_path: Path) -> None:
    form = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    from segctl.model.secrets import Secret

    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    (tmp_path / "key.json").write_text(json.dumps({"client_email": "x@p.iam.example", "private_key": pem}))
    account = {"service_account": Secret("file", ("key.json",)), "client_id": None, "client_secret": None}

    finished(connect(**account, refresh_token=None), batch(ROWS, audience="11"))

    assert google[0].asked[0].form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert len(google[0].people["11"]) == len(ROWS)


def test_now_is_the_push_s_own_clock(connect: Connecting) -> None:
    assert abs((connect().client.now() - NOW).total_seconds()) < 60
