"""`--explain`: every number of a report by name, with its formula, what goes in, and where the formula is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.cli import report_checks, report_explain_groups
from segctl.cli.report_document import Document, Section, Words
from segctl.cli.report_formulas import FORMULAS, formula
from segctl.cli.report_inputs import called
from segctl.cli.report_numbers import LIFT, Shape
from segctl.cli.report_speech import AbSpeech, NamedSpeech
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.ab.parts import ArmValue, Effect, MetricReport
    from segctl.operations.ab.result import AbReport, MoneyReport
    from segctl.stats.values import Interval

_LABELS = {
    "en": ("Value", "Formula", "What goes in", "Source", "Data"),
    "de": ("Wert", "Formel", "Was eingeht", "Quelle", "Daten"),
}
_TITLES = {"en": "Numbers of {name}", "de": "Zahlen von {name}"}
_DATA = {
    "en": "events {events} until {until}, assignments of `{name}`, data {data}",
    "de": "Ereignisse {events} bis {until}, Zuteilungen von `{name}`, Daten {data}",
}
_MONEY = ("revenue", "profit", "roi", "break_even", "per_thousand", "cost_per_extra")


@dataclass(frozen=True, slots=True)
class Explained:
    """One number.

    Attributes:
        name: Such as ``bought.mail.lift``.
        value: In words.
        method: Key of `FORMULAS`; an unknown one is told as it is.
        inputs: What goes in, by name, in words.
        events: Kinds that were read for it.
    """

    name: str
    value: str
    method: str
    inputs: Mapping[str, str]
    events: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Where the formula was published."""
        return FORMULAS.get(self.method, ("", ""))[1]


def explained(report: AbReport, language: Language, asked: Sequence[str] = ()) -> list[Explained]:
    """The numbers that were asked for, or all.

    Args:
        report: What was found.
        language: Of values.
        asked: Names, or beginnings of names up to a point; all when empty.

    Raises:
        UsageError: There is no such number.
    """
    return named(list(_numbers(AbSpeech(report, language))), asked)


def named(found: list[Explained], asked: Sequence[str]) -> list[Explained]:
    """Those of the numbers that were asked for, all when nothing was.

    Raises:
        UsageError: There is no such number.
    """
    if not asked:
        return found
    for name in asked:
        if not any(_fits(one.name, name) for one in found):
            raise _unknown(name, [one.name for one in found])
    return [one for one in found if any(_fits(one.name, name) for name in asked)]


def _fits(name: str, asked: str) -> bool:
    return name == asked or name.startswith(f"{asked}.")


def _unknown(name: str, names: Sequence[str]) -> UsageError:
    from segctl.compile.suggest import nearest

    near = nearest(name, names)
    hint = f"did you mean `{near}`?" if near else "`--explain` without a name lists all numbers"
    return UsageError("SEG986", f"the report has no number `{name}`", hint=hint)


def document(report: AbReport, language: Language, numbers: Sequence[Explained]) -> Document:
    """The numbers as a report of their own."""
    data = _LABELS[language][-1]
    speech = AbSpeech(report, language)
    events = sorted({kind for one in numbers for kind in one.events})
    foot = _DATA[language].format(
        events=", ".join(f"`{kind}`" for kind in events) or speech.n.count(None),
        until=speech.n.day(report.data_until), name=report.experiment, data=report.method.data[:12],
    )  # fmt: skip
    title = _TITLES[language].format(name=report.title or report.experiment)
    return numbers_document(title, language, numbers, f"{data}: {foot}.")


def numbers_document(title: str, language: Language, numbers: Sequence[Explained], foot: str) -> Document:
    """Numbers of any report as a report of their own."""
    value, label, inputs, source, _ = _LABELS[language]
    sections = []
    for at, one in enumerate(numbers):
        lines = [f"{value}: {one.value}", f"{label}: {formula(one.method, language)}"]
        if one.inputs:
            listed = ", ".join(f"{called(key, language)} {value}" for key, value in one.inputs.items())
            lines.append(f"{inputs}: {listed}")
        if one.source:
            lines.append(f"{source}: {one.source}")
        sections.append(Section(f"number-{at}", one.name, (Words(tuple(lines)),)))
    return Document(title, language, (), (), tuple(sections), (foot,))


def _numbers(speech: AbSpeech) -> Iterator[Explained]:
    report = speech.report
    for metric in report.metrics:
        for one in metric.arms:
            yield value_number(speech, metric, one)
        for effect in metric.effects:
            yield from effect_numbers(speech, metric, effect)
        yield from _beliefs(speech, metric)
    for money in report.money:
        yield from _money(speech, money)
    for check in report.checks:
        figures = {key: report_checks.figure(speech, key, value) for key, value in check.figures.items()}
        word = speech.words[f"level.{check.level}"]
        told = report_checks.found(speech, check)
        method = "srm" if check.name == "split" else report_checks.name_of(speech, check)
        yield Explained(f"check.{check.name}", f"{word}: {told}" if told else word, method, figures)
    yield from _next(speech)
    yield from (Explained(*one) for one in report_explain_groups.numbers(speech))


