"""Tables of a push: what does not matter gives way on narrow terminals, and what went wrong never does."""

from __future__ import annotations

from segctl.cli.push_view import COLUMNS, WATERFALL, _table, step_columns


def test_steps_at_which_nobody_falls_out_give_way_first() -> None:
    rows = [("files", "winback", 58, 58, 51, 49, 49, 49, 49, 0, 0), ("files", "vip", 5, 5, 5, 5, 5, 5, 4, 4, 4)]

    columns = step_columns(WATERFALL, rows)

    assert [column.name for column in columns if column.extra] == ["identifier", "cap", "holdout", "accepted"]
    assert [column.name for column in columns] == [column.name for column in WATERFALL]


def test_rows_that_were_not_accepted_are_a_column_as_soon_as_there_is_one() -> None:
    fine = ("files", "winback", "ok", 49, 0, 0, 0, 0, 0, 0, 1, 0.1)
    partial = ("files", "vip", "partial", 3, 0, 0, 0, 0, 2, 0, 1, 0.1)

    quiet, rows = _table([fine])
    loud, more = _table([fine, partial])

    names = [column.name for column in COLUMNS]
    assert [column.name for column in quiet] == [n for n in names if n not in ("invalid", "rejected", "unknown")]
    assert rows == [("files", "winback", "ok", 49, 0, 0, 0, 1, 0.1)]
    assert [column.name for column in loud] == [n for n in names if n not in ("invalid", "unknown")]
    assert more[1] == ("files", "vip", "partial", 3, 0, 0, 0, 2, 1, 0.1)
    assert not any(column.extra for column in loud if column.name == "rejected")
