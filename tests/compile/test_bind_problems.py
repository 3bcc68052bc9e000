"""Every mistake in a condition is found, at the very words that are wrong, with a way out."""

from __future__ import annotations

import pytest
from builders import diagnostics_of

from segctl.model.diagnostics import Diagnostic

TRAIT = "{trait: points, %s}"
EVENT = "{event: order_completed, %s}"
SEQUENCE = "{sequence: [{event: logged_in}, %s]}"
WHERE = "{event: order_completed, where: {%s}}"


def underlined(found: Diagnostic, condition: str) -> str:
    """The source text that a finding about a one-line condition points at."""
    assert found.location is not None
    assert found.location.line == 3, found
    line = f"where: {condition}"
    return line[found.location.column - 1 : found.location.column - 1 + found.location.length]


def check(condition: str, code: str, place: str, hint: str) -> None:
    found = diagnostics_of(condition)
    assert [d.code for d in found] == [code], found
    assert underlined(found[0], condition) == place
    assert hint in (found[0].hint or ""), found[0].hint


NAMES = [
    ("{trait: contry, equals: DE}", "SEG204", "contry", "`country`"),
    ("{trait: Land, equals: DE}", "SEG204", "Land", "declare `Land` under `traits`"),
    ("{trait: lifetime_valu, above: 5}", "SEG204", "lifetime_valu", "`lifetime_value`"),
    ("{trait: address.ctiy, equals: X}", "SEG222", "address.ctiy", "`city`"),
    ("{trait: city.name, equals: X}", "SEG226", "city.name", ""),
    ("{trait: devices.model, equals: X}", "SEG226", "devices.model", "any_element"),
    ("{event: order_complete}", "SEG220", "order_complete", "`order_completed`"),
    ("{event: [order_completed, ordr_us]}", "SEG220", "ordr_us", "`order_us`"),
    ('{event: [order_completed, "*"]}', "SEG220", '"*"', 'event: "*"'),
    (WHERE % "cupon: X", "SEG221", "cupon", "`coupon`"),
    (WHERE % "time.months: 11", "SEG221", "time.months", "`time.month`"),
    (WHERE % "shipping.wieght: 1", "SEG222", "shipping.wieght", "`weight`"),
    (WHERE % "coupon.code: X", "SEG226", "coupon.code", ""),
    ("{event: logged_in, where: {coupon: X}}", "SEG221", "coupon", ""),
    ("{segment: staff_member}", "SEG223", "staff_member", "`staff_members`"),
    ("{list: lists/x.csv, identifier: e_mail}", "SEG225", "e_mail", "`email`"),
    ("{list: lists/x.csv}", "SEG211", "{list: lists/x.csv}", "identifier"),
    ("{event: [order_completed, order_us], where: {value: {above: 5}}}", "SEG237", "value", "each event on its own"),
    ("{event: [order_completed, order_us], sum: {of: value, above: 5}}", "SEG237", "value", "each event on its own"),
    ("{event: [order_completed, order_us], where: {channel: shop}}", "SEG238", "channel", ""),
    ('{event: "*", where: {channel: shop}}', "SEG238", "channel", ""),
]
FORM = [
    ("country", "SEG212", "country", "{trait: NAME"),
    ("[{trait: visits, equals: 1}]", "SEG212", "[{trait: visits, equals: 1}]", "under `all`"),
    ("{}", "SEG213", "{}", "`all`"),
    ("{and: [{trait: city, exists: true}]}", "SEG213", "and", "`all`"),
    ("{oder: [{trait: city, exists: true}]}", "SEG213", "oder", "`any`"),
    ("{country: DE}", "SEG213", "country", "{trait: country"),
    ("{order_completed: 3}", "SEG213", "order_completed", "{event: order_completed"),
    ("{trait: visits, event: logged_in, equals: 3}", "SEG213", "event", "under `all`"),
    ("{all: {trait: visits, equals: 1}}", "SEG212", "{trait: visits, equals: 1}", "- "),
    ("{all: []}", "SEG212", "[]", ""),
    ("{any: 3}", "SEG212", "3", ""),
    ("{not: [{trait: visits, equals: 1}]}", "SEG212", "[{trait: visits, equals: 1}]", "`none`"),
    ("{none: {trait: visits, equals: 1}}", "SEG212", "{trait: visits, equals: 1}", "- "),
    ("{all: [{trait: visits, equals: 1}], at_least: 1}", "SEG210", "at_least", ""),
    ("{any: [{trait: visits, equals: 1}], at_least: 2}", "SEG253", "2", "at most 1"),
    ("{any: [{trait: visits, equals: 1}], at_least: 0}", "SEG230", "0", ""),
    ("{any: [{trait: visits, equals: 1}], at_least: two}", "SEG230", "two", ""),
    ("{not: {trait: visits, equals: 1}, missing: match}", "SEG210", "missing", ""),
    ("{trait: points}", "SEG214", "{trait: points}", "`at_least`"),
    (TRAIT % "at_least: 1, below: 5", "SEG214", "below", "under `all`"),
    (TRAIT % "equal: 5", "SEG210", "equal", "`equals`"),
    (TRAIT % "gte: 5", "SEG210", "gte", "`at_least`"),
    (TRAIT % '">": 5', "SEG210", '">"', "`above`"),
    (TRAIT % "mindestens: 5", "SEG210", "mindestens", "`at_least`"),
    (TRAIT % "equals: 5, mising: match", "SEG210", "mising", "`missing`"),
    (TRAIT % "equals: 5, missing: maybe", "SEG212", "maybe", "`match`"),
    (TRAIT % "exists: true, missing: match", "SEG245", "match", "delete"),
    (TRAIT % "changed: {to: 3}, missing: match", "SEG245", "match", "delete"),
    (EVENT % "first: {exists: false}, missing: match", "SEG245", "match", "delete"),
    (EVENT % "last_value: {of: coupon, exists: true}, missing: match", "SEG245", "match", "delete"),
    (TRAIT % "exists: yes", "SEG212", "yes", ""),
    ("{segment: staff_members, missing: match}", "SEG245", "match", "delete"),
    ("{segment: }", "SEG212", "", ""),
    ("{sample: 10 %}", "SEG212", "10 %", "sample: {percent: 10}"),
    ("{sample: {}}", "SEG211", "{}", "percent: 10"),
    ("{sample: {percent: 0}}", "SEG254", "0", ""),
    ("{sample: {percent: 100.5}}", "SEG254", "100.5", ""),
    ("{sample: {percent: ten}}", "SEG230", "ten", ""),
    ("{sample: {percent: 5, sault: x}}", "SEG210", "sault", "`salt`"),
    ("{consent: newsletter}", "SEG831", "{consent: newsletter}", "`email`"),
    ("{consent: newsleter, channel: email}", "SEG830", "newsleter", "`newsletter`"),
    ("{consent: newsletter, channel: pigeon}", "SEG831", "pigeon", "`email`"),
    ("{consent: newsletter, channel: email, status: subscribed}", "SEG832", "subscribed", "`confirmed`"),
    ("{consent: newsletter, channel: email, status: opt_out}", "SEG832", "opt_out", "`withdrawn`"),
    ("{consent: newsletter, channel: email, status: none, older_than: 3 days}", "SEG833", "older_than", "delete"),
    ("{consent: newsletter, channel: email, within_next: 3 days}", "SEG833", "within_next", "`within_last`"),
    ("{consent: newsletter, channel: email, since: today, before: today}", "SEG214", "before", "under `all`"),
    ("{consent: newsletter, channel: email, missing: match}", "SEG245", "match", "delete"),
    ("{consent: newsletter.sale, chanel: email}", "SEG210", "chanel", "`channel`"),
    ("{near: {point: [1, 2]}, within: 30 km, trait: city}", "SEG210", "point", ""),
    ("{trait: country, in: DE}", "SEG212", "DE", "write `[DE]`"),
    ("{trait: country, in: []}", "SEG212", "[]", ""),
    ("{trait: country, equals: [DE, AT]}", "SEG212", "[DE, AT]", "`in`"),
    ("{trait: country, equals: }", "SEG212", "", "exists: false"),
    ("{trait: country, equals: null}", "SEG212", "null", "exists: false"),
    ("{trait: points, between: [1]}", "SEG212", "[1]", "[10, 20]"),
    ("{trait: points, between: 5}", "SEG212", "5", "[10, 20]"),
    (EVENT % "latest: 0", "SEG230", "0", ""),
    (EVENT % "latest: many", "SEG230", "many", ""),
    (EVENT % "where: {}", "SEG212", "{}", ""),
    (EVENT % "where: coupon", "SEG212", "coupon", "{category"),
    (EVENT % "filter: {coupon: X}", "SEG210", "filter", "`where`"),
    (EVENT % "at_least: 3", "SEG210", "at_least", "count: {at_least: 3}"),
    (EVENT % "whithin_last: 3 days", "SEG210", "whithin_last", "`within_last`"),
]  # fmt: skip
VALUES = [
    (TRAIT % 'equals: "5"', "SEG230", '"5"', "write `5` without quotes"),
    (TRAIT % "equals: 5.5", "SEG230", "5.5", "whole number"),
    (TRAIT % "equals: five", "SEG230", "five", ""),
    (TRAIT % "equals: 012", "SEG230", "012", "write `12`"),
    (TRAIT % "equals: +5", "SEG230", "+5", "write `5`"),
    (TRAIT % "equals: 1e3", "SEG230", "1e3", ""),
    (TRAIT % "equals: 99999999999999999999", "SEG230", "99999999999999999999", ""),
    (TRAIT % "equals: 1.000", "SEG231", "1.000", "write `1000`"),
    (TRAIT % "equals: 1.000.000", "SEG231", "1.000.000", "write `1000000`"),
    (TRAIT % "at_least: 99,90", "SEG231", "99,90", "write `99.90`"),
    (TRAIT % 'at_least: "99,90"', "SEG231", '"99,90"', "write `99.90`"),
    (TRAIT % "at_least: [1,5]", "SEG231", "[1,5]", "write `1.5`"),
    ("{trait: balance, at_least: 99,90 EUR}", "SEG231", "99,90 EUR", "write `99.90 EUR`"),
    ('{trait: balance, at_least: "1.234,50 EUR"}', "SEG231", '"1.234,50 EUR"', "write `1234.50 EUR`"),
    ("{trait: balance, at_least: 1.000 EUR}", "SEG231", "1.000 EUR", "write `1000 EUR`"),
    ("{trait: balance, at_least: 1.999}", "SEG231", "1.999", "`1999`"),
    ("{trait: balance, at_least: 0.999}", "SEG230", "0.999", "write `1.00`"),
    ("{trait: score, at_least: 1.000}", "SEG231", "1.000", "or `1.0000` for the fraction"),
    ("{trait: score, between: [1,5, 2,5]}", "SEG212", "[1,5, 2,5]", "write `[1.5, 2.5]`"),
    ("{trait: balance, at_least: 500 USD}", "SEG236", "500 USD", "write `500 EUR`"),
    ("{trait: balance, at_least: 500 €}", "SEG236", "500 €", "write `500 EUR`"),
    ("{trait: balance, at_least: 50 %}", "SEG236", "50 %", "write `50 EUR`"),
    ("{trait: visits, at_least: 5 points}", "SEG236", "5 points", "write `5`"),
    ("{trait: return_rate, at_least: 5 EUR}", "SEG236", "5 EUR", "write `5 %`"),
    ("{trait: order_gap, at_least: 2 weeks}", "SEG236", "2 weeks", "write `2 days`"),
    ("{trait: return_rate, above: 40}", "SEG264", "40", "write `40 %`"),
    ("{trait: newsletter, equals: yes}", "SEG230", "yes", "write `true`"),
    ("{trait: newsletter, equals: nein}", "SEG230", "nein", "write `false`"),
    ("{trait: newsletter, equals: 1}", "SEG230", "1", "write `true`"),
    ('{trait: newsletter, equals: "true"}', "SEG230", '"true"', "write `true`"),
    ("{trait: birth_date, equals: 01.11.2026}", "SEG232", "01.11.2026", "write `2026-11-01`"),
    ("{trait: birth_date, equals: 2026-02-30}", "SEG232", "2026-02-30", ""),
    ("{trait: birth_date, equals: 2026-01-01 12:00}", "SEG232", "2026-01-01 12:00", "time operator"),
    ("{trait: birth_date, equals: today}", "SEG232", "today", "time operator"),
    ("{trait: paid_until, equals: 2026-01-01}", "SEG232", "2026-01-01", "during: 2026-01-01"),
    (WHERE % "time.month: 13", "SEG230", "13", ""),
    (WHERE % "time.weekday: [0, 1]", "SEG230", "[0, 1]", ""),
    (WHERE % "time.hour: {at_least: 24}", "SEG230", "{at_least: 24}", ""),
    ("{trait: address.floor, equals: ground}", "SEG230", "ground", ""),
]
OPERATORS = [
    ("{trait: country, above: DE}", "SEG239", "above", "`starts_with`"),
    ("{trait: country, between: [A, B]}", "SEG239", "between", ""),
    ("{trait: country, any_of: [DE]}", "SEG239", "any_of", "use `in`"),
    ("{trait: country, within_last: 3 days}", "SEG240", "within_last", "`equals`"),
    ("{trait: points, contains: 5}", "SEG239", "contains", "`at_least`"),
    ("{trait: points, since: 2026-01-01}", "SEG240", "since", ""),
    ("{trait: newsletter, in: [true]}", "SEG239", "in", "`equals`"),
    ("{trait: birth_date, above: 2026-01-01}", "SEG239", "above", "use `since`"),
    ("{trait: paid_until, at_most: 2026-01-01}", "SEG239", "at_most", "use `before`"),
    ("{trait: interests, contains: X}", "SEG239", "contains", "use `any_of`"),
    ("{trait: interests, equals: X}", "SEG239", "equals", "use `any_of`"),
    ("{trait: interests, size: 0}", "SEG212", "0", "{equals: 0}"),
    ("{trait: interests, size: {exists: true}}", "SEG239", "exists", ""),
    ("{trait: interests, any_element: {above: 3}}", "SEG239", "above", ""),
    ("{trait: devices, any_element: {modell: A}}", "SEG222", "modell", "`model`"),
    ("{trait: devices, any_element: {}}", "SEG212", "{}", ""),
    ("{trait: devices, any_of: [A]}", "SEG239", "A", ""),
    ("{trait: address, equals: Berlin}", "SEG239", "equals", "`exists`"),
    ("{trait: points, equals: 3, ignore_case: true}", "SEG239", "true", ""),
    ("{trait: country, exists: true, ignore_case: true}", "SEG239", "true", ""),
    ("{trait: country, equals: de, ignore_case: yes}", "SEG212", "yes", ""),
    ("{trait: country, matches: '^(?=D)'}", "SEG263", "'^(?=D)'", ""),
    ("{trait: country, matches: 'D(E'}", "SEG263", "'D(E'", ""),
    ("{trait: country, matches: {trait: city}}", "SEG212", "{trait: city}", ""),
    ("{trait: points, above: {trait: country}}", "SEG244", "country", ""),
    ("{trait: points, above: {trait: visits}}", "SEG244", "visits", ""),
    ("{trait: balance, above: {trait: balance_usd}}", "SEG244", "balance_usd", ""),
    ("{trait: balance, above: {trait: blance}}", "SEG204", "blance", "`balance`"),
    ("{trait: balance, above: {trait: balance, times: 2}}", "SEG210", "times", ""),
    ("{trait: city, equals: {trait: address.city}}", "SEG226", "address.city", ""),
    ("{trait: city, equals: {list: x.csv}}", "SEG257", "{list: x.csv}", ""),
    ("{trait: points, in: {list: x.csv}}", "SEG257", "{list: x.csv}", ""),
    ("{trait: interests, any_of: {list: x.csv}}", "SEG257", "{list: x.csv}", ""),
    ("{trait: tier, changed: {to: gold, equals: x}}", "SEG210", "equals", ""),
    ("{trait: tier, changed: {to: gold}, equals: x}", "SEG214", "equals", "under `all`"),
    ("{trait: tier, changed: gold}", "SEG212", "gold", "{to: gold"),
    ("{trait: tier, changed: {within_last: 3 days, since: 2026-01-01}}", "SEG214", "since", ""),
    ("{trait: points, changed: {from: x}}", "SEG230", "x", ""),
    ("{trait: lifetime_value, changed: {to: 3}}", "SEG239", "trait", ""),
    ("{trait: interests, changed: {within_last: 3 days}}", "SEG239", "trait", ""),
]
TIMES = [
    ("{trait: paid_until, within_last: 7 Tage}", "SEG233", "7 Tage", "write `7 days`"),
    ("{trait: paid_until, within_last: 7}", "SEG233", "7", ""),
    ("{trait: paid_until, within_last: 0 days}", "SEG233", "0 days", ""),
    ("{trait: paid_until, within_last: [7 days]}", "SEG212", "[7 days]", ""),
    ("{trait: paid_until, between: [1 day ago]}", "SEG212", "[1 day ago]", ""),
    ("{trait: paid_until, between: [1 day ago, {trait: country}]}", "SEG244", "country", ""),
    ("{trait: paid_until, since: [today]}", "SEG212", "[today]", "`between`"),
    ("{trait: paid_until, since: 1.11.2026}", "SEG232", "1.11.2026", "write `2026-11-01`"),
    ("{trait: paid_until, during: KW 47}", "SEG234", "KW 47", "`2026-W47`"),
    ("{trait: birth_date, anniversary: 7 days}", "SEG212", "7 days", "{within_next: 7 calendar days}"),
    ("{trait: birth_date, anniversary: {within_next: 7 hours}}", "SEG233", "7 hours", ""),
    ("{trait: birth_date, anniversary: {since: today}}", "SEG210", "since", ""),
    ("{trait: birth_date, anniversary: {}}", "SEG214", "{}", "within_next"),
    (EVENT % "within_next: 7 days", "SEG241", "within_next", "within_last"),
    (EVENT % "last: {within_next: 7 days}", "SEG241", "within_next", "within_last"),
    (EVENT % "within_last: 7 days, since: today", "SEG214", "since", "`between`"),
    (EVENT % "between: [2 hours ago, 1 day ago]", "SEG247", "[2 hours ago, 1 day ago]", "exchange"),
    (EVENT % "between: [2026-03-01, 2026-01-01]", "SEG247", "[2026-03-01, 2026-01-01]", "exchange"),
    (TRAIT % "between: [5, 1]", "SEG247", "[5, 1]", "exchange"),
]
MEASURES = [
    (EVENT % "count: 3", "SEG242", "3", "count: {equals: 3}"),
    (EVENT % "days: 0", "SEG242", "0", "days: {equals: 0}"),
    (EVENT % 'count: "0"', "SEG242", '"0"', ""),
    (EVENT % "count: {}", "SEG214", "{}", "`at_least`"),
    (EVENT % "count: {exists: true}", "SEG239", "exists", ""),
    (EVENT % "count: {at_least: 1}, sum: {of: value, above: 3}", "SEG215", "sum", "under `all`"),
    (EVENT % "sum: {above: 3}", "SEG211", "{above: 3}", "of: value"),
    (EVENT % "sum: {value: 3}", "SEG211", "value", "{of: value"),
    (EVENT % "sum: value", "SEG212", "value", "{of: value"),
    (EVENT % "sum: {of: coupon, above: 3}", "SEG243", "coupon", ""),
    (EVENT % "sum: {of: valeu, above: 3}", "SEG221", "valeu", "`value`"),
    (EVENT % "sum: {of: value}", "SEG214", "{of: value}", ""),
    (EVENT % "sum: {of: value, above: 3 USD}", "SEG236", "3 USD", "3 EUR"),
    (EVENT % "average: {of: is_gift, above: 3}", "SEG243", "is_gift", ""),
    (EVENT % "max: {of: coupon, equals: x}", "SEG243", "coupon", ""),
    (EVENT % "distinct: {of: tags, above: 3}", "SEG243", "tags", ""),
    (EVENT % "last_value: {of: items, exists: true}", "SEG243", "items", ""),
    (EVENT % "mean: {of: value, above: 3}", "SEG210", "mean", "`average`"),
    (EVENT % "share: {at_least: 50 %}", "SEG211", "{at_least: 50 %}", "where"),
    (EVENT % "share: {where: {coupon: X}, at_least: 50 EUR}", "SEG236", "50 EUR", "50 %"),
    (EVENT % "first: 3 days", "SEG212", "3 days", "{within_last: 30 days}"),
    (EVENT % "first: {at_least: 3}", "SEG210", "at_least", ""),
    (EVENT % "first: {}", "SEG214", "{}", "within_last"),
    (EVENT % "gap: average", "SEG212", "average", "{of: average"),
    (EVENT % "gap: {at_least: 3 days}", "SEG211", "{at_least: 3 days}", "of: average"),
    (EVENT % "gap: {of: mean, at_least: 3 days}", "SEG212", "mean", "`average`"),
    (EVENT % "gap: {of: average, at_least: 3}", "SEG233", "3", "write `3 days`"),
    (EVENT % "gap: {of: average, at_least: 3 months}", "SEG233", "3 months", "days or weeks"),
    (EVENT % "gap: {of: average, at_least: 3 calendar days}", "SEG233", "3 calendar days", ""),
    (EVENT % "gap: {of: average, equals: 3 days}", "SEG239", "equals", ""),
    (EVENT % "count: {at_least: 1}, missing: match", "SEG245", "match", "delete"),
    (EVENT % "days: {at_least: 3}, missing: match", "SEG245", "match", "delete"),
    (EVENT % "sum: {of: value, above: 3}, missing: no_match", "SEG245", "no_match", "delete"),
    (EVENT % "count: {followed_by: email_opened}", "SEG212", "email_opened", "{event: email_opened"),
    (EVENT % "count: {followed_by: {within: 3 days}}", "SEG211", "{within: 3 days}", "event"),
    (EVENT % "count: {followed_by: {event: email_opened, same: [mailing_id]}}", "SEG221", "mailing_id", ""),
    (EVENT % "count: {followed_by: {event: order_refunded, same: order_id}}", "SEG212", "order_id", "[order_id]"),
    (EVENT % "count: {followed_by: {event: order_us, same: [channel]}}", "SEG238", "channel", ""),
]
SIX = ", ".join(["{trait: lifetime_value, above: 5}"] * 6)
STRICT = "{event: product_added, min: {of: price, above: 3}, missing: error}"
SEQUENCES = [
    ("{sequence: [{event: order_completed}]}", "SEG251", "{event: order_completed}", ""),
    ("{sequence: []}", "SEG212", "[]", ""),
    ("{sequence: [{then: {event: logged_in}}, {then: {event: order_us}}]}", "SEG251", "then", "{event"),
    ("{sequence: [{event: logged_in}, {event: order_us}]}", "SEG251", "{event: order_us}", "then"),
    (SEQUENCE % "{and_then: {event: order_us}}", "SEG251", "{and_then: {event: order_us}}", "`then`"),
    ("{sequence: [{event: logged_in}, {then: order_us}]}", "SEG212", "order_us", "then: {event"),
    (SEQUENCE % "{then: {event: order_us, within_last: 3 days}}", "SEG241", "within_last", "`within`"),
    (SEQUENCE % "{then: {event: order_us}, within: 1 day}", "SEG251", "within", "then: {event"),
    ("{sequence: [{event: logged_in, within: 3 days}, {then: {event: order_us}}]}", "SEG241", "within", "within_last"),
    ("{sequence: [{event: logged_in, count: 0}, {then: {event: order_us}}]}", "SEG251", "count", ""),
    ("{sequence: [{event: logged_in}, {then: {event: order_us, count: 0}}]}", "SEG251", "count", ""),
    ("{sequence: [{event: logged_in}, {then: {event: logged_in}}]}", "SEG250", "sequence", "start: first"),
    ('{sequence: [{event: logged_in}, {then: {event: "*"}}]}', "SEG250", "sequence", "start: first"),
    ("{sequence: [{event: logged_in}, {then: {event: order_us}}], start: begin}", "SEG212", "begin", "`first`"),
    ("{sequence: [{event: logged_in}, {then: {event: order_us}}], same: [order_id]}", "SEG221", "order_id", ""),
    ("{sequence: [{event: product_added}, {then: {event: order_us}}], same: [product_id]}", "SEG221", "product_id", ""),
    ("{sequence: [{event: order_completed}, {then: {event: order_us}}], same: [channel]}", "SEG238", "channel", ""),
    ("{sequence: [{event: logged_in}, {then: {event: order_us, within: 3}}]}", "SEG233", "3", ""),
    ("{sequence: [{event: logged_in}, {then: {event: order_us, within: 1 calendar days}}]}", "SEG233",
     "1 calendar days", "`1 days`"),
    (f"{{all: [{{event: product_added}}, {STRICT}], same: [product_id]}}", "SEG245", STRICT, "out of"),
    ("{all: [{trait: country, equals: DE}], same: [product_id]}", "SEG252", "[product_id]", "event condition"),
    (f"{{all: [{{event: product_added}}, {SIX}], same: [product_id]}}",
     "SEG252", "[product_id]", "move them out"),
    ("{all: [{event: product_added, count: 0}], same: [product_id]}", "SEG252", "[product_id]", ""),
    ("{all: [{not: {event: product_added}}], same: [product_id]}", "SEG252", "[product_id]", ""),
    ("{all: [{event: product_added, count: {at_most: 3}}], same: [product_id]}", "SEG252", "[product_id]", ""),
    ("{all: [{any: [{event: product_added}, {sample: {percent: 5}}]}], same: [cart_id]}", "SEG252", "[cart_id]", ""),
    ("{all: [{event: order_completed}], same: [items]}", "SEG252", "items", ""),
    ("{all: [{event: order_completed}], same: [product_id]}", "SEG221", "product_id", ""),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "code", "place", "hint"), NAMES)
