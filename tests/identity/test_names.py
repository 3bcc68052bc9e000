"""Names in comparable form."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from segctl.identity import names


def each(function: Callable[[pl.Expr], pl.Expr], *texts: str | None) -> list[str | None]:
    return pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(function(pl.col("t")))["t"].to_list()


@pytest.mark.parametrize(
    "spellings",
    [
        pytest.param(("Müller", "Mueller", "Muller", "MÜLLER", "Mu\u0308ller", " müller "), id="ü"),
        pytest.param(("Jäger", "Jaeger", "Jager", "Dr. Jäger", "von Jäger"), id="ä"),
        pytest.param(("Groß", "Gross", "GROSS"), id="ß"),
        pytest.param(("Jörg-Peter", "Joerg Peter", "Jorg Peter"), id="ö in a double name"),
        pytest.param(("Häußler", "Haeussler", "Haussler"), id="ä and ß"),
        pytest.param(("Łukasz", "Lukasz"), id="a letter that Unicode does not take apart"),
        pytest.param(("O’Neill", "O'Neill", "ONeill"), id="apostrophes"),
        pytest.param(("Prof. Dr. Dr. h.c. Groß", "Groß"), id="many titles"),
    ],
)
def test_spellings_of_one_name_have_one_key(spellings: tuple[str, ...]) -> None:
    assert len(set(each(names.name_key, *spellings))) == 1


@pytest.mark.parametrize("name", ["samuel", "michael", "zoe", "bauer", "neuer", "joel", "raphael", "sue", "maier"])
def test_what_only_looks_like_a_written_out_umlaut_stays(name: str) -> None:
    assert each(names.name_key, name) == [name]


def test_a_title_alone_is_kept_and_nothing_stays_nothing() -> None:
    assert each(names.name_key, "Prof. Dr.", None, "von") == ["prof dr", None, "von"]


def test_both_folds() -> None:
    assert each(names.fold_ae, "Müßig-Öå") == ["muessig-oea"]
    assert each(names.fold_a, "Müßig-Öå") == ["mussig-oa"]


def test_a_double_name_in_either_order_has_the_same_tokens() -> None:
    assert len(set(each(names.token_key, "meier schulz", "schulz meier"))) == 1


@pytest.mark.parametrize(
    ("full", "given", "surname"),
    [
        pytest.param("Hans Peter Müller", "hans peter", "müller", id="as spoken"),
        pytest.param("Müller, Hans Peter", "hans peter", "müller", id="as in a list"),
        pytest.param("Dr. Hans Müller", "hans", "müller", id="with a title"),
        pytest.param("Müller", None, "müller", id="one word is a surname"),
    ],
)
def test_a_full_name_is_split(full: str, given: str | None, surname: str) -> None:
    assert each(names.given_of_full, full) == [given]
    assert each(names.surname_of_full, full) == [surname]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("mullerludenscheidt", "65752682", id="Müller-Lüdenscheidt, Postel's own example"),
        pytest.param("wikipedia", "3412", id="Wikipedia"),
        pytest.param("breschnew", "17863", id="Breschnew"),
        pytest.param("heinz classen", "068586", id="C after a blank counts by its neighbours"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_cologne_phonetics(name: str, code: str) -> None:
    assert names.cologne(name) == code


def test_meier_in_four_spellings_sounds_alike() -> None:
    assert len({names.cologne(name) for name in ("meier", "maier", "mayr", "meyer")}) == 1
