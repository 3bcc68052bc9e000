"""Places and distances in words, English and German."""

from __future__ import annotations

from decimal import Decimal

from segctl.model.conditions import Distance, NearCondition
from segctl.model.places import PointSpot, Spot
from segctl.model.project import Language

_UNITS = {"en": {"m": "m", "km": "km", "miles": "miles"}, "de": {"m": "m", "km": "km", "miles": "Meilen"}}


def near_words(leaf: NearCondition, language: Language) -> str:
    """A condition such as ``within 30 km of 80331 (DE)``."""
    length = length_of(leaf.within, language)
    where = leaf.places or (spot_words(leaf.spots[0], language) if leaf.spots else "")
    if language == "de":
        return f"höchstens {length} von {f'einem Ort aus {where}' if leaf.places else where} entfernt"
    return f"within {length} of {f'a place of {where}' if leaf.places else where}"


def spot_words(spot: Spot, language: Language) -> str:
    """A place as it was written."""
    if isinstance(spot, PointSpot):
        return f"{_number(spot.latitude, language)} / {_number(spot.longitude, language)}"
    return f"{spot.code} ({spot.country})" if spot.country else spot.code


def length_of(length: Distance, language: Language) -> str:
    """A length as it was written."""
    return f"{_number(length.amount, language)} {_UNITS[language][length.unit]}"


def metres_words(metres: int, language: Language) -> str:
    """A distance as people say it: metres below one kilometre, one digit below a hundred.

    >>> metres_words(12_380, "de")
    '12,4 km'
    """
    if metres < 1_000:
        return f"{metres} m"
    rounded = round(Decimal(metres) / 1000, 1 if metres < 100_000 else 0)
    whole = round(rounded) if rounded == round(rounded) else rounded
    return f"{_number(Decimal(whole), language)} km"


def _number(value: Decimal, language: Language) -> str:
    written = format(value, "f")
    return written.replace(".", ",") if language == "de" else written
