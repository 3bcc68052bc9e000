"""Codes about events, measures and sequences in definitions; examples are segment or traits files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

_HEAD = "segment: tested\nwhere: "

ENTRIES: dict[str, Entry] = {
    "SEG215": Entry(
        "Exactly one measure is needed",
        "An event condition or trait measures one thing: `count`, or `sum` of a property, and so on.",
        "Keep one, and put others into conditions or traits of their own.",
        _HEAD + "{event: order_completed, count: {at_least: 2}, sum: {of: value, above: 100}}",
    ),
    "SEG220": Entry(
        "The event is not declared",
        "Conditions speak of events that are declared under `events` in `segctl.yaml`; `fresh` also of sources.",
        "Use the nearest name that the hint gives, or declare the event.",
        _HEAD + "{event: order_complete}",
    ),
    "SEG221": Entry(
        "The event has no such property",
        "The property is not declared for this event, nor is it a part of its time such as `time.month`.",
        "Use the nearest name that the hint gives, or declare the property.",
        _HEAD + "{event: order_completed, where: {cupon: SALE}}",
    ),
    "SEG237": Entry(
        "Mixed currencies or units",
        "The events that are read together have this property in different units, and sums over them mean nothing.",
        "Ask for each event on its own.",
        _HEAD + "{event: [order_completed, order_us], sum: {of: value, above: 100}}",
    ),
    "SEG238": Entry(
        "A property has different types",
        "The events that are read together declare this property with different types.",
        "Ask for each event on its own, or declare one type.",
        _HEAD + "{event: [order_completed, order_us], where: {channel: shop}}",
    ),
    "SEG241": Entry(
        "A window that cannot stand here",
        "Events after `as_of` do not exist, so no event window lies ahead; and in a sequence only the first step has "
        "a window, later ones have `within`.",
        "Use `within_last` for events, `within` for later steps.",
        _HEAD + "{event: order_completed, within_next: 7 days}",
    ),
    "SEG242": Entry(
        "A bare number",
        "`count: 3` does not say whether three or more are meant, or exactly three. Only `count: 0` is clear.",
        "Write `{at_least: 3}` or `{equals: 3}`.",
        _HEAD + "{event: order_completed, count: 3}",
    ),
    "SEG243": Entry(
        "The measure does not fit the property",
        "`sum` and `average` need numbers; `min` and `max` numbers, dates or times; all need single values.",
        "Use another property, or `distinct`, `first_value`, `last_value`, `most_frequent`.",
        _HEAD + "{event: order_completed, sum: {of: coupon, above: 1}}",
    ),
    "SEG250": Entry(
        "The sequence does not say where it starts",
        "When two steps name the same event, it makes a difference whether the first, the last or any such event may "
        "be step 1.",
        "Add `start: first`, `start: last` or `start: any`.",
        _HEAD + "{sequence: [{event: order_completed}, {then: {event: order_completed}}]}",
    ),
    "SEG251": Entry(
        "A step that does not fit",
        "A sequence begins with `{event: …}` and goes on with `then` and `then_not`; a step is one event, without "
        "measures, and `within` stands inside it.",
        "Write `- then: {event: order_completed, within: 2 hours}`.",
        _HEAD + "{sequence: [{then_not: {event: order_completed}}, {then: {event: email_opened}}]}",
    ),
    "SEG252": Entry(
        "`same` has nothing to hold on to",
        "`same` ties events by whole properties with single values, and on `all` one event condition at least must "
        "need an event.",
        "Add a positive event condition, or take `same` out.",
        _HEAD + "{all: [{event: product_added, count: 0}], same: [product_id]}",
    ),
}
