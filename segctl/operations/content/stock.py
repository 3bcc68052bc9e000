"""Files of products that are not to be had: one product on a line, alone or in a column among others."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.content import Recommendation
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.errors import DataError

if TYPE_CHECKING:
    from segctl.model.project import Definitions

_SIGNS = ("\t", ";", ",")


@dataclass(frozen=True, slots=True)
class Stock:
    """What a file says is not to be had.

    Attributes:
        products: As they are written there; a heading may be among them.
        known: How many of them are products that events tell of.
    """

    products: frozenset[str] = frozenset()
    known: int = 0


def stock_of(rule: Recommendation, root: Path, known: Collection[str]) -> Stock:
    """What the file of a list of recommendations says.

    Args:
        rule: The list; without a file nothing is out of stock.
        root: Of the project.
        known: Products that events tell of; of several columns without a heading, the one with most of them counts.

    Raises:
        DataError: The file cannot be read (SEG779).
    """
    if rule.out_of_stock is None:
        return Stock()
    try:
        rows = _rows((root / rule.out_of_stock).read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, csv.Error):
        message = f"the file `{rule.out_of_stock}` of products that are not to be had cannot be read"
        hint = "one product on each line; the path is relative to the project"
        raise DataError("SEG779", message, location=rule.location, hint=hint) from None
    at = _column(rows, rule.bought.product, known)
    products = frozenset(row[at] for row in rows if at < len(row)) - {""}
    return Stock(products, len(products & set(known)))


def stock_warning(rule: Recommendation, stock: Stock) -> Diagnostic | None:
    """That a file names no product anybody knows, so that it leaves nothing out; None when it does."""
    if stock.known or not stock.products:
        return None
    message = f"no line of `{rule.out_of_stock}` names a product that was bought or viewed, so it leaves nothing out"
    hint = f"write the values of `{rule.bought.product}`, alone or in a column with that heading"
    return Diagnostic("SEG779", Severity.WARNING, message, rule.location, hint=hint)


def unreadable_stock(definitions: Definitions) -> list[Diagnostic]:
    """Files of products that are not there, or are none."""
    found = []
    content = definitions.content
    for rule in () if content is None else content.recommendations.values():
        try:
            stock_of(rule, Path(definitions.project.root), ())
        except DataError as error:
            # It may be written anew each night, elsewhere than where definitions are looked at.
            found.append(Diagnostic(error.code, Severity.WARNING, error.message, error.location, hint=error.hint))
    return found


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    often = {sign: sum(sign in line for line in lines) for sign in _SIGNS}
    sign = max(_SIGNS, key=lambda one: often[one])
    return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=sign)]


def _column(rows: list[list[str]], name: str, known: Collection[str]) -> int:
    """Which column holds the products: the one that is called so, else the one with most of them, else the first."""
    heading = [cell.casefold() for cell in rows[0]] if rows else []
    if name.casefold() in heading:
        return heading.index(name.casefold())
    products = set(known)
    width = max((len(row) for row in rows), default=1)
    found = [len({row[at] for row in rows if at < len(row)} & products) for at in range(width)]
    return max(range(width), key=lambda at: found[at])
