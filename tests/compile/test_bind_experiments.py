"""Experiment files: what binds, and for everything that does not a code, the place and a remedy."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
import test_bind_fuzz
import test_schemas
from builders import definitions
from hypothesis import HealthCheck, given, settings

from segctl.compile.bind.experiments import EXPERIMENT_KEYS, MONEY_KEYS
from segctl.compile.bind.experiments_arms import ARM_KEYS
from segctl.compile.bind.experiments_metrics import METRIC_KEYS, OF_UNITS, SELECTING
from segctl.compile.definition_files import DefinitionFile
from segctl.compile.definitions import scope_of
from segctl.compile.experiments import beside_workflows, bind_experiments
from segctl.compile.source import compose
from segctl.model.catalogue import entries
from segctl.model.conditions import Aggregate, Count, EdgeTime, EventSelection, PropertyTest, ValueTest
from segctl.model.destinations import Destination
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.experiments import ARM, Arm, Experiment, LayerShare, Metric, Money
from segctl.model.times import Duration
from segctl.model.workflows import Split

WHOLE = """experiment: mail
title: Mail oder nicht
hypothesis: Eine Mail hilft.
owner: crm@shop.example
segment: winback
unit: {same: company}
arms:
  mail: {weight: 45 %, cost: 0.02}
  control: {weight: 10 %, send: nothing}
  coupon: {weight: 45 %, cost: 0.02 EUR, title: Mit Gutschein}
control: control
window: 14 days
layer: {name: mailings, range: 0 % to 50 %}
traffic: 20 %
exclude: [staff_members]
strata: [country, staff]
metrics:
  bought: {event: order_completed, role: primary}
  revenue: {event: order_completed, sum: {of: value}, unit: EUR, money: true, before: 90 days, cap: 99.5}
  basket: {ratio: {event: order_completed, sum: {of: value}}, over: {event: order_completed, count: {}}}
  gifts: {event: order_completed, where: {is_gift: true}, count: {}}
  returns: {event: order_refunded, role: guardrail, better: lower, margin: 10 %}
  soon: {event: order_completed, time: first}
looks: [50 %, 100 %]
confidence: 90 %
power: 85 %
effect: +20 %
size: 12000
money: {margin: 40 %, fixed: 250, currency: EUR}
salt: mail_before
"""
SHORT = """experiment: mail
segment: winback
arms:
  control: {weight: 10 %, send: nothing}
  mail: {weight: 90 %}
window: 14 days
metrics:
  bought: {event: order_completed, role: primary}
