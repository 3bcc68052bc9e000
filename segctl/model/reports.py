"""What reports measure, as declared under `reports` in the project file."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from segctl.model.conditions.events import Aggregate, EventSelection
from segctl.model.dataclass import dataclass

WINDOW = timedelta(days=30)
SMALLEST = 30


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What counts as success, for reports on segments.

    Attributes:
        window: What members did in this long before the end of the report is compared.
        conversion: Events that are the aim; None when nobody said.
        revenue: Events with the property that is summed; None when nobody said.
        unit: Of revenue, such as ``EUR``.
        engagement: Events that show that somebody reacted; None when nobody said.
        active_days: Who did it within these days is active; None takes the project's own gaps between such events.
        lost_days: Who did it longer ago is lost; likewise.
        costs: Destination → cost of one message.
        smallest: Segments with fewer members are called too small.
    """

    window: timedelta = WINDOW
    conversion: EventSelection | None = None
    revenue: tuple[EventSelection, Aggregate] | None = None
    unit: str | None = None
    engagement: EventSelection | None = None
    active_days: int | None = None
    lost_days: int | None = None
    costs: tuple[tuple[str, Decimal], ...] = ()
    smallest: int = SMALLEST

    @property
    def purchase(self) -> EventSelection | None:
        """The events that cohorts, lifecycle and recency are made of: conversions, else what brings revenue."""
        return self.conversion or (self.revenue[0] if self.revenue is not None else None)
