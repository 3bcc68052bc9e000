"""Shapes of codes: which kinds of signs stand where, as a regular expression without any value in it."""

from __future__ import annotations

import re
from itertools import groupby

import polars as pl

_MOST_SHAPES = 2
_MOST_MASKS = 500
_LONGEST = 40
_CLASSES = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}


def shape_of(values: pl.Series, *, keeps_open: bool) -> str | None:
    """A pattern that all values match; None when they are no codes.

    Codes are short, hold no blanks, and are of digits and capitals at least in part.

    Args:
        values: Text without nulls.
        keeps_open: Runs of different lengths may become longer still, as numbers of things do.

    >>> shape_of(pl.Series(["AB-123", "XY-457"]), keeps_open=False)
    '^[A-Z]{2}-[0-9]{3}$'
    >>> shape_of(pl.Series(["Bonn", "Rom"]), keeps_open=False) is None
    True
    """
    if bool(values.str.contains(r"\s|[^\x21-\x7e]").any()) or bool((values.str.len_chars() > _LONGEST).any()):
        return None
    mask = pl.col("v").str.replace_all("[0-9]", "9").str.replace_all("[A-Z]", "A").str.replace_all("[a-z]", "a")
    masks = values.alias("v").to_frame().select(mask).to_series().unique().sort()
    if len(masks) > _MOST_MASKS or not masks.str.contains("9|^A+$").all():
        return None
    shapes: dict[tuple[str, ...], list[list[int]]] = {}
    for text in masks.to_list():
        runs = [(sign, len(list(group))) for sign, group in groupby(text)]
        known = shapes.setdefault(tuple(sign for sign, _ in runs), [[] for _ in runs])
        for at, (_, length) in enumerate(runs):
            known[at].append(length)
    if len(shapes) > _MOST_SHAPES or any(_is_random(signs) for signs in shapes):
        return None
    parts = [
        "".join(_run(s, n, keeps_open) for s, n in zip(signs, lengths, strict=True))
        for signs, lengths in shapes.items()
    ]
    return f"^{parts[0]}$" if len(parts) == 1 else f"^(?:{'|'.join(parts)})$"


def _literal(sign: str) -> str:
    # JavaScript forbids to escape what needs no escape.
    return re.sub(r"[.^$*+?()\[\]{}|\\/]", r"\\\g<0>", sign)


def _is_random(signs: tuple[str, ...]) -> bool:
    """Many changes between kinds of signs are the look of a hash, whose next value looks otherwise."""
    return sum(sign in _CLASSES for sign in signs) > 6


def _run(sign: str, lengths: list[int], keeps_open: bool) -> str:
    one = _CLASSES.get(sign, _literal(sign))
    low, high = min(lengths), max(lengths)
    if low == high:
        return one if low == 1 else f"{one}{{{low}}}"
    return f"{one}+" if keeps_open else f"{one}{{{low},{high}}}"
