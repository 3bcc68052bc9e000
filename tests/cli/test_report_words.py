"""Reports in words: every state, both languages, digits that the interval allows, nothing that fools."""

from __future__ import annotations

import re
from dataclasses import replace
from string import Formatter
from types import ModuleType
from typing import get_args

import pytest
from report_samples import AT, BOUGHT, STATES, interval, money, report

from segctl.cli import report_codes_de, report_codes_en, report_words_de, report_words_en
from segctl.cli.context import Context
from segctl.cli.report_ab import result
from segctl.cli.report_ab_story import document
from segctl.cli.report_headline import lead
from segctl.cli.report_numbers import LIFT, NUMBER, Numbers, Shape
from segctl.cli.report_speech import AbSpeech, Speech
from segctl.cli.report_view import text
from segctl.model.exits import ExitCode
from segctl.operations.ab.headline import per_units
from segctl.operations.ab.result import State
from segctl.stats.values import Flag, Interval, Why

CODES = ("REASONS", "FLAGS", "CHECKS", "HEADS")
POINTS = Shape(100.0, "points", sign=True)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("table", ["WORDS", *CODES])
def test_both_languages_have_the_same_keys_and_places(table: str) -> None:
    def found(*modules: ModuleType) -> dict[str, set[str]]:
        (words,) = [getattr(module, table) for module in modules if hasattr(module, table)]
        return {key: places(text) for key, text in words.items()}

    assert found(report_words_en, report_codes_en) == found(report_words_de, report_codes_de)


def test_no_german_text_is_still_english() -> None:
    same = {key for key, text in report_words_de.WORDS.items() if report_words_en.WORDS[key] == text and " " in text}

    assert same <= {"title", "p", "in_unit", "group.in", "skipped_line"}


def test_every_reason_flag_and_state_has_words() -> None:
    assert {str(why) for why in Why} - set(report_codes_en.REASONS) == set()
    assert {str(flag) for flag in Flag} - set(report_codes_en.FLAGS) == set()
    assert {f"state.{state}" for state in get_args(State)} - set(report_words_en.WORDS) == set()


def test_every_check_and_reason_of_the_operations_has_words() -> None:
    from pathlib import Path

    folder = Path(__file__).parents[2] / "segctl" / "operations" / "ab"
    source = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py")))
    names = set(re.findall(r'Check\(\s*"(\w+)"', source))
    told = set(re.findall(r'Check\("(\w+)", "(?:warn|fail|note)", "(\w+)"', source))

    assert len(names) > 10
    assert {f"check.{name}" for name in names} - set(report_words_en.WORDS) == set()
    assert {f"{name}.{reason}" for name, reason in told} - set(report_codes_en.CHECKS) == set()


# --- Headlines --------------------------------------------------------------------------------------------
FIRST = {
    "more": (
        "purchases: more with mail than with control, 280 instead of 230 per 10,000 people.",
        "purchases: mit mail mehr als mit Kontrolle, 280 statt 230 je 10.000 Personen.",
    ),
    "fewer": (
        "purchases: fewer with mail than with control, 180 instead of 230 per 10,000 people.",
        "purchases: mit mail weniger als mit Kontrolle, 180 statt 230 je 10.000 Personen.",
    ),
    "no_difference": (
        "purchases: no clear difference between mail and control, 236 and 230 per 10,000 people.",
        "purchases: kein klarer Unterschied zwischen mail und Kontrolle, 236 und 230 je 10.000 Personen.",
    ),
    "too_early": (
        "purchases: too early to tell; so far 280 with mail and 230 with control per 10,000 people.",
        "purchases: zu früh für eine Aussage; bisher 280 mit mail und 230 mit Kontrolle je 10.000 Personen.",
    ),
    "too_small": (
        "purchases: too small to tell; 70 with mail and 30 with control per 10,000 people.",
        "purchases: zu klein für eine Aussage; 70 mit mail und 30 mit Kontrolle je 10.000 Personen.",
    ),
    "guardrail": (
        "Guard-rail broken: “returns” got worse. purchases: 280 with mail, 230 with control per 10,000 people.",
        (
            "Schutzgröße verletzt: „returns“ ist schlechter geworden. purchases: 280 mit mail, 230 mit Kontrolle "
            "je 10.000 Personen."
        ),
    ),
    "not_usable": (
        (
            "Not usable: the arms are not as large as they were dealt, so people are missing or do not belong and the "
            "control was messaged. No conclusion can be drawn from these numbers."
        ),
        (
            "Nicht verwendbar: die Arme sind nicht so groß wie zugeteilt, es fehlen also Personen oder es sind fremde "
            "dabei und die Kontrolle bekam Nachrichten. Aus diesen Zahlen lässt sich nichts schließen."
        ),
    ),
    "nothing_yet": (
        "Nothing to tell yet: nobody's window of 14 days is complete.",
        "Noch nichts zu sagen: niemandes Zeitraum von 14 Tagen ist vollständig.",
    ),
}
STEPS = {
    "more": "What to do: mail works, but whether it pays is not certain; use it with a control group and look again "
    "with more people.",
    "fewer": "What to do: do not use mail.",
    "no_difference": "What to do: if a difference that small does not matter, choose by cost; otherwise test with more "
    "people.",
    "too_early": "What to do: wait until 2026-03-30; results that are read earlier are often coincidence.",
    "too_small": "What to do: wait for more people, or plan a larger test with `segctl experiment plan`.",
    "guardrail": "What to do: do not use mail before it is known why “returns” got worse.",
    "not_usable": "`--anyway` shows the numbers all the same.",
    "nothing_yet": "What to do: wait; the last window ends 2026-04-02.",
}