size: 1000
"""
FILES = Destination("files", "file", fields=(("variant", ARM),))


def bound(
    *texts: str, send_to: str = "[files]", destinations: tuple[Destination, ...] = (FILES,)
) -> tuple[dict[str, Experiment], list[Diagnostic]]:
    """Experiments of files named after them, and findings."""
    segments = {
        "winback": f"send_to: {send_to}\nformerly: [comeback]\nwhere: {{trait: country, equals: DE}}",
        "staff_members": "where: {trait: staff, equals: true}",
    }
    known = replace(definitions(segments), destinations={one.name: one for one in destinations})
    files = {}
    for number, text in enumerate(texts):
        root, found = compose(text, "experiments/mail.yaml" if not number else f"experiments/other_{number}.yaml")
        assert found == [], found
        path = root.location.file if root is not None else f"{number}"
        files[path] = DefinitionFile(path, text.encode(), root)
    return bind_experiments(known, files, scope_of(known))


def test_everything_that_can_be_said_is_bound() -> None:
    found, problems = bound(WHOLE)
    orders = EventSelection(("order_completed",))

    assert problems == []
    assert found["mail"] == Experiment(
        name="mail",
        segment="winback",
        arms=(
            Arm("control", Decimal(10), is_sent=False),
            Arm("mail", Decimal(45), cost=Decimal("0.02")),
            Arm("coupon", Decimal(45), cost=Decimal("0.02"), title="Mit Gutschein"),
        ),
        control="control",
        metrics=(
            Metric("bought", "conversion", orders, Count(), role="primary"),
            Metric(
                "revenue", "mean", orders, Aggregate("sum", "value"), unit="EUR", before=Duration(90, "days"),
                cap=Decimal("99.5"), is_money=True,
            ),
            Metric("basket", "ratio", orders, Aggregate("sum", "value"), (orders, Count())),
            Metric(
                "gifts", "mean",
                EventSelection(("order_completed",), where=(PropertyTest("is_gift", ValueTest("equals", (True,))),)),
                Count(),
            ),
            Metric(
                "returns", "conversion", EventSelection(("order_refunded",)), Count(), role="guardrail",
                better="lower", margin=Decimal("0.1"),
            ),
            Metric("soon", "time", orders, EdgeTime("first"), better="lower"),
        ),
        window=Duration(14, "days"),
        same="company",
        layer=LayerShare("mailings", Decimal(0), Decimal("0.5")),
        traffic=Decimal("0.2"),
        exclude=("staff_members",),
        strata=("country", "staff"),
        looks="planned",
        look_shares=(Decimal("0.5"), Decimal(1)),
        confidence=Decimal("0.9"),
        power=Decimal("0.85"),
        effect=Decimal("0.2"),
        size=12000,
        money=Money(Decimal("0.4"), Decimal(250), "EUR"),
        salt="mail_before",
        title="Mail oder nicht",
        hypothesis="Eine Mail hilft.",
        owner="crm@shop.example",
    )  # fmt: skip
    assert found["mail"].location is not None
    assert found["mail"].metrics[1].location is not None
    assert found["mail"].metrics[1].location.line == 19


def test_little_is_enough() -> None:
    found, problems = bound(SHORT)

    assert problems == []
    assert found["mail"].traffic == 1
    assert (found["mail"].looks, found["mail"].confidence, found["mail"].same) == ("end", Decimal("0.95"), None)


@pytest.mark.parametrize("text", [WHOLE, SHORT])
def test_the_shipped_schema_accepts_what_binds(text: str) -> None:
    assert test_schemas.problems("experiment", text) == []


def test_the_shipped_schema_knows_the_same_keys() -> None:
    schema = test_schemas.validator("experiment").schema
    assert isinstance(schema, dict)
    parts = {name: set(of.get("properties", ())) for name, of in schema["$defs"].items()}

    assert set(schema["properties"]) == set(EXPERIMENT_KEYS)
    assert set(schema["properties"]["money"]["properties"]) == set(MONEY_KEYS)
    assert parts["arm"] == set(ARM_KEYS)
    assert parts["metric"] == set(METRIC_KEYS)
    assert parts["part"] == {*SELECTING, *OF_UNITS}


@pytest.mark.parametrize(
    ("was", "now", "attribute", "value"),
    [
        ("segment: winback", "segment: comeback", "segment", "winback"),
        ("size: 1000", "end: 2026-12-31", "end", datetime(2026, 12, 31, 22, 59, 59, 999999, UTC)),
        ("size: 1000", "end: 2026-12-31 12:00", "end", datetime(2026, 12, 31, 11, tzinfo=UTC)),
        ("size: 1000", "size: 9\nlooks: always", "looks", "always"),
        ("size: 1000", "size: 9\nlooks: [100 %]", "looks", "end"),
        ("size: 1000", "size: 9\neffect: -5 %", "effect", Decimal("-0.05")),
        ("size: 1000", "size: 9\nlayer: mailings", "layer", LayerShare("mailings")),
        ("size: 1000", "size: 9\nunit: profile", "same", None),
        ("size: 1000", "size: 9\ntraffic: 0.2", "traffic", Decimal("0.2")),
        ("window: 14 days", "window: 2 months", "window", Duration(2, "months")),
    ],
)  # fmt: skip
def test_ways_to_say_it(was: str, now: str, attribute: str, value: object) -> None:
    found, problems = bound(SHORT.replace(was, now))

    assert problems == []
    assert getattr(found["mail"], attribute) == value


@pytest.mark.parametrize(
    ("arms", "control", "weights"),
    [
        ("{a: {weight: 1}, control: {weight: 3, send: nothing}}", "control", [3, 1]),
        ("{a: {weight: 1}, b: {weight: 3, send: nothing}}", "b", [3, 1]),
        ("{a: , b: {send: nothing}}", "b", [1, 1]),
        ("{a: {weight: 12.5 %}, b: {weight: 87.5 %, send: nothing}}", "b", [Decimal("87.5"), Decimal("12.5")]),
    ],
)
def test_the_control_is_found_and_stands_first(arms: str, control: str, weights: list[int]) -> None:
    text = SHORT.replace("  control: {weight: 10 %, send: nothing}\n  mail: {weight: 90 %}\n", "")

    found, problems = bound(text.replace("arms:", f"arms: {arms}"))

    assert problems == []
    assert found["mail"].control == found["mail"].arms[0].name == control
    assert [arm.weight for arm in found["mail"].arms] == weights


def test_percent_that_do_not_add_up_are_pointed_out_and_relative() -> None:
    found, problems = bound(SHORT.replace("90 %", "85 %"))

    assert [(one.code, one.severity) for one in problems] == [("SEG942", Severity.WARNING)]
    assert "95 %" in problems[0].message
    assert [arm.weight for arm in found["mail"].arms] == [10, 85]


def test_a_control_that_is_sent_like_the_others_is_pointed_out() -> None:
    text = SHORT.replace(", send: nothing", "")

    found, problems = bound(text)

    assert [(one.code, one.severity) for one in problems] == [("SEG943", Severity.WARNING)]
    assert "add `send: nothing`" in (problems[0].hint or "")
    assert found["mail"].arms[0].is_sent
    # Whoever says so means it.
    assert bound(text.replace("window:", "control: control\nwindow:"))[1] == []


@pytest.mark.parametrize(("written", "hint"), [("20", "write `20 %`"), ("120 %", None), ("120", None), ("0", None)])
def test_a_share_that_cannot_be_is_no_advice(written: str, hint: str | None) -> None:
    _, problems = bound(f"{SHORT}traffic: {written}\n")

    assert [one.hint for one in problems if one.code == "SEG946"] == [hint]


METRIC = "{event: order_completed, role: primary}"
# Was, now, code, the text that the finding points at, a word of message or hint.
WRONG = [
    ("experiment: mail\n", "", "SEG940", "segment", "experiment: mail"),
    ("experiment: mail", "experiment: Mail", "SEG217", "Mail", "mail"),
    ("segment: winback", "segment: winbak", "SEG941", "winbak", "`winback`?"),
    ("segment: winback", "segment: winback\nexclude: [staff_member]", "SEG941", "staff_member", "`staff_members`?"),
    ("segment: winback\n", "", "SEG211", "experiment", "segment"),
    ("size: 1000", "size: 1000\nownr: x", "SEG210", "ownr", "`owner`?"),
    ("size: 1000", "size: 1000\nvariants: 2", "SEG210", "variants", "`arms`?"),
    ("{weight: 90 %}", "{weight: 90}", "SEG942", "control", "percent"),
    ("{weight: 90 %}", "{weight: 0 %}", "SEG942", "0 %", "above 0"),
    ("{weight: 90 %}", "{weight: lots}", "SEG230", "lots", ""),
    ("{weight: 90 %}", "{}", "SEG942", "control", "weight"),
    ("{weight: 90 %}", "{weight: 90 %, send: nothing}", "SEG942", "control", "no arm is sent"),
    ("{weight: 90 %}", "{weight: 90 %, cost: -1}", "SEG942", "-1", "0 or more"),
    ("  mail: {weight: 90 %}\n", "", "SEG942", "control", "two arms"),
    ("window: 14 days", "control: cuntrol\nwindow: 14 days", "SEG943", "cuntrol", "`control`?"),
    ("  control: {weight: 10 %, send: nothing}", "  other: {weight: 10 %}", "SEG943", "other", "control: other"),
    (", role: primary", "", "SEG944", "bought", "role: primary"),
    (METRIC, "{event: order_completed, role: primary, average: {of: value}}", "SEG945", "average", "ratio"),
    (METRIC, "{event: order_completed, role: primary, within_last: 3 days}", "SEG945", "within_last", "window"),
    (METRIC, "{event: order_completed, role: primary, latest: 3}", "SEG945", "latest", "window"),
    (METRIC, "{event: order_completed, role: primary, first: time}", "SEG945", "first", "time: first"),
    (METRIC, "{event: order_completed, role: primary, time: first, before: 9 days}", "SEG945", "9 days", "before"),
    (METRIC, "{event: order_completed, role: primary, time: first, count: {}}", "SEG945", "count", "two metrics"),
    (METRIC, "{event: order_completed, role: primary, time: last}", "SEG212", "last", "first"),
    (METRIC, "{event: order_completed, role: primary, cap: 99}", "SEG945", "99", "cap"),
    (METRIC, "{event: order_completed, sum: {of: value}, role: primary, cap: 0.99}", "SEG945", "0.99", "99.5"),
    (METRIC, "{event: order_completed, role: primary, margin: 10 %}", "SEG945", "10 %", "guardrail"),
    (METRIC, "{event: order_completed, role: primary, money: true}", "SEG945", "true", "sum"),
    (METRIC, "{event: order_completed, sum: {of: value}, role: primary, unit: USD}", "SEG945", "USD", "EUR"),
    (METRIC, "{event: order_completed, sum: {of: coupon}, role: primary}", "SEG243", "coupon", "numbers"),
    (METRIC, "{event: order_completed, sum: {of: valeu}, role: primary}", "SEG221", "valeu", "`value`?"),
    (METRIC, "{event: order_completd, role: primary}", "SEG220", "order_completd", "`order_completed`?"),
    (METRIC, "{event: order_completed, where: {value: x}, role: primary}", "SEG230", "x", ""),
    (METRIC, "{event: order_completed, count: {}, days: {}, role: primary}", "SEG215", "days", "metric of each"),
    (METRIC, "{ratio: {event: order_completed}, role: primary}", "SEG211", "{ratio", "over"),
    (METRIC, "{event: logged_in, ratio: {event: logged_in}, over: {event: logged_in}, role: primary}", "SEG945",
     "event", "under `ratio`"),
    (METRIC, "{ratio: {event: logged_in, before: 3 days}, over: {event: logged_in}, role: primary}", "SEG945",
     "before", "window"),
    (METRIC, "{event: order_completed, role: main}", "SEG212", "main", "`primary`"),
    (METRIC, "{event: order_completed, role: primary, before: 3 calendar days}", "SEG233", "3 calendar days", "3 days"),
    ("window: 14 days", "window: 14 calendar days", "SEG233", "14 calendar days", "14 days"),
    ("window: 14 days", "window: 2 Wochen", "SEG233", "2 Wochen", "2 weeks"),
    ("size: 1000", "size: 9\ntraffic: 120 %", "SEG946", "120 %", "100 %"),
    ("size: 1000", "size: 9\ntraffic: 0", "SEG946", "0", "above 0"),
    ("size: 1000", "size: 9\nlayer: {name: m, range: 50 % to 20 %}", "SEG946", "50 % to 20 %", "0 % to 50 %"),
    ("size: 1000", "size: 9\nlayer: {name: m, range: 50 %}", "SEG212", "50 %", "0 % to 50 %"),
    ("size: 1000", "size: 9\nlayer: {name: m, range: 1 % to b}", "SEG230", "b}", ""),
    ("size: 1000", "size: 9\nend: 2026-12-31", "SEG949", "2026-12-31", "one of them"),
    ("size: 1000", "size: 1", "SEG230", "1", "at least 2"),
    ("size: 1000", "end: tomorrow", "SEG232", "tomorrow", "2026-12-31"),
    ("size: 1000", "end: 31.12.2026", "SEG232", "31.12.2026", "2026-12-31"),
    ("size: 1000", "size: 9\nconfidence: 100 %", "SEG949", "100 %", "95 %"),
    ("size: 1000", "size: 9\npower: 20 %", "SEG949", "20 %", "80 %"),
    ("size: 1000", "size: 9\neffect: 0 %", "SEG949", "0 %", "+20 %"),
    ("size: 1000", "size: 9\neffect: -100 %", "SEG949", "-100 %", "above"),
    ("size: 1000", "size: 9\nmoney: {margin: 140 %}", "SEG949", "140 %", "100 %"),
    ("size: 1000", "size: 9\nlooks: [50 %, 20 %, 100 %]", "SEG950", "[50 %, 20 %, 100 %]", "[20 %, 50 %, 100 %]"),
    ("size: 1000", "size: 9\nlooks: [50 %, 50 %, 100 %]", "SEG950", "[50 %, 50 %, 100 %]", "[50 %, 100 %]"),
    ("size: 1000", "size: 9\nlooks: [20 %]", "SEG950", "[20 %]", "[20 %, 100 %]"),
    ("size: 1000", "size: 9\nlooks: sometimes", "SEG212", "sometimes", "`always`"),
    ("size: 1000", "size: 9\nunit: {same: compny}", "SEG951", "compny", "`company`?"),
    ("size: 1000", "size: 9\nunit: {same: order_count}", "SEG951", "order_count", "computed"),
    ("size: 1000", "size: 9\nunit: {same: birth_date}", "SEG951", "birth_date", "date"),
    ("size: 1000", "size: 9\nunit: household", "SEG951", "household", "same"),
    ("size: 1000", "size: 9\nstrata: [contry]", "SEG951", "contry", "`country`?"),
    ("size: 1000", "size: 9\nsalt: Mail vorher", "SEG217", "Mail vorher", "mail_vorher"),
    ("size: 1000", "size:", "SEG212", "", "empty"),
]  # fmt: skip


@pytest.mark.parametrize(("was", "now", "code", "place", "word"), WRONG)
def test_what_is_wrong_is_told_with_its_place_and_a_remedy(
    was: str, now: str, code: str, place: str, word: str
) -> None:
    text = SHORT.replace(was, now)
    assert text != SHORT

    found, problems = bound(text)

    errors = [one for one in problems if one.severity is Severity.ERROR]
    assert [one.code for one in errors] == [code], problems
    assert found == {}
    where = errors[0].location
    assert where is not None
    line = text.split("\n")[where.line - 1]
    assert line[where.column - 1 :].startswith(place)
    assert word in f"{errors[0].message} {errors[0].hint} {errors[0].why}"


@pytest.mark.parametrize(("was", "now"), [row[:2] for row in WRONG if row[2] in ("SEG210", "SEG211")])
def test_the_shipped_schema_refuses_wrong_keys_too(was: str, now: str) -> None:
    assert test_schemas.problems("experiment", SHORT.replace(was, now)) != []


def test_everything_wrong_is_told_at_once() -> None:
    text = SHORT.replace("winback", "winbak").replace("90 %", "ninety").replace("order_completed", "orders")

    assert {one.code for one in bound(text)[1]} == {"SEG941", "SEG230", "SEG220"}


# --- Experiments among one another ------------------------------------------------------------------------
def other(**changes: str) -> str:
    text = SHORT.replace("experiment: mail", "experiment: other_1")
    return text + "".join(f"{key}: {value}\n" for key, value in changes.items())


def codes(problems: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(one.code, one.severity.value) for one in problems]


def test_two_experiments_of_one_name_are_an_error() -> None:
    found, problems = bound(SHORT, SHORT)

    assert ("SEG940", "error") in codes(problems)
    assert list(found) == ["mail"]


def test_two_experiments_with_one_salt_are_an_error() -> None:
    assert ("SEG940", "error") in codes(bound(SHORT, other(salt="mail"))[1])


def test_ranges_of_a_layer_that_overlap_are_pointed_out() -> None:
    first = SHORT + "layer: {name: m, range: 0 % to 50 %}\n"

    assert codes(bound(first, other(layer="{name: m, range: 40 % to 60 %}"))[1]) == [("SEG947", "warning")]
    assert "40 % to 50 %" in bound(first, other(layer="{name: m, range: 40 % to 60 %}"))[1][0].message
    assert codes(bound(first, other(layer="m"))[1]) == [("SEG947", "warning")]
    assert codes(bound(first, other(layer="{name: m, range: 50 % to 100 %}"))[1]) == []


def test_experiments_on_one_segment_need_a_layer_to_keep_apart() -> None:
    first = SHORT + "layer: {name: m, range: 0 % to 50 %}\n"

    assert codes(bound(SHORT, other())[1]) == [("SEG948", "warning")]
    assert codes(bound(first, other(layer="n"))[1]) == [("SEG948", "warning")]
    assert codes(bound(first, other().replace("winback", "staff_members"))[1]) == [("SEG953", "note")]


def test_without_size_and_end_a_look_cannot_be_early() -> None:
    found, problems = bound(SHORT.replace("size: 1000\n", ""))

    assert codes(problems) == [("SEG949", "warning")]
    assert list(found) == ["mail"]


def test_a_segment_that_goes_nowhere_is_noted() -> None:
    assert codes(bound(SHORT, send_to="[]".replace("[]", "[files]"), destinations=())[1]) == []
    assert codes(bound(SHORT.replace("winback", "staff_members"))[1]) == [("SEG953", "note")]


def test_a_workflow_that_splits_by_an_experiment_sends_to_its_people() -> None:
    found, problems = bound(SHORT.replace("winback", "staff_members"))

    def told(split_by: str) -> list[str]:
        node, trigger = SimpleNamespace(body=Split((), split_by)), SimpleNamespace(segment="staff_members")
        workflows = {"journey": SimpleNamespace(name="journey", nodes=(node,), trigger=trigger)}
        known = replace(definitions({}), experiments=found, workflows=workflows)
        return [str(one.hint) for one in beside_workflows(problems, known)]

    assert told("mail") == []
    assert ["split: {experiment: mail}` into workflows/journey.yaml" in hint for hint in told("other")] == [True]


def test_a_destination_that_cannot_tell_arms_apart_is_pointed_out() -> None:
    deaf = replace(FILES, fields=(("city", "city"),))
    three = SHORT.replace("  mail: {weight: 90 %}", "  mail: {weight: 45 %}\n  coupon: {weight: 45 %}")

    assert codes(bound(three, destinations=(deaf,))[1]) == [("SEG954", "warning")]
    assert "`files`" in bound(three, destinations=(deaf,))[1][0].message
    assert codes(bound(three)[1]) == []
    assert codes(bound(SHORT, destinations=(deaf,))[1]) == []


def test_a_control_that_nobody_takes_out_is_pointed_out() -> None:
    staying = replace(FILES, mode="update")
    sent = SHORT.replace("send: nothing, ", "").replace(", send: nothing", "")

    assert codes(bound(SHORT, destinations=(staying,))[1]) == [("SEG972", "warning")]
    assert codes(bound(SHORT, destinations=(replace(FILES, mode="add"),))[1]) == []
    assert "SEG972" not in [code for code, _ in codes(bound(sent, destinations=(staying,))[1])]


def test_a_file_of_another_name_is_pointed_out() -> None:
    assert codes(bound(SHORT.replace("experiment: mail", "experiment: post"))[1]) == [("SEG218", "warning")]


# --- Whatever stands in a file ----------------------------------------------------------------------------
@given(text=test_bind_fuzz.mutated([WHOLE, SHORT]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_broken_files_give_findings_and_never_a_traceback(text: str) -> None:
    known = definitions({"winback": "where: {trait: country, equals: DE}"})
    root, found = compose(text, "experiments/mail.yaml")
    started = time.monotonic()

    files = {"experiments/mail.yaml": DefinitionFile("experiments/mail.yaml", b"", root)}
    experiments, problems = bind_experiments(known, files, scope_of(known))

    explained = entries()
    assert all(one.code in explained and one.message and one.location for one in [*found, *problems])
    assert experiments or problems or found
    assert time.monotonic() - started < 5
