"""Which first events are looked for: none whose passing another one tells already."""

from __future__ import annotations

import pytest
from engine_data import ITEM, equals, metric

from segctl.compile.plan import Output, plan
from segctl.engines.next_change import NextChange
from segctl.model.times import Duration, WithinLast

WEEK, MONTH = WithinLast(Duration(7, "days")), WithinLast(Duration(1, "months"))
ONE, OTHER = equals(ITEM, "a"), equals(ITEM, "b")


@pytest.mark.parametrize(
    ("asked", "passing", "further"),
    [
        pytest.param([{"window": WEEK}, {"window": WEEK, "where": ONE}], [None], 0, id="all events hold some"),
        pytest.param([{"window": WEEK, "where": w} for w in (ONE, OTHER)], [ONE, OTHER], 0, id="each has its own"),
        pytest.param([{"window": MONTH}, {"window": WEEK, "where": ONE}], [ONE], 1, id="another bound"),
        pytest.param([{"window": MONTH}, {"window": MONTH, "where": ONE}], [], 1, id="in steps"),
    ],
)
def test_an_edge_is_left_out_where_another_holds_its_events(asked: list, passing: list, further: int) -> None:
    changes = NextChange(plan([], [Output(str(i), metric("count", **one)) for i, one in enumerate(asked)]))

    assert [edge.first.where for edge in changes.passing if edge.bound.days > 1] == passing
    assert len([one for one in changes.metrics if one.window == MONTH]) == further
