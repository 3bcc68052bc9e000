"""Reasons of runs in German: each sentence that is recorded has one of its own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from segctl.model.conditions import Guards
from segctl.operations.guards import WAITS, broken
from segctl.operations.health.words import said
from segctl.operations.reason_words import reason_words

MISSING = "a value that must not be missing is missing"
LIMITS = Guards(max_removed=Decimal("0.2"), max_added=Decimal("0.1"), min_size=2_000, max_size=10)


def test_every_guard_is_told_in_german() -> None:
    found = broken("vip", LIMITS, before=1_500, entered=500, left=1_250, after=750)

    assert reason_words("; ".join(one.message for one in found), "de") == (
        "`vip` verlöre 1.250 von 1.500 Mitgliedern (83,3 %), Grenze 20 %; "
        "`vip` bekäme 500 zu 1.500 Mitgliedern dazu (33,3 %), Grenze 10 %; "
        "`vip` hätte 750 Mitglieder, mindestens 2.000 sind verlangt; "
        "`vip` hätte 750 Mitglieder, höchstens 10 sind erlaubt"
    )


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        (f"it refers to `vip`, {WAITS}", "es beruht auf `vip`, dessen Grenze die Änderung zurückhält"),
        ("it refers to `vip`, which failed", "es beruht auf `vip`, und das ist gescheitert"),
        (f"{MISSING} for 1 profile", "ein Wert, der nicht fehlen darf, fehlt bei 1 Profil"),
        (f"{MISSING} for 12 profiles", "ein Wert, der nicht fehlen darf, fehlt bei 12 Profilen"),
        (
            "the source `crm` is 3 days old (newest 2026-11-19), and `vip` asks for at most 9 days",
            "der Stand der Quelle `crm` ist 3 Tage alt (neuester 2026-11-19), und `vip` verlangt höchstens 9 Tage",
        ),
        (
            "`vip` asks for the event `order` of the last 3 days, and nothing of it is known",
            "`vip` verlangt das Ereignis `order` aus der Zeit von höchstens 3 Tagen, und davon ist nichts bekannt",
        ),
        ("somebody else's words", "somebody else's words"),
    ],
)  # fmt: skip
def test_what_a_run_records_is_told_in_german(reason: str, german: str) -> None:
    assert reason_words(reason, "de") == german
    assert reason_words(reason, "en") == reason
    assert said("failed", {"reason": reason, "segment": "x"}, "de")[0] == f"gescheitert: {german}"
