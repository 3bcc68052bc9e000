"""Experiments as declared in `experiments/NAME.yaml`: who is compared, with what, by which figures, for how long."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from segctl.model.conditions.events import EventSelection, Measure
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Duration

Role = Literal["primary", "secondary", "guardrail"]
"""`primary`: decides; `secondary`: explains, a family of its own; `guardrail`: must not get worse."""
Better = Literal["higher", "lower"]
MetricKind = Literal["conversion", "mean", "ratio", "time"]
"""`conversion`: share of units with a selected event; `mean`: a measure per unit; `ratio`: sum by sum, with the unit
as what was randomised; `time`: how long until the first selected event."""
Looks = Literal["end", "planned", "always"]
"""When results may be looked at: once at the end; at planned shares of the whole; at any time."""
ARM = "experiment_arm"
"""Stands in `fields` of a destination for the arm that a profile is in."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure per unit, measured in the window after exposure.

    Attributes:
        selection: Which events; `window` is None, since exposure says where it begins.
        measure: What of them; a conversion counts, a ratio's numerator.
        below: Of a ratio: what the denominator measures of which events.
        unit: Of the values, such as ``EUR``; None for counts and shares.
        before: Length of the time before exposure whose same figure is the covariate (CUPED); None for no covariate.
        cap: Values above this percentile of all units together are cut to it, such as 99.5; None for none.
        margin: Of a guard-rail: how much worse, as a share of control, is still accepted.
        is_money: Revenue, for the money of the report.
    """

    name: str
    kind: MetricKind
    selection: EventSelection
    measure: Measure
    below: tuple[EventSelection, Measure] | None = None
    role: Role = "secondary"
    better: Better = "higher"
    unit: str | None = None
    before: Duration | None = None
    cap: Decimal | None = None
    margin: Decimal | None = None
    is_money: bool = False
    title: str | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the things that are compared.

    Attributes:
        weight: Relative to the other arms, above 0.
        is_sent: False for arms that are told nothing, such as the control group.
        cost: Of one message.
    """

    name: str
    weight: Decimal
    is_sent: bool = True
    cost: Decimal | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class LayerShare:
    """A range of a layer: experiments of one layer with ranges apart never share a unit.

    Attributes:
        low: Begin of the range, 0 to 1.
        high: End, not included.
    """

    layer: str
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Money:
    """What the report reckons profit with.

    Attributes:
        margin: Share of revenue that is profit before the cost of messages.
        fixed: Cost of the campaign that does not depend on messages.
        currency: As in units of traits, such as ``EUR``.
    """

    margin: Decimal = Decimal(1)
    fixed: Decimal = Decimal(0)
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """A declared experiment; what has happened to it is on record in the workspace.

    Attributes:
        segment: Whose members take part.
        arms: In order of declaration; the control first, wherever it stands in the file.
        control: Name of the arm that the others are compared with.
        same: The stored trait whose value is the unit, such as a household; None when profiles are the unit.
        metrics: At least one is primary.
        window: From exposure, end included; events after it do not count.
        layer: None when no other experiment is excluded.
        traffic: Share of the members that take part, 0 to 1; may only grow.
        exclude: Segments whose members do not take part.
        strata: Stored traits within whose values the arms are balanced (and reported); empty for none.
        looks: When results may be looked at.
        look_shares: Of planned looks: shares of the whole, ascending, the last is 1.
        confidence: Of intervals, such as 0.95.
        power: To find `effect`, such as 0.8.
        effect: Smallest relative effect on the primary metric that matters; None when nobody said.
        size: Planned units in all arms together; None when planned by `end`.
        end: Planned end; None when planned by `size`.
        salt: Instead of the name, so that a renamed experiment keeps its arms.
    """

    name: str
    segment: str
    arms: tuple[Arm, ...]
    control: str
    metrics: tuple[Metric, ...]
    window: Duration
    same: str | None = None
    layer: LayerShare | None = None
    traffic: Decimal = Decimal(1)
    exclude: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    looks: Looks = "end"
    look_shares: tuple[Decimal, ...] = ()
    confidence: Decimal = Decimal("0.95")
    power: Decimal = Decimal("0.8")
    effect: Decimal | None = None
    size: int | None = None
    end: datetime | None = None
    money: Money = Money()
    salt: str | None = None
    title: str | None = None
    hypothesis: str | None = None
    owner: str | None = None
    location: Location | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """Name on record, which stays when the experiment is renamed."""
        return self.salt or self.name


@dataclass(frozen=True, slots=True)
class UniversalHoldout:
    """A share of everybody who is kept out of every push for a time, so that all campaigns together can be measured.

    Attributes:
        name: Says which generation it is, such as ``2026-h1``; it is part of the salt and never used again.
        share: Of all profiles, above 0 and below 1.
        begin: From when; the end of the one before.
        end: Until when; None while it lasts.
    """

    name: str
    share: Decimal
    begin: datetime
    end: datetime | None = None
    location: Location | None = field(default=None, compare=False)