@pytest.mark.parametrize("state", STATES)
def test_the_first_sentence_says_what_happened_and_the_last_what_to_do(state: State) -> None:
    english = lead(AbSpeech(report(state), "en"), anyway=False)
    german = lead(AbSpeech(report(state), "de"), anyway=False)

    assert (english.text, german.text) == FIRST[state]
    assert english.more[-1] == STEPS[state]
    assert len(english.more) == len(german.more)


def test_good_and_bad_news_have_the_same_words() -> None:
    good = lead(AbSpeech(report("more"), "en"), anyway=False).more
    bad = lead(AbSpeech(report("fewer"), "en"), anyway=False).more

    def bare(line: str) -> str:
        return re.sub(r"[+−]?[\d.,]+", "#", line)

    assert [bare(line) for line in good[:-1]] == [bare(line) for line in bad[:-1]]


def test_no_clear_difference_says_what_is_ruled_out() -> None:
    told = lead(AbSpeech(report("no_difference"), "en"), anyway=False)

    assert told.more[0] == (
        "What can be ruled out: a difference of more than 36 per 10,000 people, up or down, with 95 % confidence."
    )


@pytest.mark.parametrize(
    ("profit", "said", "step"),
    [
        ((10_000, 2_000, 18_000), "Earned: mail brought a profit of +10,000 (+2,000 to +18,000) EUR after cost.",
         "use mail, and"),
        ((-9_000, -17_000, -1_000), "Earned: mail brought a loss; profit −9,000 (−17,000 to −1,000) EUR after cost.",
         "does not pay"),
        ((1_000, -7_000, 9_000), ("Earned: it is not certain whether mail brought a profit or a loss; profit +1,000 "
         "(−7,000 to +9,000) EUR after cost."), "whether it pays is not certain"),
    ],
)  # fmt: skip
def test_whether_it_earned_anything_stands_in_the_lead(
    profit: tuple[float, float, float], said: str, step: str
) -> None:
    of = replace(report("more"), money=(money("mail", 90_000, profit),))

    told = lead(AbSpeech(of, "en"), anyway=False)

    assert said in told.more
    assert step in told.more[-1]


@pytest.mark.parametrize("state", ["too_early", "too_small", "not_usable", "nothing_yet"])
def test_nothing_is_earned_while_nothing_can_be_told(state: State) -> None:
    told = lead(AbSpeech(report(state), "en"), anyway=False)

    assert not any("profit" in line for line in (told.text, *told.more))


def test_money_that_is_not_claimed_is_not_in_the_lead() -> None:
    of = replace(report("more"), money=(money("mail", 90_000, (10_000, 2_000, 18_000), claim=False),))

    assert not any("profit" in line for line in lead(AbSpeech(of, "en"), anyway=False).more)


def test_numbers_of_what_cannot_be_used_are_told_on_demand_only() -> None:
    hidden = document(report("not_usable"), "en")
    shown = document(report("not_usable"), "en", anyway=True)

    assert [section.key for section in hidden.sections] == ["checks"]
    assert "metrics" in [section.key for section in shown.sections]
    assert "do not decide by them" in str(shown.lead)


def test_other_units_and_means_are_named() -> None:
    of = report("fewer")
    head = replace(
        of.headline, metric="revenue", per=1, value=1.4, control=1.84, difference=interval(-0.44, -0.8, -0.08)
    )
    told = lead(AbSpeech(replace(of, unit="household_id", headline=head), "en"), anyway=False)

    assert told.text == (
        "revenue: less with mail than with control, 1.40 EUR instead of 1.84 EUR per unit (household_id)."
    )


