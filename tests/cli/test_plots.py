"""Charts of numbers over time as lines of text."""

from __future__ import annotations

from segctl.cli.plots import area


def test_columns_rise_with_their_numbers() -> None:
    lines = area([0, 1, 2, 4], width=16, first="a", last="d", height=4)

    assert lines == [
        "4 ┤          ███",
        "  ┤          ███",
        "  ┤       ██████",
        "0 ┤    █████████",
        "    a          d",
    ]


def test_it_fits_the_width_and_needs_no_unicode() -> None:
    many = [float(n % 50) for n in range(1000)]

    lines = area(many, width=40, first="2026-01-01", last="2026-12-31", unicode=False)

    assert max(map(len, lines)) <= 40
    assert "".join(lines).isascii()
    assert lines[0].startswith("49 |")
    assert lines[-1].split() == ["2026-01-01", "2026-12-31"]


def test_something_is_not_nothing_and_gaps_stay_empty() -> None:
    lines = area([1_000, 1, None, 0], width=12, first="a", last="b", height=2)

    assert lines[:2] == ["1,000 ┤ █", "    0 ┤ █▁"]
    assert area([0, None], width=20, first="a", last="b") == []
