"""Which pairs are a household."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from segctl.identity.fields import prepared
from segctl.identity.pairs import comparer
from segctl.identity.related import REASONS, household_reasons

ROLES = {
    "given": "given_name", "last": "surname", "born": "birth_date", "zip": "postcode", "town": "city",
    "road": "street", "no": "house_number", "tel": "phone", "sex": "gender",
}  # fmt: skip
ANNA = {"given": "Anna", "last": "Abt", "born": "1960-02-03", "zip": "50667", "town": "Köln", "road": "Domstr.",
        "no": "4", "tel": "+49301357911", "sex": "f"}  # fmt: skip
BERND = {**ANNA, "given": "Bernd", "born": "1958-11-30", "tel": "+49302468024", "sex": "m"}
# Values of somebody else, so that every field and its comparison are there.
OTHER = {"given": "Carl", "last": "Dorn", "born": "1990-12-12", "zip": "01067", "town": "Dresden", "road": "Ring",
         "no": "77", "tel": "+49303692581", "sex": "m"}  # fmt: skip


def reason(one: dict[str, str | None], other: dict[str, str | None]) -> str:
    frame = pl.DataFrame([one, other, OTHER], infer_schema_length=None).with_row_index("record")
    compares = comparer(prepared(frame, ROLES))
    levels = compares.levels(np.array([0], np.int32), np.array([1], np.int32))
    return REASONS[int(household_reasons(compares.comparisons, levels)[0])]


ADDRESS, PHONE, NONE = REASONS[1], REASONS[2], REASONS[0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, ADDRESS, id="a couple"),
        pytest.param({"born": None}, ADDRESS, id="without a day of birth"),
        pytest.param({"town": None}, ADDRESS, id="the postcode alone"),
        pytest.param({"zip": None}, ADDRESS, id="the town alone"),
        pytest.param({"zip": "10115"}, NONE, id="the same street elsewhere"),
        pytest.param({"no": "99"}, NONE, id="neighbours in the street"),
        pytest.param({"last": "Winter"}, NONE, id="another surname in the house"),
        pytest.param({"last": "Winter", "tel": ANNA["tel"]}, PHONE, id="another surname, one phone"),
        pytest.param({"road": None, "tel": ANNA["tel"]}, PHONE, id="one phone"),
        pytest.param({"given": "Ana"}, NONE, id="a misspelt given name"),
        pytest.param({"given": "A."}, NONE, id="an initial"),
        pytest.param({"given": None}, NONE, id="no given name"),
        pytest.param({"born": ANNA["born"], "sex": "f"}, NONE, id="one day of birth: a second given name"),
        pytest.param({"born": ANNA["born"], "sex": "m"}, ADDRESS, id="one day of birth, other gender: twins"),
    ],
)
def test_households(changes: dict[str, str | None], expected: str) -> None:
    assert reason(ANNA, {**BERND, **changes}) == expected
    assert reason({**BERND, **changes}, ANNA) == expected


def test_without_given_names_there_are_no_households() -> None:
    frame = pl.DataFrame([ANNA, BERND]).drop("given").with_row_index("record")
    roles = {name: role for name, role in ROLES.items() if name != "given"}
    compares = comparer(prepared(frame, roles))
    levels = compares.levels(np.array([0], np.int32), np.array([1], np.int32))

    assert household_reasons(compares.comparisons, levels).tolist() == [0]
