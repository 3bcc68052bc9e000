"""Codes about tests of segments (SEG530–SEG559)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG530": Entry(
        "a profile of a test is not where it was expected",
        "A case under `tests/` expects a profile to be a member, not a member, or unknown, and the definition says"
        " otherwise. Whoever is given and named nowhere must not be a member.",
        "The lines below the message show what each leaf says, and which decided. Mend the definition or the case.",
        "expect: {winback: {members: [anna]}}",
    ),
    "SEG531": Entry(
        "another leaf decided",
        "The membership is as expected, but `because` names other leaves than those that decided.",
        "Name the leaves the message shows, or change what is given so that the named one alone decides.",
        "because: {ben: newsletter}",
    ),
    "SEG532": Entry(
        "a change of the definition that no test notices",
        "`segctl test --mutate` changed the definition in one place, and every case still holds: that place is not"
        " tested.",
        "Add a case at that bound; `segctl test --generate SEGMENT` proposes some.",
        "segctl test --mutate winback",
    ),
    "SEG533": Entry(
        "the tests notice too few changes",
        "The share of changed definitions that at least one case notices is below `--min-score`.",
        "Add cases for the places listed, or lower the share.",
        "segctl test --mutate --min-score 90%",
    ),
    "SEG534": Entry(
        "a test file has errors",
        "A file under `tests/` cannot be read or names what the project does not have, so nothing was tested.",
        "Mend every finding; each names its place and the nearest name.",
    ),
    "SEG535": Entry(
        "no boundary cases can be proposed",
        "No world was found in which the segment has a member, so its bounds have no inside: the condition may"
        " contradict itself, or rest on something that cannot be made up.",
        "Look at the definition with `segctl lint`, or write the first case by hand.",
        "segctl test --generate winback",
    ),
    "SEG536": Entry(
        "no case has that name",
        "`--keyword` takes a part of the file's or the case's name.",
        "`segctl test -f ndjson` lists all cases.",
        "segctl test -k newsleter",
    ),
    "SEG537": Entry(
        "options that do not go together",
        "`--generate`, `--mutate` and `--watch` are three different things to do; `--min-score` belongs to `--mutate`.",
        "Choose one of them.",
        "segctl test --generate --mutate winback",
    ),
    "SEG538": Entry(
        "a file of tests exists already",
        "`--generate` never overwrites a file, since tests are written by people.",
        "Name another file with `--output`, or read the proposal on stdout.",
        "segctl test --generate winback -o tests/winback.yaml",
    ),
    "SEG539": Entry(
        "a segment of a test could not be decided",
        "A leaf with `missing: error` met a missing value in the case, or the case expected that in vain.",
        "Give the value, or expect it with `{fails: true}`.",
        "expect: {winback: {fails: true}}",
    ),
    "SEG550": Entry(
        "a key of a given profile names nothing",
        "A profile has traits, identifiers and events that segctl.yaml declares, and `records`.",
        "Use a declared name; the message names the nearest.",
        "given: {anna: {contry: DE}}",
    ),
    "SEG551": Entry(
        "a test names a segment that does not exist",
        "`expect` and `memberships` have names of segments as keys.",
        "Use the name of a segment; the message names the nearest.",
        "expect: {winbak: {members: [anna]}}",
    ),
    "SEG552": Entry(
        "the instant of a test is not fixed",
        "A test must answer the same every day, so its `as_of` is a date or a time, not `today` or `2 hours ago`.",
        "Write a date, or leave `as_of` out: then it is 2026-06-17 12:00 in the project's zone.",
        "as_of: today",
    ),
    "SEG553": Entry(
        "an expected profile is not given",
        "`members`, `non_members`, `unknown` and `because` name profiles of the case.",
        "Add the profile under `given`, or mend its name.",
        "expect: {winback: {members: [ana]}}",
    ),
    "SEG554": Entry(
        "a profile is expected twice",
        "One profile cannot be a member and none, or be named twice.",
        "Name each profile once.",
        "expect: {winback: {members: [anna], unknown: [anna]}}",
    ),
    "SEG555": Entry(
        "two cases of one name",
        "Reports and `-k` tell cases by their names, so each stands once in a file.",
        "Rename one of them.",
        "cases: [{case: new, …}, {case: new, …}]",
    ),
    "SEG556": Entry(
        "a computed trait cannot be given",
        "Its value follows from events and other traits, and the test is to show that it does.",
        "Give the events and traits that it is computed from.",
        "given: {anna: {lifetime_value: 500}}",
    ),
    "SEG557": Entry(
        "`because` names no leaf",
        "A leaf goes by its place, such as `all[1]`, or by the trait, event, segment or list that it reads.",
        "Use one of the names in the message.",
        "because: {ben: newsleter}",
    ),
    "SEG558": Entry(
        "an expectation makes no sense",
        "A case must expect something; members that are given are not evaluated, and a segment that fails has none.",
        "Write `{SEGMENT: {members: [anna]}}`, and take the segment out of `memberships`.",
        "expect: {}",
    ),
    "SEG559": Entry(
        "a key of a given profile can mean two things",
        "A trait and an event have the same name.",
        'Write `"trait:NAME"` or `"event:NAME"`.',
        "given: {anna: {newsletter: true}}",
    ),
}