def value_number(speech: NamedSpeech, metric: MetricReport, one: ArmValue, begin: str = "") -> Explained:
    """The figure of an arm; `begin` stands before its name."""
    n = speech.n
    given = {"n": one.n, "x": one.events, "Σ": one.total, "Σx": one.below, "s": one.sd}
    inputs = {key: n.plain(value) for key, value in given.items() if value is not None}
    told = speech.known(one.value, speech.values(metric))
    return Explained(f"{begin}{metric.name}.{one.arm}.value", told, one.value.method, inputs, metric.events)


def effect_numbers(speech: NamedSpeech, metric: MetricReport, effect: Effect, begin: str = "") -> Iterator[Explained]:
    """An arm against the control by every way; `begin` stands before the names."""
    compared, n = effect.compared, speech.n
    name, shape = f"{begin}{metric.name}.{effect.arm}", speech.differences(metric)
    inputs = _sides(speech, metric, effect) | {key: n.plain(value) for key, value in effect.figures.items()}
    basis = effect.basis if effect.basis != "fixed" else None
    difference = speech.known(effect.told, shape)
    yield Explained(f"{name}.difference", difference, basis or compared.difference.method, inputs, metric.events)
    yield Explained(f"{name}.lift", speech.lift(effect.told_lift), basis or compared.lift.method, inputs, metric.events)
    tested = {key: n.plain(value) for key, value in (("statistic", compared.statistic), ("df", compared.df),
                                                     ("log p", compared.log_p)) if value is not None}  # fmt: skip
    yield Explained(f"{name}.p", n.p(compared.p), compared.test, inputs | tested, metric.events)
    if metric.correction:
        family = {"p": n.p(compared.p), "m": n.count(metric.tests)}
        yield Explained(f"{name}.p_adjusted", n.p(effect.p_adjusted), metric.correction, family, metric.events)
    for way, other in effect.also.items():
        told = f"{speech.known(other.difference, shape)}, p {n.p(other.p)}"
        method = other.difference.method if other.difference.method in FORMULAS else other.test
        yield Explained(f"{name}.{way}", told, method, inputs, metric.events)
    if effect.compliance is not None:
        told = speech.known(effect.compliance, shape)
        yield Explained(f"{name}.compliance", told, "compliance", inputs, metric.events)


def _sides(speech: NamedSpeech, metric: MetricReport, effect: Effect) -> dict[str, str]:
    """Both arms' own figures, as the formulas call them."""
    found: dict[str, str] = {}
    for sign, arm in (("c", speech.base), ("t", effect.arm)):
        one = metric.arm(arm)
        given = {"n": one.n, "x": one.events if metric.kind == "conversion" else None, "m": one.value.estimate}
        found |= {f"{key}{sign}": speech.n.plain(value) for key, value in given.items() if value is not None}
    if effect.compared.se is not None:
        found["se"] = speech.n.plain(effect.compared.se)
    found["1 − α"] = speech.n.share(effect.told.confidence, 0 if effect.simultaneous is None else 1)
    return found


def _beliefs(speech: AbSpeech, metric: MetricReport) -> Iterator[Explained]:
    shape = speech.differences(metric)
    for one in metric.beliefs:
        name = f"{metric.name}.{one.arm}"
        given = {value.arm: f"{speech.n.count(value.n)}/{speech.n.count(value.events)}" for value in metric.arms}
        for key in ("best", "better"):
            value = getattr(one, key)
            if value is not None:
                yield Explained(f"{name}.{key}", speech.chance(value), key, given, metric.events)
        if one.loss is not None:
            told = speech.n.shaped(one.loss, Shape(shape.factor, shape.unit), 4)
            yield Explained(f"{name}.loss", told, "loss", given, metric.events)


def _money(speech: AbSpeech, one: MoneyReport) -> Iterator[Explained]:
    n, shape = speech.n, Shape(unit=one.currency or "", sign=True)
    inputs = {
        "units": n.count(one.units), "messages": n.count(one.messages), "difference": n.interval(one.per_unit, shape),
        "cost": n.plain(one.cost),
    }  # fmt: skip
    events = speech.report.metric(one.metric).events
    for key in _MONEY:
        of: Interval | None = getattr(one, key)
        if of is not None:
            told = speech.known(of, LIFT if key == "roi" else shape)
            yield Explained(f"money.{one.arm}.{key}", told, key, inputs, events)
    yield Explained(f"money.{one.arm}.cost", n.plain(one.cost), "cost", {"messages": n.count(one.messages)})
    yield Explained(f"money.{one.arm}.p_above", n.p(one.p_above), "p_above", inputs, events)
    if one.attributed is not None:
        yield Explained(f"money.{one.arm}.attributed", n.plain(one.attributed), "attributed", {}, events)


def _next(speech: AbSpeech) -> Iterator[Explained]:
    after, n = speech.report.next, speech.n
    inputs = {"n": n.count(after.reached), "1 − β": n.share(speech.report.method.power, 0)}
    if after.mde is not None:
        yield Explained("next.mde", n.share(after.mde), "mde", inputs)
    if after.needed is not None:
        effect = {"effect": n.shaped(after.effect, LIFT, 0)} if after.effect is not None else {}
        yield Explained("next.needed", n.count(after.needed), "needed", inputs | effect)
