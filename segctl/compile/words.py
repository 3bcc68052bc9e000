"""Definitions in words, English and German: one short line for each condition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from segctl.compile.words_consents import consent_words
from segctl.compile.words_places import near_words
from segctl.compile.words_times import length_words, moment_words, window_words
from segctl.model import conditions as c
from segctl.model.project import Language
from segctl.model.times import Duration

LISTED = 6

_EN = {
    "equals": "is {}", "not_equals": "is not {}", "in": "is one of {}", "not_in": "is none of {}",
    "above": "above {}", "at_least": "at least {}", "below": "below {}", "at_most": "at most {}",
    "between": "from {} to {}", "contains": "contains {}", "not_contains": "does not contain {}",
    "starts_with": "starts with {}", "ends_with": "ends with {}", "matches": "matches /{}/",
    "any_of": "has any of {}", "all_of": "has all of {}", "none_of": "has none of {}", "size": "has a size: {}",
    "any_element": "has an element: {}", "known": "is known", "unknown": "is missing", "ignore_case": "(any case)",
    "match": "missing counts", "no_match": "missing does not count", "error": "missing is an error",
    "and": " and ", "or": " or ", "no": "no {}", "any_event": "any event", "where": "where {}", "latest": "newest {}",
    "followed_by": "followed by {}", "within": "within {}", "then": "then {}", "then_not": "then no {}",
    "same": "same {}", "start_first": "from the first", "start_last": "from the last",
    "start_any": "",
    "count": "count", "sum": "sum of {}", "average": "average {}", "min": "smallest {}", "max": "largest {}",
    "distinct": "different {}", "days": "days with one", "weeks": "weeks with one", "months": "months with one",
    "years": "years with one", "share": "share with {}", "first": "the first", "last": "the last",
    "first_value": "first {}", "last_value": "last {}", "most_frequent": "most frequent {}",
    "gap_average": "average gap", "gap_max": "longest gap", "gap_last": "last gap",
    "changed": "{} changed", "from": "from {}", "to": "to {}", "member": "in segment {}",
    "sharing": "{} (same {})", "others": "{} (others, same {})", "sample": "sample of {} %",
    "list": "{} is in the list {}", "all": "all of", "any": "any of", "at_least_of": "at least {} of",
    "none": "none of", "not": "not", "list_operand": "the list {}", "true": "true", "false": "false",
    "top": "keep the top {} by {}", "bottom": "keep the bottom {} by {}", "per": "for each {}",
    "keep_missing": "missing is a group",
}  # fmt: skip
_DE = {
    "equals": "ist {}", "not_equals": "ist nicht {}", "in": "ist eines von {}", "not_in": "ist keines von {}",
    "above": "über {}", "at_least": "mindestens {}", "below": "unter {}", "at_most": "höchstens {}",
    "between": "von {} bis {}", "contains": "enthält {}", "not_contains": "enthält nicht {}",
    "starts_with": "beginnt mit {}", "ends_with": "endet auf {}", "matches": "passt auf /{}/",
    "any_of": "hat eines von {}", "all_of": "hat alle von {}", "none_of": "hat keines von {}",
    "size": "hat eine Größe: {}",    "any_element": "hat ein Element: {}", "known": "ist bekannt", "unknown": "fehlt",
    "ignore_case": "(groß oder klein)",
    "match": "fehlend zählt", "no_match": "fehlend zählt nicht", "error": "fehlend ist ein Fehler",
    "and": " und ", "or": " oder ", "no": "kein {}", "any_event": "irgendein Ereignis", "where": "mit {}",
    "latest": "die neuesten {}", "followed_by": "gefolgt von {}", "within": "innerhalb von {}", "then": "dann {}",
    "then_not": "dann kein {}", "same": "gleiche {}",
    "start_first": "ab dem ersten", "start_last": "ab dem letzten", "start_any": "",
    "count": "Anzahl", "sum": "Summe von {}", "average": "Durchschnitt von {}", "min": "kleinstes {}",
    "max": "größtes {}", "distinct": "verschiedene {}", "days": "Tage damit", "weeks": "Wochen damit",
    "months": "Monate damit", "years": "Jahre damit", "share": "Anteil mit {}", "first": "das erste",
    "last": "das letzte", "first_value": "erstes {}", "last_value": "letztes {}", "most_frequent": "häufigstes {}",
    "gap_average": "mittlerer Abstand", "gap_max": "längster Abstand", "gap_last": "letzter Abstand",
    "changed": "{} geändert", "from": "von {}", "to": "auf {}", "member": "im Segment {}",
    "sharing": "{} (gleiche Angabe: {})", "others": "{} (andere, gleiche Angabe: {})",
    "sample": "Stichprobe von {} %", "list": "{} steht in der Liste {}", "all": "alle von", "any": "eines von",
    "at_least_of": "mindestens {} von", "none": "keines von", "not": "nicht", "list_operand": "der Liste {}",
    "true": "wahr", "false": "falsch", "top": "behalte die besten {} nach {}",
    "bottom": "behalte die letzten {} nach {}", "per": "je {}", "keep_missing": "fehlend ist eine Gruppe",
}  # fmt: skip


def describe(condition: c.Condition, language: Language = "en") -> str:
    """One line for a condition; what lies below a combination stands in brackets."""
    words = _Words(language)
    match condition:
        case c.Not(item):
            return f"{words.say('not')} ({describe(item, language)})"
        case c.All(items) | c.AnyOf(items) | c.NoneOf(items):
            return f"{words.heading(condition)} ({'; '.join(describe(item, language) for item in items)})"
        case _:
            return words.leaf(condition)


def describe_segment(definition: c.SegmentDefinition, language: Language = "en") -> list[tuple[int, str]]:
    """Indentation (0 is outermost) and text of each line of a definition."""
    lines = _lines(definition.where, 0, _Words(language))
    return lines if definition.keep is None else [*lines, (0, _Words(language).keep(definition.keep))]


def _lines(condition: c.Condition, indent: int, words: _Words) -> list[tuple[int, str]]:
    match condition:
        case c.All(items) | c.AnyOf(items) | c.NoneOf(items):
            inner = [line for item in items for line in _lines(item, indent + 1, words)]
            return [(indent, f"{words.heading(condition)}:"), *inner]
        case c.Not(item):
            return [(indent, f"{words.say('not')}:"), *_lines(item, indent + 1, words)]
        case _:
            return [(indent, words.leaf(condition))]


class _Words:
    """The phrases of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.phrases = _DE if language == "de" else _EN

    def say(self, phrase: str, *parts: str) -> str:
        return self.phrases[phrase].format(*parts)

    def heading(self, condition: c.All | c.AnyOf | c.NoneOf) -> str:
        match condition:
            case c.All(_, same):
                return ", ".join([self.say("all"), *self.same(same)])
            case c.AnyOf(_, at_least):
                return self.say("any") if at_least == 1 else self.say("at_least_of", str(at_least))
            case _:
                return self.say("none")

    def leaf(self, leaf: c.Condition) -> str:
        match leaf:
            case c.TraitCondition(trait, test, path, missing):
                return self.listed([f"{'.'.join((trait, *path))} {self.test(test)}", *self.missing(missing)])
            case c.EventCondition():
                return self.event(leaf)
            case c.ChangedCondition():
                return self.changed(leaf)
            case c.SequenceCondition():
                return self.sequence(leaf)
            case c.RelatedCondition(selection, measure, test, missing):
                parts = [self.say("where", self.where(selection.where))] if selection.where else []
                return self.measured(selection.table, parts, measure, test, missing)
            case c.ColleaguesCondition():
                return self.colleagues(leaf)
            case c.NearCondition():
                return self.listed([near_words(leaf, self.language), *self.missing(leaf.missing)])
            case c.SegmentCondition(segment):
                return self.say("member", segment)
            case c.SampleCondition(percent):
                return self.say("sample", self.value(percent))
            case c.ConsentCondition():
                return consent_words(leaf, self.language)
            case c.ListCondition(name, column, identifier):
                return self.say("list", identifier, f"{name} ({column})" if column else name)
            case _:
                raise TypeError(f"{type(leaf).__name__} is no leaf")

    # --- Events --------------------------------------------------------------------------------------------
    def event(self, leaf: c.EventCondition) -> str:
        selection, measure = leaf.selection, leaf.measure
        parts = [self.say("where", self.where(selection.where))] if selection.where else []
        parts += [window_words(selection.window, self.language)] if selection.window else []
        parts += [self.say("latest", str(selection.latest))] if selection.latest else []
        if isinstance(measure, c.Count) and measure.followed_by:
            parts.append(self.follower(measure.followed_by))
        return self.measured(self.kinds(selection.events), parts, measure, leaf.test, leaf.missing)

    def measured(
        self, what: str, parts: Sequence[str], measure: c.Measure, test: c.Test, missing: c.Missing | None = None
    ) -> str:
        """What is selected, and the measure's test where it says more than some or none."""
        asked = (test.operator, test.operands) if isinstance(test, c.ValueTest) else None
        none = isinstance(measure, c.Count) and asked in (("equals", (0,)), ("at_most", (0,)))
        some = isinstance(measure, c.Count) and asked in (("at_least", (1,)), ("above", (0,)))
        chosen = ", ".join([self.say("no", what) if none else what, *parts])
        if not none and not some:
            chosen += f": {self.measure(measure)} {self.test(test)}"
        return self.listed([chosen, *self.missing(missing)])

    def colleagues(self, leaf: c.ColleaguesCondition) -> str:
        who = self.say("others" if leaf.others_only else "sharing", leaf.group, leaf.trait)
        parts = [] if leaf.where is None else [self.say("where", f"({describe(leaf.where, self.language)})")]
        return self.measured(who, parts, c.Count(), leaf.test)

    def measure(self, measure: c.Measure) -> str:
        match measure:
            case c.Count():
                return self.say("count")
            case c.Aggregate(function, of, path):
                return self.say(function, ".".join((of, *path)))
            case c.Periods(unit):
                return self.say(unit)
            case c.Share(where):
                return self.say("share", self.where(where))
            case c.EdgeTime(edge):
                return self.say(edge)
            case c.EdgeValue(edge, of, path):
                return self.say(f"{edge}_value", ".".join((of, *path)))
            case c.MostFrequent(of, path):
                return self.say("most_frequent", ".".join((of, *path)))
            case c.Gap(function):
                return self.say(f"gap_{function}")

    def follower(self, follower: c.FollowedBy) -> str:
        parts = [self.say("followed_by", self.kinds(follower.events)), *self.filtered(follower.where)]
        parts += self.same(follower.same)
        parts += [self.say("within", length_words(follower.within, self.language))] if follower.within else []
        return " ".join(parts)

    def sequence(self, sequence: c.SequenceCondition) -> str:
        first, *later = sequence.steps
        start = self.phrases[f"start_{sequence.start}"]
        head = " ".join(filter(None, [start, self.kinds(first.events), *self.filtered(first.where)]))
        parts = [f"{head} {window_words(first.window, self.language)}" if first.window else head]
        for step in later:
            said = [
                self.say("then_not" if step.negative else "then", self.kinds(step.events)),
                *self.filtered(step.where),
            ]
            said += [self.say("within", length_words(step.within, self.language))] if step.within else []
            parts.append(" ".join(said))
        return self.listed([*parts, *self.same(sequence.same)])

    def changed(self, leaf: c.ChangedCondition) -> str:
        parts = [self.say("changed", leaf.trait)]
        parts += [self.say("from", self.value(leaf.old))] if leaf.old is not None else []
        parts += [self.say("to", self.value(leaf.new))] if leaf.new is not None else []
        parts += [window_words(leaf.window, self.language)] if leaf.window else []
        return " ".join(parts)

    def kinds(self, events: Sequence[str]) -> str:
        return self.say("any_event") if "*" in events else self.say("or").join(events)

    def filtered(self, where: Sequence[c.PropertyTest]) -> list[str]:
        return [self.say("where", self.where(where))] if where else []

    def where(self, tests: Sequence[c.PropertyTest]) -> str:
        return self.say("and").join(f"{'.'.join((test.property, *test.path))} {self.test(test.test)}" for test in tests)

    def same(self, properties: Sequence[str]) -> list[str]:
        return [self.say("same", self.say("and").join(properties))] if properties else []

    def missing(self, rule: c.Missing | None) -> list[str]:
        return [] if rule is None else [self.say(rule)]

    def keep(self, keep: c.Keep) -> str:
        amount = str(keep.count) if keep.percent is None else f"{self.value(keep.percent)} %"
        parts = [self.say(keep.best, amount, keep.by)]
        parts[0] += f" {self.say('per', keep.per)}" if keep.per else ""
        return self.listed([*parts, *([self.say("keep_missing")] if keep.keep_missing_group else [])])

    # --- Tests ---------------------------------------------------------------------------------------------
    def test(self, test: c.Test) -> str:
        if not isinstance(test, c.ValueTest):
            return window_words(test, self.language)
        match test.operator:
            case "exists":
                said = self.say("known" if test.operands[0] else "unknown")
            case "size":
                said = self.say("size", self.test(test.element[0][1]))
            case "any_element":
                inner = (f"{name} {self.test(part)}".strip() for name, part in test.element)
                said = self.say("any_element", self.say("and").join(inner))
            case "between":
                said = self.say("between", *(self.value(operand) for operand in test.operands))
            case _:
                said = self.say(test.operator, self.values(test.operands))
        return f"{said} {self.say('ignore_case')}" if test.ignore_case else said

    def values(self, operands: Sequence[c.Operand]) -> str:
        shown = ", ".join(self.value(operand) for operand in operands[:LISTED])
        return shown if len(operands) <= LISTED else f"{shown} … ({len(operands)})"

    def value(self, operand: c.Operand) -> str:
        match operand:
            case bool():
                return self.say("true" if operand else "false")
            case c.TraitOperand(trait):
                return trait
            case c.ListOperand(name):
                return self.say("list_operand", name)
            case Duration():
                return length_words(operand, self.language)
            case datetime():
                return moment_words(operand)
            case date():
                return operand.isoformat()
            case Decimal():
                return _number(operand, self.language)
            case str():
                return _text(operand)
            case _:
                return str(operand)

    def listed(self, parts: Iterable[str]) -> str:
        return ", ".join(parts)


def _number(value: Decimal, language: Language) -> str:
    written = format(value, "f")
    return written.replace(".", ",") if language == "de" else written


def _text(value: str) -> str:
    """Text as it is where it reads as one word or more; in quotes where it would mislead."""
    is_plain = value.isprintable() and value.strip() == value and value and not set(value) & set(',;:()/"')
    shown = value if len(value) <= 40 else f"{value[:39]}…"
    return shown if is_plain else f'"{shown.encode("unicode_escape").decode() if not value.isprintable() else shown}"'
