"""The light decorator beside the standard one: the same classes, as far as anybody can tell."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any

import pytest

from segctl.model.dataclass import dataclass
from segctl.model.times import Duration


def pair() -> list[Any]:
    """The same class under both decorators."""
    made = []
    for decorator in (dataclass, dataclasses.dataclass):

        @decorator(frozen=True, slots=True)
        class Window:
            """A window."""

            days: int
            unit: str = "day"
            notes: dict[str, int] = field(default_factory=dict, compare=False)
            place: str = field(default="", compare=False, repr=False)

            @property
            def hours(self) -> int:
                return self.days * 24

        made.append(Window)
    return made


@pytest.fixture(params=[0, 1], ids=["light", "standard"])
def window(request: pytest.FixtureRequest) -> Any:
    return pair()[request.param]


def test_values_have_their_fields_and_methods(window: Any) -> None:
    value = window(3, place="a.yaml")

    assert (value.days, value.unit, value.notes, value.place, value.hours) == (3, "day", {}, "a.yaml", 72)


def test_values_are_equal_by_their_compared_fields(window: Any) -> None:
    assert window(3) == window(3, place="elsewhere")
    assert hash(window(3)) == hash(window(3, notes={"a": 1}))
    assert window(3) != window(4)
    assert window(3) != window(3, "week")
    assert window(3) != (3, "day")


def test_values_of_two_classes_are_never_equal() -> None:
    light, standard = pair()

    assert light(3) != standard(3)


def test_a_missing_number_equals_itself_in_a_single_field() -> None:
    missing = float("nan")
    for decorator in (dataclass, dataclasses.dataclass):

        @decorator(frozen=True, slots=True)
        class Only:
            value: float

        assert Only(missing) == Only(missing)
        assert hash(Only(2.0)) == hash(Only(2))


def test_a_class_without_fields_has_one_value() -> None:
    @dataclass(frozen=True, slots=True)
    class Nothing:
        """Nothing."""

    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1


def test_values_cannot_be_changed(window: Any) -> None:
    value = window(3)

    with pytest.raises(FrozenInstanceError):
        value.days = 4
    with pytest.raises(FrozenInstanceError):
        del value.days
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        value.other = 1
    assert not hasattr(value, "__dict__")


def test_made_defaults_are_not_shared(window: Any) -> None:
    first, second = window(1), window(1)
    first.notes["seen"] = 1

    assert second.notes == {}


def test_values_are_shown_alike() -> None:
    light, standard = pair()

    assert repr(light(3, "w", {"a": 1})) == repr(standard(3, "w", {"a": 1}))


def test_values_are_replaced_and_matched(window: Any) -> None:
    match replace(window(3), unit="week"):
        case window(days, "week"):
            assert days == 3
        case _:
            pytest.fail("no match")


def test_fields_are_those_of_the_standard() -> None:
    light, standard = pair()

    of = [[(f.name, f.type, f.compare, f.repr, f.default) for f in fields(cls(1))] for cls in (light, standard)]

    assert of[0] == of[1]


@pytest.mark.parametrize("arguments", [{}, {"days": 1, "hour": 2}], ids=["one missing", "one too many"])
def test_wrong_arguments_are_refused(window: Any, arguments: dict[str, int]) -> None:
    for _ in range(2):
        with pytest.raises(TypeError):
            window(**arguments)


def test_other_options_give_the_standard_class() -> None:
    @dataclass(slots=True)
    class Count:
        number: int = 0

    count = Count()
    count.number += 1

    assert count == Count(1)


def test_a_value_goes_to_another_process_and_comes_back() -> None:
    duration = Duration(3, "days")

    assert pickle.loads(pickle.dumps(duration)) == duration
