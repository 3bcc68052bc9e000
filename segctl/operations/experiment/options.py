"""An experiment made of options, or a declared one with options put in its place; read as the language reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from segctl.model.conditions.events import Count, EventSelection
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.experiments import Arm, Experiment, Metric
from segctl.model.times import Duration
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from segctl.compile.bind.scope import Scope
    from segctl.compile.source import Scalar
    from segctl.model.experiments import MetricKind
    from segctl.model.project import Definitions, Project
    from segctl.stats.power import Figure

T = TypeVar("T")
WINDOW = Duration(14, "days")
"""Of a plan without an experiment, where nothing else is said."""
MOST_ARMS = 20


@dataclass(frozen=True, slots=True)
class Said:
    """Options as they were written; None where nothing was.

    Attributes:
        name: Of a declared experiment.
        segment: Instead of a declared one.
        event: That is planned for, where no experiment is declared.
        split: Weights by ``/``, the control first, such as ``10/90``.
        looks: ``end``, ``always`` or a number of looks.
    """

    name: str | None = None
    segment: str | None = None
    event: str | None = None
    window: str | None = None
    baseline: str | None = None
    sd: str | None = None
    effect: str | None = None
    power: str | None = None
    confidence: str | None = None
    arms: str | None = None
    split: str | None = None
    looks: str | None = None


def experiment_of(definitions: Definitions, said: Said) -> tuple[Experiment, bool]:
    """The experiment that options mean, and whether it is a declared one.

    Raises:
        UsageError: No such experiment, segment or event; a value of an option that cannot be read.
    """
    if said.segment is not None and said.name is not None:
        hint = "leave out one of the two"
        raise UsageError("SEG104", "the experiment says its segment; `--segment` is for a plan without one", hint=hint)
    if said.segment is not None:
        found = _made_up(definitions, said.segment, said)
    else:
        found = find_experiment(definitions, said.name)
        if said.event is not None:
            raise UsageError("SEG104", "the experiment says its metrics; `--event` goes with `--segment`")
    return _with_options(found, said, definitions.project), said.segment is None


def find_experiment(definitions: Definitions, name: str | None) -> Experiment:
    """The experiment of that name; without one, the only one there is.

    Raises:
        UsageError: There is none, or there are several to choose from.
    """
    known = definitions.experiments
    if name is None:
        if len(known) == 1:
            return next(iter(known.values()))
        hint = (
            "`segctl ls experiments` lists them all" if known else "`segctl help experiments` shows how to declare one"
        )
        message = f"which of {len(known)} experiments?" if known else "the project declares no experiment"
        raise UsageError("SEG104", message, hint=hint)
    if name not in known:
        raise unknown_thing("experiment", name, list(known))
    return known[name]


def given_figure(said: Said, project: Project) -> Figure | None:
    """What `--baseline` and `--sd` say of the first metric.

    Raises:
        UsageError: They cannot be read, or do not go together.
    """
    from segctl.stats.power import Mean, Rate

    if said.baseline is None:
        if said.sd is not None:
            raise UsageError("SEG104", "`--sd` goes with `--baseline`, the mean", hint="--baseline 12.50 --sd 40")
        return None
    if said.sd is not None:
        mean, sd = (_number(text, name, project) for text, name in ((said.baseline, "baseline"), (said.sd, "sd")))
        if sd < 0:
            raise UsageError("SEG104", f"`--sd {said.sd}` is below 0")
        return Mean(float(mean), float(sd))
    found = _share(said.baseline, "baseline", project)
    if found >= 1:
        raise UsageError(
            "SEG104", "`--baseline` is a share below 100 %", hint="for a mean say its deviation: `--sd 40`"
        )
    return Rate(float(found))


def given_effect(said: Said, project: Project) -> Decimal | None:
    """What `--effect` says, as a share of the baseline.

    Raises:
        UsageError: It cannot be read, or is 0.
    """
    from segctl.compile.bind.experiments_values import share

    if said.effect is None:
        return None
    read = _read(said.effect, "effect", project, lambda node, scope: share(
        node, scope, "`--effect`", code="SEG104", low=-1, high=None))  # fmt: skip
    if not read:
        raise UsageError("SEG104", "no number of units finds an effect of nothing", hint="--effect 20%")
    return read


# --- A plan without an experiment -------------------------------------------------------------------------
def _made_up(definitions: Definitions, segment: str, said: Said) -> Experiment:
    former = {old: name for name, one in definitions.segments.items() for old in one.formerly}
    name = former.get(segment, segment)
    if name not in definitions.segments:
        raise unknown_thing("segment", segment, list(definitions.segments))
    if said.event is None and said.baseline is None:
        hint = "name the event that counts, `--event order_completed`, or its share now, `--baseline 3%`"
        raise UsageError("SEG104", "nothing says what the experiment is to change", hint=hint)
    kinds: tuple[str, ...] = ()
    if said.event is not None:
        if definitions.project.event(said.event) is None:
            raise unknown_thing("event", said.event, [one.name for one in definitions.project.event_kinds])
        kinds = (said.event,)
    kind: MetricKind = "mean" if said.sd is not None and not kinds else "conversion"
    metric = Metric(said.event or "metric", kind, EventSelection(kinds), Count(), role="primary")
    arms = (Arm("control", Decimal(1), is_sent=False), Arm("treatment", Decimal(1)))
    return Experiment("plan", name, arms, "control", (metric,), WINDOW)


def _with_options(found: Experiment, said: Said, project: Project) -> Experiment:
    """The experiment with what was said instead of what it declares."""
    if said.window is not None:
        found = replace(found, window=_window(said.window))
    if said.power is not None:
        found = replace(found, power=_rate(said.power, "power", project))
    if said.confidence is not None:
        found = replace(found, confidence=_rate(said.confidence, "confidence", project))
    if said.split is not None or said.arms is not None:
        found = replace(found, arms=_arms(found, said, project))
    return found if said.looks is None else _with_looks(found, said.looks)


def _window(text: str) -> Duration:
    from segctl.compile.timewords import Problem, parse_duration

    found = parse_duration(text)
    if isinstance(found, Problem) or found.calendar:
        raise UsageError("SEG104", f"`--window {text}` is not a length from exposure", hint="--window '14 days'")
    return found


def _arms(found: Experiment, said: Said, project: Project) -> tuple[Arm, ...]:
    if said.split is not None:
        weights = [_number(part.strip().removesuffix("%"), "split", project) for part in said.split.split("/")]
        if said.arms is not None and said.arms != str(len(weights)):
            raise UsageError("SEG104", f"`--arms {said.arms}` and `--split {said.split}` do not go together")
    else:
        number = int(said.arms or "") if (said.arms or "").isdecimal() else 0
        weights = [Decimal(1)] * number
    if not 2 <= len(weights) <= MOST_ARMS or any(weight <= 0 for weight in weights):
        hint = "--split 10/45/45, the control first, or --arms 3"
        raise UsageError("SEG104", f"an experiment has 2 to {MOST_ARMS} arms with weights above 0", hint=hint)
    if len(weights) == len(found.arms):
        return tuple(replace(arm, weight=weight) for arm, weight in zip(found.arms, weights, strict=True))
    control = replace(found.arms[0], weight=weights[0])
    return (control, *(Arm(f"arm_{at}", weight) for at, weight in enumerate(weights[1:], 1)))


def _with_looks(found: Experiment, text: str) -> Experiment:
    if text == "end":
        return replace(found, looks="end", look_shares=())
    if text == "always":
        return replace(found, looks="always", look_shares=())
    number = int(text) if text.isdecimal() else 0
    if not 2 <= number <= 50:
        raise UsageError("SEG104", f"`--looks {text}` is not `end`, `always` or a number of looks from 2 to 50")
    shares = tuple(Decimal(at) / number for at in range(1, number + 1))
    return replace(found, looks="planned", look_shares=shares)


# --- Values -----------------------------------------------------------------------------------------------
def _share(text: str, option: str, project: Project) -> Decimal:
    from segctl.compile.bind.experiments_values import share

    return _read(text, option, project, lambda node, scope: share(node, scope, f"`--{option}`", code="SEG104"))


def _rate(text: str, option: str, project: Project) -> Decimal:
    found = _share(text, option, project)
    if not Decimal("0.5") <= found < 1:
        raise UsageError("SEG104", f"`--{option} {text}` is not a share from 50 % to below 100 %")
    return found


def _number(text: str, option: str, project: Project) -> Decimal:
    from segctl.compile.bind.literals import number
    from segctl.model.types import REAL

    return _read(text, option, project, lambda node, scope: _exact(number(node, REAL, scope)))


def _exact(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _read(text: str, option: str, project: Project, binder: Callable[[Scalar, Scope], T | None]) -> T:
    """What a binder of the language makes of an option's text."""
    from segctl.compile.bind.scope import Scope
    from segctl.compile.source import Scalar
    from segctl.model.diagnostics import Location

    scope = Scope(project)
    found = binder(Scalar(text.strip(), is_plain=True, location=Location(f"--{option}")), scope)
    # What a file is warned of, such as `20` for 20 %, nobody would see here.
    if found is None or scope.diagnostics:
        raise _unreadable(option, text, (one.message for one in scope.diagnostics), scope)
    return found


def _unreadable(option: str, text: str, messages: Iterable[str], scope: Scope) -> UsageError:
    told = next(iter(messages), "the value cannot be read")
    hint = next((one.hint for one in scope.diagnostics if one.hint), None)
    return UsageError("SEG104", f"`--{option} {text}`: {told}", hint=hint)
