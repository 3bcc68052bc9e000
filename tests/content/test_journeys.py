"""The mails of the four journeys in `configs/`, as they look filled, beside golden files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from segctl.compile.definitions import load_definitions
from segctl.compile.project import load_project
from segctl.content.checks import check_content
from segctl.content.library import Library
from segctl.content.rendering import Rendering
from segctl.content.values import Amount, Fields, Memberships, missing
from segctl.model.content import Content
from segctl.model.project import Definitions

if TYPE_CHECKING:
    from conftest import Golden

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "content"
JOURNEYS = ("cart_recovery", "high_value_care", "reactivation", "welcome")
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(load_project(ROOT / "configs")[0])[0]


def product(code: str, category: str | None, price: str | None) -> Fields:
    amount = None if price is None else Amount.of(Decimal(price), "EUR")
    return Fields("product", {"product_id": code, "category": category, "price": amount, "reason": "viewed"})


def values(language: str, *, full: bool) -> dict[str, Any]:
    """Of somebody of whom all is known, or of whom only what is always there."""
    title = {"de": "10 % auf den nächsten Einkauf", "en": "10% off your next order"}[language]
    cart = [product("SN-001", "Sneaker", "93.99"), product("BÜ/1", None, None)]
    event = Fields("event", {"time": AT, "value": Amount.of(Decimal("1234.5"), "EUR"), "product_id": "SN-001"})
    return {
        "first_name": 'Łucja "Lu" <O\'Neil>' if full else {"de": "und guten Tag", "en": "and good day"}[language],
        "customer_since": date(2024, 3, 5) if full else missing("customer_since"),
        "points": 3917 if full else missing("points"),
        "event": event if full else missing("event"),
        "cart": cart if full else [],
        "segments": Memberships({"vip": full, "climbed_to_gold": False}),
        "offers": Fields("offers", {"thanks": Fields("offers.thanks", {"title": title, "code": "DANKE10"})}),
        "values": Fields("values", {"shop_name": "Der Laden", "shop_url": "https://shop.example", "address": "Weg 1"}),
        "recommendations": Fields("r", {"for_you": [*cart, product("WO-014", "Wohnen", "69.99")] if full else []}),
        "profile_id": "00102",
        "unsubscribe_url": "https://shop.example/abmelden?p=00102",
        "language": language,
        "as_of": AT,
    }


@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", JOURNEYS)
def test_a_mail_looks_as_it_did(definitions: Definitions, golden: Golden, name: str, language: str, full: bool) -> None:
    library = Library(definitions.content or Content(), ROOT / "configs")

    mail = library.fill(
        library.message(name, language), values(language, full=full), Rendering(language, "Europe/Berlin")
    )

    shown = f"Subject: {mail.subject}\nPreheader: {mail.preheader}\n\n{mail.text}"
    golden.compare(shown, GOLDEN / f"{name}.{language}.{'full' if full else 'bare'}.txt")
    assert mail.html is not None
    assert "<O'Neil>" not in mail.html
    assert len(mail.html.encode()) < 20_000


def test_the_html_of_one_mail_looks_as_it_did(definitions: Definitions, golden: Golden) -> None:
    library = Library(definitions.content or Content(), ROOT / "configs")

    mail = library.fill(
        library.message("cart_recovery", "de"), values("de", full=True), Rendering("de", "Europe/Berlin")
    )

    golden.compare(f"{mail.html}\n", GOLDEN / "cart_recovery.de.full.html")


def test_the_journeys_have_no_findings(definitions: Definitions) -> None:
    assert check_content(definitions) == []