def test_names_resolve(condition: str, code: str, place: str, hint: str) -> None:
    check(condition, code, place, hint)


@pytest.mark.parametrize(("condition", "code", "place", "hint"), FORM)
def test_form(condition: str, code: str, place: str, hint: str) -> None:
    found = diagnostics_of(condition)
    if place == "":
        assert [d.code for d in found] == [code]
        assert hint in (found[0].hint or "")
        return
    check_start(condition, code, place, hint)


@pytest.mark.parametrize(("condition", "code", "place", "hint"), VALUES)
def test_values_fit_their_type(condition: str, code: str, place: str, hint: str) -> None:
    check_start(condition, code, place, hint)


@pytest.mark.parametrize(("condition", "code", "place", "hint"), [*OPERATORS, *TIMES, *MEASURES, *SEQUENCES])
def test_operators_windows_measures_and_sequences(condition: str, code: str, place: str, hint: str) -> None:
    check_start(condition, code, place, hint)


def check_start(condition: str, code: str, place: str, hint: str) -> None:
    """As `check`; the place of a mapping is its opening bracket or its first key."""
    found = diagnostics_of(condition)
    assert [d.code for d in found] == [code], found
    marked = underlined(found[0], condition)
    assert marked == place or marked.startswith((f"{{{place}", place)) or place.startswith(marked), marked
    assert marked
    assert hint in (found[0].hint or "") or hint in found[0].message, found[0]


