"""The block `reports` of the project file."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from segctl.compile.project import bind_project_text
from segctl.model.conditions import Aggregate, EventSelection
from segctl.model.reports import ReportSettings

PROJECT = """
segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
traits: {limit: {type: money, unit: EUR}}
events:
  order_completed: {properties: {value: {type: money, unit: EUR}}}
  email_opened: {}
  email_clicked: {}
reports:
"""


def bound(lines: str) -> tuple[ReportSettings | None, list[str]]:
    project, found = bind_project_text(PROJECT + lines, Path("/nowhere"))
    return project.reports, [one.code for one in found]


def test_everything_that_can_be_said_is_bound() -> None:
    settings, found = bound("""
  window: 4 weeks
  conversion: {event: order_completed, where: {value: {at_least: 20}}}
  revenue: {event: order_completed, sum: {of: value}}
  engagement: {events: [email_opened, email_clicked]}
  lifecycle: {active: 60 days, lost: 180 days}
  costs: {mailer: 0.02}
  smallest: 10
""")

    assert found == []
    assert settings is not None
    assert settings.window == timedelta(days=28)
    assert settings.conversion is not None
    assert [test.property for test in settings.conversion.where] == ["value"]
    assert settings.revenue == (EventSelection(("order_completed",)), Aggregate("sum", "value"))
    assert settings.unit == "EUR"
    assert settings.engagement == EventSelection(("email_opened", "email_clicked"))
    assert (settings.active_days, settings.lost_days) == (60, 180)
    assert settings.costs == (("mailer", Decimal("0.02")),)
    assert settings.smallest == 10


def test_without_the_block_nothing_is_known() -> None:
    project, found = bind_project_text(PROJECT.replace("reports:", ""), Path("/nowhere"))

    assert (project.reports, found) == (None, [])


def test_revenue_alone_says_what_a_purchase_is() -> None:
    settings, _ = bound("  revenue: {event: order_completed, sum: {of: value}}")

    assert settings is not None
    assert settings.purchase == EventSelection(("order_completed",))


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        pytest.param(
            "  conversion: {event: order_completed, where: {value: {at_least: {trait: limit}}}}", "SEG975", id="trait"
        ),
        pytest.param("  window: 1 month", "SEG976", id="months differ"),
        pytest.param("  window: 30 calendar days", "SEG976", id="calendar days differ"),
        pytest.param("  costs: {mailer: -1}", "SEG976", id="a cost below nothing"),
        pytest.param("  lifecycle: {active: 60 days, lost: 18 days}", "SEG976", id="lost before active"),
        pytest.param("  lifecycle: {active: 60 days}", "SEG211", id="half a lifecycle"),
        pytest.param("  revenue: {event: order_completed}", "SEG211", id="revenue of what"),
        pytest.param("  revenue: {event: email_opened, sum: {of: value}}", "SEG221", id="no such property"),
        pytest.param("  conversion: {event: order_completd}", "SEG220", id="no such event"),
        pytest.param("  conversion: {event: order_completed, within_last: 3 days}", "SEG210", id="a window of its own"),
        pytest.param("  conversions: {event: order_completed}", "SEG210", id="no such key"),
        pytest.param("  []", "SEG212", id="a list"),
    ],
)
def test_what_cannot_be_is_told_with_its_code(lines: str, code: str) -> None:
    _, found = bound(lines)

    assert found == [code]
