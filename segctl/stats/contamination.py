"""Controls that were messaged nevertheless: how many, and from when on it matters."""

from __future__ import annotations

from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.stats.compliance import LEAKED, LEAKED_AT_LEAST
from segctl.stats.values import Flag

FAIL = 0.1
"""Share of controls above which the control is none any more."""


@dataclass(frozen=True, slots=True)
class Contamination:
    """How many controls were messaged.

    Attributes:
        share: Of the controls; None without controls.
        level: ``ok`` for none, ``note`` for a few, ``warn`` above 1 % (and at least 10), ``fail`` above 10 %.
    """

    messaged: int
    controls: int
    share: float | None
    level: Literal["ok", "note", "warn", "fail"]

    @property
    def flags(self) -> tuple[Flag, ...]:
        """`contamination` from the level ``warn`` on."""
        return (Flag.CONTAMINATION,) if self.level in ("warn", "fail") else ()


def contamination(messaged: int, controls: int) -> Contamination:
    """Judge how many of the controls were messaged.

    Source:
        GrowthBook's threshold of multiple exposures, 1 % and at least 10.
    """
    share = messaged / controls if controls else None
    if not messaged or share is None:
        return Contamination(messaged, controls, share, "ok")
    if share > FAIL:
        return Contamination(messaged, controls, share, "fail")
    is_leaky = share > LEAKED and messaged >= LEAKED_AT_LEAST
    return Contamination(messaged, controls, share, "warn" if is_leaky else "note")
