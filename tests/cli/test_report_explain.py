"""`--explain` and control groups in words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from html_reading import problems
from report_samples import AT, BOUGHT, CHECKS, interval, money, rates, report

from segctl.cli.report_control_story import document as control_document
from segctl.cli.report_document import Grid
from segctl.cli.report_explain import document, explained
from segctl.cli.report_explain_control import explained as control_explained
from segctl.cli.report_formulas import FORMULAS, formula
from segctl.cli.report_page import page
from segctl.model.errors import UsageError
from segctl.model.project import Language
from segctl.operations.control_result import CampaignEffect, ControlReport, Cumulative, Programme


def test_every_number_has_a_formula_a_source_and_inputs() -> None:
    found = {one.name: one for one in explained(report(), "en")}

    lift = found["bought.mail.lift"]
    assert lift.value == "+22 (+7 to +39) %"
    assert "koopman" in lift.method
    assert lift.source.startswith("Koopman 1984")
    assert (lift.inputs["nc"], lift.inputs["xc"], lift.inputs["nt"], lift.inputs["xt"]) == (
        "10,000", "230", "90,000", "2,520",
    )  # fmt: skip
    assert found["bought.mail.p_adjusted"].inputs == {"p": "0.0041", "m": "2"}
    assert {"money.mail.roi", "check.split", "next.needed", "bought.mail.best", "revenue.mail.cuped"} <= set(found)
    assert [one.name for one in found.values() if not one.name.startswith("check.") and not one.source] == []


def test_the_beginning_of_a_name_means_all_below_it() -> None:
    names = [one.name for one in explained(report(), "en", ["bought.mail", "next.mde"])]

    assert names[0] == "bought.mail.value"
    assert names[-1] == "next.mde"
    assert all(name.startswith("bought.mail.") for name in names[:-1])


def test_half_a_word_is_no_beginning_of_a_name() -> None:
    with pytest.raises(UsageError):
        explained(report(), "en", ["boug"])


def test_a_number_that_is_not_there_has_a_near_name() -> None:
    with pytest.raises(UsageError) as refused:
        explained(report(), "en", ["bought.mail.lfit"])

    assert refused.value.code == "SEG986"
    assert "bought.mail.lift" in str(refused.value.hint)


def test_numbers_are_explained_on_pages_too() -> None:
    told = document(report(), "de", explained(report(), "de"))

    assert problems(page(told, name="shop", at=AT)) == []
    assert "Formel" in page(told, name="shop", at=AT)
    assert all(len(text) > 5 and source for text, source in FORMULAS.values())


def test_what_goes_in_is_german_too() -> None:
    given, numbers = report(), explained(report(), "de")
    told = " ".join(line for one in document(given, "de", numbers).sections for block in one.blocks
                    for line in block.lines)  # fmt: skip

    arms = {arm.name for arm in given.arms}
    words = {key for one in numbers for key in one.inputs if re.fullmatch(r"[a-z]{4,}(_[a-z]+)*", key)} - arms
    assert {"units", "messages"} <= words
    assert [word for word in sorted(words) if re.search(rf"\b{word} [\d+]", told)] == []


def test_formulas_with_words_in_them_are_german_too() -> None:
    words = re.compile(r"\b(with|and|the|of|by|as|units|arm|over|interval)\b")

    assert [method for method in FORMULAS if words.search(formula(method, "de"))] == []
    assert formula("koopman", "en") != formula("koopman", "de")
    assert formula("unknown_way", "de") == "unknown way"


# --- Control groups ---------------------------------------------------------------------------------------
def control(profit: tuple[float, float, float] | None = (9_000, 2_000, 16_000)) -> ControlReport:
    campaigns = (
        CampaignEffect("spring_mail", report(), 130_000, 10_000, BOUGHT.effects[0].compared,
                       money("mail", 130_000, (10_000, -5_500, 25_500))),
        CampaignEffect("broken", replace(report("not_usable"), experiment="broken", title=None), 500, 3, None, None),
        CampaignEffect("early", replace(report("too_early"), experiment="early", title=None), 800, 200,
                       rates(0.02, 0.03, (0.01, -0.01, 0.03), (0.5, -0.4, 1.9), 0.3), None),
    )  # fmt: skip
    added = () if profit is None else tuple(
        Cumulative(date(2026, 3, day), ("spring_mail",), interval(*profit), interval(*profit)) for day in (1, 2)
    )  # fmt: skip
    arms = tuple(
        replace(one, arm=name) for one, name in zip(BOUGHT.arms[:2], ("held_out", "open"), strict=True)
    )  # fmt: skip
    metric = replace(BOUGHT, arms=arms, effects=(replace(BOUGHT.effects[0], arm="open", also={}),), beliefs=())
    programme = Programme(
        "2026-h1", AT - timedelta(90), AT, 10_000, 90_000, CHECKS[:1], (metric,),
        money("open", 90_000, (10_000, -5_500, 25_500)), 4, interval(5_000, -1_000, 11_000), ("spring_mail",),
    )  # fmt: skip
    return ControlReport(AT, campaigns, added, (programme,), {"form": "no_unsent_control"}, "EUR")


@pytest.mark.parametrize(
    ("profit", "expected"),
    [
        ((9_000, 2_000, 16_000), "All campaigns together earned: profit +9,000 (+2,000 to +16,000) EUR after cost, "),
        ((-9_000, -16_000, -2_000), "All campaigns together brought a loss: profit −9,000 (−16,000 to −2,000) EUR "),
        ((1_000, -6_000, 8_000), "It is not certain whether all campaigns together brought a profit or a loss: "),
        (None, "No campaign with a control group has money to add up yet."),
    ],
)
def test_the_first_sentence_says_what_all_campaigns_earned(
    profit: tuple[float, float, float] | None, expected: str
) -> None:
    (lead,) = control_document(control(profit), "en").lead

    assert lead.text.startswith(expected)


def test_what_everything_together_earned_stands_in_the_lead() -> None:
    (lead,) = control_document(control(), "en").lead

    (said,) = lead.more
    assert said == (
        "Everything together: against the universal holdout 2026-h1 it is not certain whether it brought a profit or "
        "a loss; profit +10,000 (−6,000 to +26,000) EUR."
    )


def test_without_control_groups_it_says_how_to_get_one() -> None:
    (lead,) = control_document(ControlReport(AT, (), (), (), {"form": "no_unsent_control"}), "en").lead

    assert lead.text.startswith("No campaign has a control group")
    assert "segctl help experiments" in lead.more[0]


def test_campaigns_that_cannot_be_used_have_no_numbers() -> None:
    (campaigns, *_) = control_document(control(), "en", early=False).sections
    grid = campaigns.blocks[0]

    assert isinstance(grid, Grid)
    assert [row[:2] for row in grid.rows] == [
        ("Spring mail", "more"), ("broken", "not usable"), ("early", "too early"),
    ]  # fmt: skip
    assert grid.rows[0][4] == "+22 (+7 to +39) %"
    assert [row[4:] for row in grid.rows[1:]] == [("", "", ""), ("", "", "")]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_number_of_the_control_groups_has_a_formula_and_a_source(language: Language) -> None:
    numbers = {one.name: one for one in control_explained(control((9_000, 2_000, 16_000)), language)}

    assert {one.method for one in numbers.values()} <= set(FORMULAS)
    assert all(one.inputs and one.source for one in numbers.values())
    assert {"campaign.spring_mail.lift", "campaign.spring_mail.profit"} <= set(numbers)
    assert any(name.startswith("sum.") and name.endswith(".profit") for name in numbers)
    assert any(name.startswith("programme.2026-h1.") for name in numbers)
    assert not any(name.startswith("campaign.broken") for name in numbers)


def test_numbers_of_control_groups_are_named_by_their_beginning() -> None:
    found = control_explained(control(), "en", ["campaign.spring_mail.lift"])

    assert [one.name for one in found] == ["campaign.spring_mail.lift"]
    with pytest.raises(UsageError) as refused:
        control_explained(control(), "en", ["campaign.spring_mial.lift"])
    assert refused.value.code == "SEG986"


@pytest.mark.parametrize("least", [0, 5])
def test_control_groups_are_a_page_that_everybody_can_read(least: int) -> None:
    told = control_document(control(), "de", least=least)
    found = page(told, name="shop", at=AT)

    assert problems(found) == []
    assert ("&lt;5" in found) == bool(least)
    assert "alle anderen" in found
    assert "form: jedem Arm wird etwas gesendet." in found
