"""The exact engine: jsonschema-rs says what is so, row by row or once for each distinct value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segctl.quality.schema_refs import Schema, pointer
from segctl.quality.schema_words import expected, keyword_of, shown

if TYPE_CHECKING:
    import jsonschema_rs
    import polars as pl

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_MOST_REMEMBERED = 1_000_000
_INSIDE = "only references inside the contract are followed; put the schema under `$defs`"


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """Why a contract cannot be used.

    Attributes:
        pointer: JSON pointer into the contract.
        message: One sentence without a full stop.
        hint: What to do.
    """

    pointer: str
    message: str
    hint: str | None = None


class UnusableContractError(ValueError):
    """A contract that is no JSON Schema of the draft, or refers to what is not there."""

    def __init__(self, problem: SchemaProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Reason:
    """One way in which a row breaks its contract.

    Attributes:
        pointer: Place in the row; ``*`` stands for any element, and a missing property is its own place.
        keyword: Of the contract.
        expected: What the keyword wants, in words.
        value: What stands there as text, None when nothing does.
    """

    pointer: str
    keyword: str
    expected: str
    value: str | None


def problems_of(schema: Schema, *, formats: bool = True) -> list[SchemaProblem]:
    """What makes a contract unusable; empty when it can be used."""
    try:
        validator(schema, formats=formats)
    except UnusableContractError as error:
        return [error.problem]
    return []


def validator(schema: Schema, *, formats: bool) -> jsonschema_rs.Draft202012Validator:
    """The reference validator of a contract.

    Raises:
        UnusableContractError: It is not valid, of another draft, or refers to what is not there.
    """
    import jsonschema_rs

    _refuse_other_drafts(schema, "")
    try:
        # Nothing is ever fetched: a contract means the same tomorrow and without a network.
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=formats, offline=True)
    except jsonschema_rs.ReferencingError as error:
        message = f"a reference leads nowhere: {error.message}"
        raise UnusableContractError(SchemaProblem("", message, _INSIDE)) from error
    except jsonschema_rs.ValidationError as error:
        raise UnusableContractError(_problem_of(error)) from error
    except ValueError as error:
        raise UnusableContractError(SchemaProblem("", f"the contract is no JSON Schema: {error}")) from error


def _problem_of(error: jsonschema_rs.ValidationError) -> SchemaProblem:
    path = [str(part) for part in error.instance_path]
    if not path:
        return SchemaProblem("", f"the contract is no JSON Schema: {error.message}", _INSIDE)
    keyword = next((part for part in reversed(path) if not part.isdigit()), "")
    types = "types are string, integer, number, boolean, array, object and null"
    said = f"`{keyword}` cannot be `{shown(error.instance)}`"
    return SchemaProblem(pointer(*path), said, types if keyword == "type" else None)


def _refuse_other_drafts(node: Any, at: str) -> None:  # noqa: ANN401 - JSON
    if at == "" and not isinstance(node, dict | bool):
        raise UnusableContractError(SchemaProblem("", "a contract is keys with values, or true or false"))
    if not isinstance(node, dict):
        return
    draft = node.get("$schema")
    if isinstance(draft, str) and draft.rstrip("#") != DRAFT:
        hint = f"write `$schema: {DRAFT}`, or leave the line out"
        raise UnusableContractError(SchemaProblem(f"{at}/$schema", f"`{draft}` is another dialect", hint))


def row_reasons(engine: jsonschema_rs.Draft202012Validator, instance: Any) -> list[Reason]:  # noqa: ANN401 - JSON
    """Every reason of one row; empty when it keeps the contract."""
    if engine.is_valid(instance):
        return []
    found = dict.fromkeys(reason for error in engine.iter_errors(instance) for reason in _reasons(error))
    return list(found)


def _reasons(error: jsonschema_rs.ValidationError) -> Iterator[Reason]:
    at = "".join(pointer("*") if isinstance(part, int) else pointer(part) for part in error.instance_path)
    keyword = keyword_of(error.kind.name)
    if keyword == "required":
        name = error.kind.property  # type: ignore[attr-defined] # kinds are told by their name
        yield Reason(at + pointer(name), keyword, expected(keyword, name), None)
    elif keyword in ("additionalProperties", "unevaluatedProperties"):
        names: Iterable[str] = error.kind.unexpected  # type: ignore[attr-defined] # as above
        for name in names:
            value = error.instance.get(name) if isinstance(error.instance, dict) else None
            yield Reason(at + pointer(name), keyword, expected(keyword, False), shown(value))
    else:
        yield Reason(at, keyword, expected(keyword, _limit(error, keyword)), shown(error.instance))


def _limit(error: jsonschema_rs.ValidationError, keyword: str) -> Any:  # noqa: ANN401 - JSON
    found = error.kind.as_dict()
    if keyword == "type":
        return found.get("types", found)
    values = [value for key, value in found.items() if key not in ("context", "error", "schema")]
    return values[0] if len(values) == 1 else None


class DistinctTest:
    """A keyword decided once for each distinct value of a column.

    Attributes:
        sure: Regular expression of texts that surely keep it; None when there is none.
    """

    def __init__(self, schema: Schema, *, formats: bool, sure: str | None = None) -> None:
        self.sure = sure
        self._engine = validator(schema, formats=formats)
        self._known: dict[Any, bool] = {}

    def failing(self, values: pl.Series) -> pl.Series:
        """True where a value breaks the keyword; nulls keep it."""
        import polars as pl

        open_ = values.is_not_null()
        if self.sure is not None:
            open_ &= ~values.str.contains(self.sure).fill_null(value=False)
        if not open_.any():
            return pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True)
        distinct = values.filter(open_).unique()
        bad = distinct.filter(pl.Series([self._fails(value) for value in distinct.to_list()], dtype=pl.Boolean))
        return open_ & values.is_in(bad.implode()).fill_null(value=False)

    def _fails(self, value: Any) -> bool:  # noqa: ANN401 - JSON
        known = self._known.get(value)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[value] = not self._engine.is_valid(value)
        return known


def as_json(schema: Schema) -> str:
    """A schema as one text, for keys and digests."""
    return json.dumps(schema, sort_keys=True, ensure_ascii=False)
