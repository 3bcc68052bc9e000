"""The repair of a destination in words."""

from __future__ import annotations

import pytest

from segctl.cli.reconcile_view import repair_words
from segctl.connectors.destinations.base import Member
from segctl.operations.reconcile import Drift, Missing

STRANGER = (Member({"email": "a@example.com"}),)


@pytest.mark.parametrize(
    ("state", "ledger", "foreign", "remove", "words"),
    [
        ("orphaned", 48, (), False, "take 48 out"),
        ("orphaned", 48, STRANGER, False, "take 48 out, leave 1 foreign"),
        ("orphaned", 0, STRANGER, False, "leave 1 foreign"),
        ("orphaned", 0, STRANGER, True, "take 1 out"),
        ("orphaned", 0, (), False, "take 0 out"),
        ("drift", 48, STRANGER, False, "tell 1 again, if they may be told, leave 1 foreign"),
        ("gone", 0, (), False, "tell 1 again, if they may be told"),
    ],
)
def test_what_a_repair_would_do(
    state: str, ledger: int, foreign: tuple[Member, ...], *, remove: bool, words: str
) -> None:
    missing = () if state == "orphaned" else (Missing("k", None),)
    drift = Drift("winback", state, "r", 1, ledger, ledger, 0, missing, foreign)

    assert repair_words(drift, remove_foreign=remove) == words
