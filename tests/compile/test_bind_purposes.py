"""`purposes`, `consent` and `contact_points` of the project file."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.project import bind_project_text
from segctl.model.consent import ConsentRules, Purpose
from segctl.model.diagnostics import Severity
from segctl.model.project import Project
from segctl.model.secrets import Secret
from segctl.model.times import Duration

HEAD = "segctl: 1\nname: shop\nidentifiers: {customer_id: {}}\ntraits: {email: text, phone: text, mail2: text}\n"


def bound(text: str) -> tuple[Project, list[str]]:
    project, findings = bind_project_text(HEAD + text, Path("/nowhere"))
    return project, [f.code for f in findings if f.severity is Severity.ERROR]


def test_everything_a_purpose_can_say() -> None:
    project, codes = bound(
        "purposes:\n"
        "  news: {title: News, description: d, basis: [consent, soft_opt_in], channels: [email, sms],\n"
        "    covers: [news.a], stale_after: 24 months, min_notice: 3, marketing: true}\n"
        "  news.a: {basis: consent, channels: email}\n"
        "  law: {basis: legal_obligation, channels: postal}\n"
        "  ads: {basis: consent, channels: [ads], signals: [ad_user_data], tcf: {vendor: 755, purposes: [1, 3]}}\n"
    )

    assert codes == []
    assert project.purposes == (
        Purpose("news", "News", "d", ("consent", "soft_opt_in"), ("email", "sms"), ("news.a",), Duration(24, "months"),
                notice_min_version="3"),
        Purpose("news.a", channels=("email",)),
        Purpose("law", bases=("legal_obligation",), channels=("postal",), marketing=False),
        Purpose("ads", channels=("ads",), signals=("ad_user_data",), tcf_vendor=755, tcf_purposes=(1, 3)),
    )  # fmt: skip


def test_what_holds_for_every_purpose() -> None:
    assert bound("")[0].consent == ConsentRules()
    project, codes = bound(
        "consent: {double_opt_in: [], confirm_within: 3 days, stale_after: 1 year, soft_bounces: 5, "
        "soft_bounce_window: 2 weeks, brand: x, key: {env: CONSENT_KEY}}\n"
    )

    assert codes == []
    assert project.consent == ConsentRules(
        (), Duration(3, "days"), Duration(1, "years"), 5, Duration(2, "weeks"), "x", Secret("env", ("CONSENT_KEY",))
    )


def test_contact_points_are_named_or_follow_from_names() -> None:
    assert bound("")[0].contact_points == (("email", ("email",)), ("phone", ("phone",)))
    assert bound("contact_points: {email: [email, mail2]}\n")[0].contact_points == (("email", ("email", "mail2")),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("purposes: {News: {basis: consent, channels: [email]}}", "SEG802"),
        ("purposes: {news..a: {basis: consent, channels: [email]}}", "SEG802"),
        ("purposes: {news: {channels: [email]}}", "SEG211"),
        ("purposes: {news: {basis: consent}}", "SEG211"),
        ("purposes: {news: {basis: consnt, channels: [email]}}", "SEG212"),
        ("purposes: {news: {basis: consent, channels: [mail]}}", "SEG212"),
        ("purposes: {news: {basis: consent, channels: [email], covers: [nwes]}}", "SEG803"),
        ("purposes: {news: {basis: consent, channels: [email], chanels: x}}", "SEG210"),
        ("contact_points: {email: e_mail}", "SEG804"),
        ("contact_points: {fax: email}", "SEG212"),
        ("consent: {key: a-secret-that-stands-here}", "SEG370"),
        ("consent: {soft_bounces: 0}", "SEG230"),
    ],
)
def test_mistakes_are_found(text: str, code: str) -> None:
    assert bound(text + "\n")[1] == [code]


def test_legitimate_interest_without_a_record_is_warned_of() -> None:
    _, findings = bind_project_text(
        HEAD + "purposes: {post: {basis: legitimate_interest, channels: [postal]}}\n", Path("/nowhere")
    )

    assert [f.code for f in findings] == ["SEG805"]