def test_sentence_tables_and_rows_show_one_interval() -> None:
    found = report()
    main = found.metrics[0]
    wide = replace(main.effects[0], simultaneous=interval(0.005, 0.0009, 0.0089),
                   simultaneous_lift=interval(0.217, 0.03, 0.43))  # fmt: skip
    found = replace(found, metrics=(replace(main, effects=(wide, main.effects[1])), *found.metrics[1:]))

    told = text(Context("report", AT), document(found, "en"), details=True)

    assert told.count("(+0.09 to +0.89)") == 2  # the figures, and `as above` of the details
    assert re.search(r"as above +\S+ \(\+0.09 to \+0.89\) .* 0\.0082", told)
    assert re.search(r"alone, not corrected +\S+ \(\+0.17 to \+0.80\) .* 0\.0041", told)
    assert "ranges as wide as the corrected p" in told.replace("\n", " ")
    (row,) = [one for one in result(found, ExitCode.OK).rows if (one["metric"], one["arm"]) == ("bought", "mail")]
    assert (row["difference_low"], row["difference_high"], row["p_adjusted"]) == (0.0009, 0.0089, 0.0082)


def test_arms_that_are_alike_and_open_guard_rails_stand_in_the_lead() -> None:
    found = report()
    returns = found.metrics[2]
    unsettled = replace(returns, effects=(replace(returns.effects[0], held="open"), returns.effects[1]))
    found = replace(
        found, headline=replace(found.headline, rivals=("coupon",)), metrics=(*found.metrics[:2], unsettled), money=()
    )

    told = lead(AbSpeech(found, "en"), anyway=False).more

    assert "Better than control: mail and Mail with coupon; between them there is no clear difference." in told
    assert any(one.startswith("Open: whether “returns” got worse with mail cannot be told") for one in told)
    assert told[-1].startswith("What to do: use one of mail and Mail with coupon")


def test_started_without_anybody_asks_for_a_push() -> None:
    nobody = tuple(replace(arm, assigned=0, analysed=0) for arm in report().arms)
    found = replace(report("nothing_yet"), arms=nobody, began=None)

    before, after = (lead(AbSpeech(replace(found, started=at), "en"), anyway=False).more for at in (None, AT))

    assert "experiment start" in before[-1]
    assert "push the segment lapsed_buyers" in after[-1]


def test_without_a_range_none_is_spoken_of() -> None:
    found = report("too_early")
    none = Interval(112, None, None, 0.95, "mee", None, Why.TOO_FEW)
    head = replace(found.headline, control=0.0, value=112, difference=none, lift=replace(none, estimate=None), p=None)

    first = lead(AbSpeech(replace(found, headline=head), "en"), anyway=False)

    assert "112 with mail and 0 with control" in first.text
    assert "no range can be told, because there are too few." in first.more[0]
    assert not any("wide" in one or "p –" in one for one in first.more)


def test_an_unplanned_look_says_why_its_range_is_wide() -> None:
    told = lead(AbSpeech(report("too_early"), "en"), anyway=False)

    assert "The range is wide because results may be looked at at any time." in told.more
    assert "So far it leans to more: even the wide range does not contain zero." in told.more


# --- Numbers ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("of", "shape", "expected"),
    [
        ((0.005, 0.0017, 0.008), POINTS, "+0.50 (+0.17 to +0.80) points"),
        ((31_500, -7_270, 70_270), Shape(unit="EUR", sign=True), "+32,000 (−7,000 to +70,000) EUR"),
        ((0.2173, 0.0712, 0.391), LIFT, "+22 (+7 to +39) %"),
        ((450, 153, 718), NUMBER, "450 (150 to 720)"),
        ((0.5, 0.004, 0.9), NUMBER, "0.500 (0.004 to 0.900)"),
        ((0.072, 0.072, 0.072), NUMBER, "0.0720"),
    ],
)
def test_the_interval_decides_the_digits(of: tuple[float, float, float], shape: Shape, expected: str) -> None:
    assert Numbers("en").interval(interval(*of), shape) == expected


def test_german_numbers_have_points_and_commas() -> None:
    assert Numbers("de").interval(interval(1234.56, 1000.2, 1500.9), Shape(unit="EUR")) == "1.230 (1.000 bis 1.500) EUR"
    assert Numbers("de").p(0.0041) == "0,0041"
    assert Numbers("de").day(AT) == "30.03.2026"


def test_ends_that_are_nowhere_are_said() -> None:
    n = Numbers("en")

    assert n.interval(Interval(5.0, 2.0, None, 0.95, "fieller", "high")) == "5.0 (at least 2.0)"
    assert n.interval(Interval(5.0, None, 8.0, 0.95, "fieller", "low")) == "5.0 (at most 8.0)"
    assert n.interval(Interval(5.0, None, None, 0.95, "fieller", "both")) == "5.00 (without limits)"


