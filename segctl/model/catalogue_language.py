"""Codes about names, form, values and types in definitions; examples are segment or traits files."""

from __future__ import annotations

from segctl.model.catalogue import Entry

_HEAD = "segment: tested\nwhere: "

ENTRIES: dict[str, Entry] = {
    "SEG204": Entry(
        "The trait is not declared",
        "Conditions speak of traits that are declared in `segctl.yaml` or computed in `traits/`, so that a typing "
        "mistake is found before it empties a segment.",
        "Use the nearest name that the hint gives, or declare the trait.",
        _HEAD + "{trait: contry, equals: DE}",
    ),
    "SEG210": Entry(
        "The key does not belong here",
        "Every mapping has its own keys; an unknown one would be ignored by other tools, here it is an error.",
        "Use the nearest key that the hint gives.",
        "segment: tested\ntitel: Kunden\nwhere: {trait: country, equals: DE}",
    ),
    "SEG211": Entry(
        "A required key is missing",
        "Without this key the definition is not complete.",
        "Add the key as the hint shows it.",
        "segment: tested\ntitle: Kunden",
    ),
    "SEG212": Entry(
        "The value has the wrong form",
        "A list, a mapping or a single value is expected, and something else stands there.",
        "Write the form that the message names.",
        _HEAD + "[{trait: country, equals: DE}]",
    ),
    "SEG213": Entry(
        "A condition needs exactly one kind",
        "A condition is a mapping with one of `all any none not trait event sequence segment consent sample near list "
        "related`; the other keys belong to that kind.",
        "Name the kind, or put several conditions under `all`.",
        _HEAD + "{country: DE}",
    ),
    "SEG214": Entry(
        "Exactly one operator is needed",
        "A test has one operator: none says nothing, and two leave open how they go together.",
        "Keep one, and put others into conditions of their own under `all`.",
        _HEAD + "{trait: points, at_least: 10, below: 20}",
    ),
    "SEG217": Entry(
        "Not a name",
        "Names have small letters a–z, digits and `_`, begin with a letter and have 63 characters at most. Titles may "
        "be written in any way.",
        "Write the name as the hint spells it, and put the other spelling into `title`.",
        "segment: Größte Kunden\nwhere: {trait: country, equals: DE}",
    ),
    "SEG218": Entry(
        "File and segment have different names",
        "The file `segments/winback.yaml` holds the segment `winback`, so that both can be found.",
        "Rename the file, or the segment together with `formerly: [old_name]`, which keeps its membership.",
    ),
    "SEG219": Entry(
        "A name is given twice",
        "Segments, and traits, stored and computed together, have one name each in a project.",
        "Rename one of them, or delete it.",
        "traits:\n  country: {event: order_completed, count: {}}",
    ),
    "SEG222": Entry(
        "No such field",
        "The struct has no field of this name.",
        "Use the nearest name that the hint gives, or declare the field.",
        _HEAD + "{trait: address.cty, equals: Berlin}",
    ),
    "SEG223": Entry(
        "No such segment",
        "The segment that is referred to has no file under `segments/`.",
        "Use the nearest name that the hint gives, or write that segment.",
        _HEAD + "{segment: staff_membrs}",
    ),
    "SEG224": Entry(
        "Definitions refer to one another in a circle",
        "A segment that rests on itself, directly or through others, has no answer; the same is true of traits.",
        "Take one of the references in the printed circle out.",
        _HEAD + "{not: {segment: tested}}",
    ),
    "SEG225": Entry(
        "The identifier is not declared",
        "A list is matched through an identifier that is declared in `segctl.yaml`.",
        "Use the nearest name that the hint gives.",
        _HEAD + "{list: lists/staff.csv, identifier: custmer_id}",
    ),
    "SEG226": Entry(
        "The path leads nowhere",
        "A dotted path goes into structs only, and a trait in the place of a literal is a whole trait.",
        "Use `any_element` for lists of structs.",
        _HEAD + "{trait: devices.model, equals: A1}",
    ),
    "SEG227": Entry(
        "The list file is not there",
        "A list is a file of the project, named by its path from the project folder; nothing outside is read.",
        "Correct the path, or put the file there.",
    ),
    "SEG230": Entry(
        "The value does not fit",
        "Values are never changed into the wanted type: a text in quotes is no number, `yes` is no truth value.",
        "Write the value as the hint shows it.",
        _HEAD + "{trait: newsletter, equals: yes}",
    ),
    "SEG231": Entry(
        "A number written the German way",
        "Numbers have a decimal point and no groups: `99,90` is text or a list, `1.000` could be one or a thousand.",
        "Write `99.90` and `1000`.",
        _HEAD + '{trait: balance, at_least: "99,90"}',
    ),
    "SEG232": Entry(
        "Not a date or time",
        "Times are written `2026-11-01`, `2026-11-01 14:30`, `2 hours ago`, `now`, `today` or `yesterday`.",
        "Write the time as the hint shows it.",
        _HEAD + "{trait: birth_date, since: 01.11.2026}",
    ),
    "SEG233": Entry(
        "Not a duration that fits",
        "A duration is a whole number and a unit: `7 days`, `36 hours`, `3 months`, `7 calendar days`. Gaps need units "
        "of fixed length, anniversaries whole days.",
        "Write the duration as the hint shows it.",
        _HEAD + "{event: order_completed, within_last: 7 Tage}",
    ),
    "SEG234": Entry(
        "Not a calendar period",
        "Periods are written `2026-W47`, `2025-11`, `2026-Q1`, `2025`, `2026-11-21`, `today` or `previous month`.",
        "Write the period as the hint shows it.",
        _HEAD + "{event: order_completed, during: KW 47}",
    ),
    "SEG236": Entry(
        "The units differ",
        "A unit behind a number is checked against the declared unit of the value.",
        "Write the declared unit, or the bare number; or mend the declaration.",
        _HEAD + "{trait: balance, at_least: 500 USD}",
    ),
    "SEG239": Entry(
        "The operator does not fit the type",
        "Each type has its operators: texts are not above one another, lists are not equal to a value.",
        "Use one of the operators that the hint names.",
        _HEAD + "{trait: country, above: DE}",
    ),
    "SEG240": Entry(
        "A time operator on something that is no time",
        "`within_last`, `during`, `since` and their like are for dates, times and event windows.",
        "Use an operator of the value's type, or another trait.",
        _HEAD + "{trait: points, within_last: 7 days}",
    ),
    "SEG244": Entry(
        "Two traits that cannot be compared",
        "`{trait: x}` may stand for a value of the same type and unit only.",
        "Compare traits of one type and unit.",
        _HEAD + "{trait: points, above: {trait: country}}",
    ),
    "SEG245": Entry(
        "`missing` has no effect",
        "Counts and sums of no events are 0, `exists` is true or false, and a person is a member or is not: none of "
        "them is ever unknown.",
        "Delete `missing`.",
        _HEAD + "{event: order_completed, count: {at_least: 1}, missing: no_match}",
    ),
    "SEG247": Entry(
        "Nothing lies between the bounds",
        "The first bound of `between` is after the second.",
        "Exchange the bounds.",
        _HEAD + "{event: order_completed, between: [2 hours ago, 1 day ago]}",
    ),
    "SEG253": Entry(
        "More conditions are asked for than there are",
        "`any` with `at_least: n` needs n conditions or more.",
        "Lower `at_least`, or add conditions.",
        _HEAD + "{any: [{trait: country, equals: DE}], at_least: 2}",
    ),
    "SEG254": Entry(
        "Not a percentage that fits",
        "A percentage is above 0 and at most 100.",
        "Write `10` or `10 %`.",
        _HEAD + "{sample: {percent: 120}}",
    ),
    "SEG255": Entry(
        "`keep` cannot rank like this",
        "`keep` takes the `top` or the `bottom`, a number or a percentage, `by` a number, date or time, and `per` a "
        "value that makes groups.",
        "Write `keep: {top: 500, by: lifetime_value, per: country}`.",
        _HEAD + "{trait: country, equals: DE}\nkeep: {top: 5, by: country}",
    ),
    "SEG256": Entry(
        "A guard that does not fit",
        "`max_removed` and `max_added` are percentages of the members, `min_size` and `max_size` numbers of people.",
        "Write `guards: {max_removed: 20 %, min_size: 50}`.",
        _HEAD + "{trait: country, equals: DE}\nguards: {max_removed: 20}",
    ),
    "SEG257": Entry(
        "A list cannot stand here",
        "`{list: name}` holds texts and stands under `in` and `not_in`.",
        "Use `in: {list: name}` on a text, or the condition `list` for identifiers.",
        _HEAD + "{trait: country, equals: {list: lists/countries.csv}}",
    ),
    "SEG260": Entry(
        "The formula cannot be read",
        "Formulas have numbers, traits, `+ - * / ( )` and `min max abs round coalesce days_since years_since`.",
        "Mend the place that is marked.",
        "traits:\n  doubled: {formula: 2 x points}",
    ),
    "SEG261": Entry(
        "The units of a trait do not fit",
        "Values of different units are not added or compared, and a trait's declared unit must be what comes out.",
        "Mend the formula, or declare the unit that comes out.",
        "traits:\n  mixed: {formula: balance + points}",
    ),
    "SEG262": Entry(
        "Not a computed trait",
        "A computed trait is one measure of events, without a test, or a formula. Stored traits are declared in "
        "`segctl.yaml`.",
        "Write `{event: order_completed, sum: {of: value}}` or `{formula: …}`.",
        "traits:\n  frequent: {event: order_completed, count: {at_least: 3}}",
    ),
    "SEG263": Entry(
        "The regular expression is not portable",
        "Engines read some constructs differently or not at all, so only what means the same everywhere is allowed.",
        "Write it without the construct that the message names.",
        _HEAD + "{trait: city, matches: '^(?=B).*'}",
    ),
    "SEG264": Entry(
        "A share far above 100 %",
        "The value is a share, where 1 is 100 %. A bare `40` is 4,000 %.",
        "Write `40 %`, if that is meant.",
        _HEAD + "{trait: return_rate, above: 40}",
    ),
}