@pytest.mark.parametrize(
    "condition",
    [
        EVENT % "between: [2026-01-01, 2026-01-01]",
        EVENT % "between: [1 hour ago, 1 hour ago]",
        EVENT % "between: [1 month ago, 3 days ago]",
        TRAIT % "between: [5, 5]",
        "{trait: return_rate, above: 9}",
        "{trait: return_rate, above: 1000 %}",
    ],
)
def test_what_is_only_nearly_suspicious_is_not_told(condition: str) -> None:
    assert diagnostics_of(condition) == []


def test_all_problems_are_found_at_once() -> None:
    found = diagnostics_of(
        """
all:
  - {trait: contry, equals: DE}
  - {trait: points, at_least: many}
  - any:
    - {event: order_complete, where: {x: 1}}
    - {not: {segment: nobody}}
  - {event: order_completed, within_last: 7 Tage, where: {cupon: X}, sum: {of: valeu, above: ten}}
"""
    )

    assert [d.code for d in found] == [
        "SEG204", "SEG230", "SEG220", "SEG223", "SEG233", "SEG221", "SEG221",
    ]  # fmt: skip
    lines = [d.location.line for d in found if d.location]
    assert lines == sorted(lines)


def test_a_user_text_is_cut_in_messages() -> None:
    found = diagnostics_of(f"{{trait: {'x' * 5000}, equals: 1}}")

    assert len(found) == 1
    assert len(found[0].message) < 120


def test_problems_below_a_mistyped_kind_are_told_with_it() -> None:
    found = diagnostics_of("{alle: [{trait: contry, equals: DE}, {evnt: vsited}]}")

    assert [d.code for d in found] == ["SEG213", "SEG204", "SEG213", "SEG220"]
