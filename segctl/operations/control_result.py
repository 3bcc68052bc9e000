"""What `report control` found: every campaign against its own control, all of them against the universal holdout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.ab.parts import Check, MetricReport
from segctl.operations.ab.result import AbReport, MoneyReport

if TYPE_CHECKING:
    from segctl.stats.values import Comparison, Interval


@dataclass(frozen=True, slots=True)
class CampaignEffect:
    """One experiment with a control that is told nothing, against that control.

    Attributes:
        report: The whole report; its headline, checks and money are what a line shows.
        treated: Units of all arms that are sent something; `held` of the control.
        effect: All sent arms together against the control, on the first primary metric.
        money: Likewise, on the first metric of money; None without one.
    """

    experiment: str
    report: AbReport
    treated: int
    held: int
    effect: Comparison | None
    money: MoneyReport | None


@dataclass(frozen=True, slots=True)
class Cumulative:
    """What all campaigns together had brought up to a day, each added when its windows were complete.

    Attributes:
        revenue: Sum of incremental revenues; the campaigns are taken as independent.
        profit: Likewise.
    """

    day: date
    campaigns: tuple[str, ...]
    revenue: Interval
    profit: Interval


@dataclass(frozen=True, slots=True)
class Programme:
    """Everybody else against one generation of the universal holdout: what all campaigns did together.

    Attributes:
        begin: Of the generation; `until` is where the figures end.
        held: Profiles held out; `open` all others on record.
        contacted: Held-out profiles that a push reached all the same.
        gap: Sum of the campaigns' incremental revenue minus the programme's, over the same time: what the campaigns
            took from each other. None without money.
        campaigns: Those summed.
    """

    generation: str
    begin: datetime
    until: datetime
    held: int
    open: int
    checks: tuple[Check, ...]
    metrics: tuple[MetricReport, ...]
    money: MoneyReport | None
    contacted: int = 0
    gap: Interval | None = None
    campaigns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlReport:
    """Control groups of all campaigns.

    Attributes:
        skipped: Experiment → why it has no line: ``no_unsent_control``, ``nothing_yet``, ``other_currency`` …
        currency: Of the sums; None when campaigns differ or nobody said.
    """

    as_of: datetime
    campaigns: tuple[CampaignEffect, ...]
    cumulative: tuple[Cumulative, ...]
    programmes: tuple[Programme, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
