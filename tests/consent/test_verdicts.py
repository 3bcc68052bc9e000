"""The gate's decision against a slow oracle, and what must hold for every history."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracle_consent import BLOCKS, DAY, ENDING, NOW, Row, World, decide, random_world

from segctl.consent.ledger import Ledger
from segctl.consent.shapes import Shape, shape_text
from segctl.consent.verdicts import LONG_AGO, MERGED, NO_POINT, Moment, Question, least_permissive, verdicts
from segctl.model.consent import CONSENT_CODES, SUPPRESSION_CODES, ConsentRules, Purpose, Use

Codes = list[tuple[str | None, str | None]]


def stored(row: Row) -> tuple[Any, ...]:
    shape = Shape(
        row.action, row.purpose, row.channel, row.brand, row.recipient, row.basis, row.notice, int(row.proof),
        int(row.own), int(row.confirmed), row.origin, row.reason, json.dumps(row.facts) if row.facts else None,
    )  # fmt: skip
    return (row.seq, row.at, row.expires, row.exact, row.wide, shape_text(shape))


def question(world: World, use: dict[str, Any]) -> Question:
    purposes = {
        name: Purpose(
            name, bases=of["bases"], channels=of["channels"], covers=of.get("covers", ()),
            signals=of.get("signals", ()), lia_ref=of.get("lia"), notice_min_version=of.get("notice"),
            marketing=of["marketing"],
        )
        for name, of in world.purposes.items()
    }  # fmt: skip
    rules = ConsentRules(double_opt_in=world.double_opt_in, soft_bounces=world.soft_bounces, brand=world.brand)
    recipient = tuple((key, use[key]) for key in ("class", "country", "transfer") if use[key])
    moment = Moment(
        NOW, NOW - world.confirm_span, world.confirm_span, LONG_AGO if world.stale is None else NOW - world.stale,
        NOW - world.bounce_window,
    )  # fmt: skip
    asked = Use(use["purpose"], use["channel"], "", recipient)
    return Question(asked, purposes.get(use["purpose"] or ""), purposes, rules, world.bound, moment)


def gate(world: World, rows: Iterable[Row], points: list[tuple[bytes, bytes]], use: dict[str, Any]) -> Codes:
    ledger, every = Ledger(), [stored(row) for row in rows]
    # In two parts, as a gate that is refreshed reads them.
    ledger.add(every[: len(every) // 2])
    ledger.add(every[len(every) // 2 :])
    consent, blocked = verdicts(ledger, [exact + wide for exact, wide in points], question(world, use))
    return [
        (CONSENT_CODES[c - 1] if c else None, SUPPRESSION_CODES[b - 1] if b else None)
        for c, b in zip(consent.tolist(), blocked.tolist(), strict=True)
    ]


def differences(seed: int) -> list[str]:
    world, points, uses = random_world(seed)
    wrong = []
    for use in uses:
        expected = [decide(world, exact, wide, use) for exact, wide in points]
        found = gate(world, world.rows, points, use)
        wrong += [
            f"seed {seed}: {use} {p}: {f} != {e}" for p, f, e in zip(points, found, expected, strict=True) if f != e
        ]
    return wrong


@pytest.mark.parametrize("start", range(0, 45, 15))
def test_the_gate_agrees_with_the_oracle(start: int) -> None:
    assert [wrong for seed in range(start, start + 15) for wrong in differences(seed)] == []


@pytest.mark.slow
def test_the_gate_agrees_with_the_oracle_in_very_many_worlds() -> None:
    assert [wrong for seed in range(10_000, 15_000) for wrong in differences(seed)] == []


def test_random_worlds_reach_nearly_every_code() -> None:
    seen: set[str | None] = set()
    for seed in range(300):
        world, points, uses = random_world(seed)
        seen |= {code for use in uses for point in points for code in decide(world, *point, use)}

    assert set(CONSENT_CODES) - seen <= {"no_point", "malformed", "merged"}
    assert set(SUPPRESSION_CODES) - seen <= {"merged"}


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_arrival_makes_no_difference(seed: int) -> None:
    world, points, uses = random_world(seed)
    shuffled = random.Random(seed).sample(world.rows, len(world.rows))
    renumbered = [replace(row, seq=number) for number, row in enumerate(shuffled, start=1)]

    for use in uses[::3]:
        assert gate(world, renumbered, points, use) == gate(world, world.rows, points, use)


@pytest.mark.parametrize("seed", range(100, 140))
def test_a_further_denial_never_allows(seed: int) -> None:
    world, points, uses = random_world(seed)
    rng = random.Random(seed)
    exact, wide = rng.choice(points)
    action = rng.choice([*ENDING, *BLOCKS])
    further = Row(99, NOW - rng.randrange(12) * DAY, exact, wide, action, channel=rng.choice([None, "email"]))

    for use in uses[::2]:
        before = gate(world, world.rows, points, use)
        after = gate(world, [*world.rows, further], points, use)
        assert all(b == (None, None) for b, a in zip(before, after, strict=True) if a == (None, None))


def test_a_merged_person_is_allowed_only_where_each_part_is() -> None:
    rng = random.Random(7)
    for _ in range(300):
        a = [rng.choice([0, 0, 0, 11, 12]) for _ in range(rng.randrange(1, 4))]
        b = [rng.choice([0, 0, 0, 11, 12]) for _ in range(rng.randrange(1, 4))]
        codes = np.array([*a, *b, *a, *b])
        lengths = np.array([len(a), len(b), len(a) + len(b)])

        first, second, both = least_permissive(codes, lengths, empty=NO_POINT, merged=MERGED).tolist()

        assert both != 0 or (first == 0 and second == 0)


def test_a_row_without_contact_points_is_denied() -> None:
    found = least_permissive(np.array([0]), np.array([0, 1, 0]), empty=NO_POINT, merged=MERGED)

    assert found.tolist() == [NO_POINT, 0, NO_POINT]


def test_a_correction_takes_back_what_was_given() -> None:
    world, points, uses = random_world(0)
    world = replace(world, rows=(), double_opt_in=())
    given = Row(1, NOW - DAY, *points[0], "grant", "ads", "ads", notice="3", facts={"signals": "ad_user_data"})
    use = next(u for u in uses if u["purpose"] == "ads" and u["channel"] == "ads") | {"country": None}
    ledger = Ledger()
    ledger.add([stored(given)])
    asked = question(world, use)

    before = verdicts(ledger, [points[0][0] + points[0][1]], asked)[0].tolist()
    ledger.add([], void={1})

    assert before == [0]
    assert CONSENT_CODES[verdicts(ledger, [points[0][0] + points[0][1]], asked)[0][0] - 1] == "unknown"


A = (b"a" * 16, b"a" * 16)
_OWN = {"own": True, "origin": "command"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([("grant", 9, {}), ("withdraw", 9, {})], "withdrawn", id="at once: the denial wins"),
        pytest.param([("request", 9, {}), ("confirm", 2, {})], None, id="confirmed on the last instant"),
        pytest.param([("request", 9, {}), ("confirm", 1.99999, {})], "lapsed", id="confirmed after it"),
        pytest.param([("request", 7, {})], "pending", id="can still be confirmed"),
        pytest.param([("request", 7.00001, {})], "lapsed", id="cannot any more"),
        pytest.param([("grant", 9, {"confirmed": True, "expires": NOW})], "expired", id="expires now"),
        pytest.param([("grant", 9, {"confirmed": True, "expires": NOW + 1})], None, id="expires in a moment"),
        pytest.param([("grant", 20, {"confirmed": True})], None, id="as old as it may be"),
        pytest.param([("grant", 20.00001, {"confirmed": True})], "stale", id="older"),
        pytest.param([("grant", 0, {"confirmed": True})], None, id="given now"),
        pytest.param(
            [("object_marketing", 9, {}), ("grant", 9, {"confirmed": True, **_OWN})], "objected_marketing",
            id="objected and confirmed at once",
        ),
        pytest.param(
            [("object_marketing", 9, {}), ("grant", 8, {"confirmed": True, **_OWN})], None, id="confirmed after it"
        ),
        pytest.param(
            [("object_marketing", 9, {}), ("grant", 8, {"confirmed": True, **_OWN, "proof": False})],
            "objected_marketing", id="without proof",
        ),
        pytest.param(
            [("object_marketing", 8, {}), ("request", 9, _OWN), ("confirm", 7, _OWN)], "objected_marketing",
            id="asked before the objection, confirmed after it",
        ),
        pytest.param(
            [("object_marketing", 9, {}), ("request", 8, {"own": True}), ("confirm", 7, _OWN)], "objected_marketing",
            id="asked by an import",
        ),
    ],
)  # fmt: skip
def test_bounds_of_time(rows: list[tuple[str, float, dict[str, Any]]], expected: str | None) -> None:
    world = replace(
        random_world(0)[0], double_opt_in=("email",), confirm_span=7 * DAY, stale=20 * DAY, brand=None, bound=None
    )
    world.purposes["news"] |= {"bases": ("consent",), "notice": None}
    made = [
        Row(n, NOW - round(days * DAY), *A, what, *((None, None) if what in BLOCKS else ("news", "email")), **more)
        for n, (what, days, more) in enumerate(rows, start=1)
    ]
    use = {"purpose": "news", "channel": "email", "class": None, "country": None, "transfer": None}

    assert gate(world, made, [A], use) == [(expected, None)]
    assert decide(replace(world, rows=tuple(made)), *A, use) == (expected, None)


@pytest.mark.parametrize(
    ("days", "target", "more", "expected"),
    [
        (8, "suppress", {}, None),
        (9, "suppress", {}, "suppressed"),
        (8, "suppress", {"origin": "import"}, "suppressed"),
        (8, "suppress", {"proof": False}, "suppressed"),
        (8, "suppress", {"confirmed": False}, "suppressed"),
        (8, "suppress", {"own": False}, "suppressed"),
        (8, "bounce", {}, "suppressed"),
        (8, "suppress", {"channel": "sms"}, "suppressed"),
    ],
)
def test_a_suppression_is_lifted_by_a_later_proved_word_alone(
    days: int, target: str, more: dict[str, Any], expected: str | None
) -> None:
    world = replace(random_world(0)[0], bound=None)
    values = {"origin": "command", "own": True, "confirmed": True, "facts": {"target": target}, **more}
    rows = [Row(1, NOW - 9 * DAY, *A, "suppress"), Row(2, NOW - days * DAY, *A, "lift", **values)]
    use = {"purpose": "service", "channel": "email", "class": None, "country": None, "transfer": None}

    assert gate(world, rows, [A], use) == [(None, expected)]


def test_a_denial_of_a_purpose_reaches_what_is_below_it() -> None:
    world = replace(random_world(0)[0], bound=None, brand=None, stale=None, double_opt_in=())
    use = {"purpose": "news.weekly", "channel": "email", "class": None, "country": None, "transfer": None}
    given = Row(1, NOW - 9 * DAY, *A, "grant", "news.weekly", "email")

    assert gate(world, [given], [A], use) == [(None, None)]
    assert gate(world, [given, Row(2, NOW, *A, "withdraw", "news")], [A], use) == [("withdrawn", None)]
    assert gate(world, [given, Row(2, NOW, *A, "withdraw", "ads")], [A], use) == [(None, None)]