def test_what_does_not_exist_says_why() -> None:
    speech = Speech("en")
    nothing = Interval(None, None, None, 0.95, "fieller", None, Why.NO_CONVERSIONS)
    half = Interval(0.03, None, None, 0.95, "fieller", None, Why.CONTROL_NEAR_ZERO)

    assert speech.known(nothing, NUMBER) == "(nobody did it in either arm)"
    assert speech.lift(half) == "(the control cannot be told from zero)"


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0, "< 0.0001"), (9.9e-5, "< 0.0001"), (0.0041, "0.0041"), (0.043, "0.043"), (0.384, "0.38"),
        (0.05, "0.050"), (0.04996, "0.04996"), (0.0100004, "0.01"), (None, "–"),
    ],
)  # fmt: skip
def test_p_is_short_and_never_rounded_onto_a_threshold(p: float | None, expected: str) -> None:
    assert Numbers("en").p(p).startswith(expected)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        pytest.param((-27_000.0, -54_321.0, -3.0), "−27,000 (−54,000 to −3) %", id="a loss for certain is no even"),
        pytest.param((45_000.0, 0.4, 90_000.0), "+45,000 (+0.4 to +90,000) %", id="a gain for certain is none either"),
        pytest.param((40.0, -3_200.0, 3_300.0), "+40 (−3,200 to +3,300) %", id="nor is an estimate beside zero"),
        pytest.param((0.001, -0.5, 0.5), "0.0 (−0.5 to +0.5) %", id="an estimate within the range's digits is"),
        pytest.param((0.0, -3_200.0, 3_200.0), "0 (−3,200 to +3,200) %", id="and zero itself"),
    ],
)
def test_no_range_of_a_return_reads_as_if_it_broke_even(ends: tuple[float, float, float], told: str) -> None:
    at, low, high = (end / 100 for end in ends)

    assert Numbers("en").interval(Interval(at, low, high, 0.95, "t"), LIFT) == told


def test_tables_that_throw_strata_together_say_so_where_strata_decide() -> None:
    of = report()
    effect = of.metrics[0].effects[0]
    decided = replace(effect, also={**effect.also, "pooled": effect.compared})
    strata = replace(
        of, metrics=(replace(of.metrics[0], effects=(decided, *of.metrics[0].effects[1:])), *of.metrics[1:])
    )
    note = "these here throw the strata together"

    told = {one.key: str(one.blocks) for one in document(strata, "en").sections}

    assert {key for key, text in told.items() if note in text} == {"also"}
    assert note not in str(document(of, "en"))


# --- Small counts -----------------------------------------------------------------------------------------
def test_small_counts_and_what_is_reckoned_from_them_are_hidden() -> None:
    (section,) = [one for one in document(report(), "en", least=5).sections if one.key == "groups"]
    (row,) = [row for row in section.blocks[0].rows if row[0] == "AT"]

    assert row == ("AT", "mail", *["hidden"] * 6)


def test_small_counts_of_arms_hide_their_rates() -> None:
    of = report()
    few = replace(of.metrics[0], arms=(replace(of.metrics[0].arms[0], events=3), *of.metrics[0].arms[1:]))
    told = document(replace(of, metrics=(few, *of.metrics[1:])), "en", least=5)
    (section,) = [one for one in told.sections if one.key == "metrics"]

    assert [row[2:] for row in section.blocks[0].rows] == [
        ("<5", "hidden", "", "", ""),
        ("2,520", "2.80 %", "hidden", "hidden", "hidden"),
        ("900", "2.25 %", "hidden", "hidden", "hidden"),
    ]
    assert not any(getattr(block, "key", "") == "forest-bought" for block in section.blocks)
    assert told.lead[0].text == "purchases: too few people to be shown."
    assert {"trend", "belief"} & {section.key for section in told.sections} == set()
    assert any("“<5”" in line for line in told.foot)


@pytest.mark.parametrize(("value", "told"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (None, "–")])
def test_the_bound_itself_and_nobody_are_told(value: int | None, told: str) -> None:
    assert Speech("en", least=5).count(value) == told


@pytest.mark.parametrize(("compared", "per"), [(100_000, 10_000), (9_999, 1_000), (288, 100), (20, 100)])
def test_rates_are_told_per_no_more_people_than_were_compared(compared: int, per: int) -> None:
    assert per_units(BOUGHT, compared) == per


def test_what_there_are_more_of_is_named_and_one_day_is_told_once() -> None:
    found = report("more")
    german = lead(AbSpeech(found, "de"), anyway=False).more
    facts = document(replace(found, began=AT, stopped=AT), "de").facts

    assert "Insgesamt: +450 (+150 bis +720) Personen mit „purchases“ durch mail, bei 90.000 in diesem Arm." in german
    assert "30.03.2026" in facts
    assert not any("30.03.2026 bis" in fact for fact in facts)
