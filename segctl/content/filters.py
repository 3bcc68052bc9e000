"""The filters that templates have: few, bounded, and the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import wraps
from typing import Any

from jinja2 import Undefined, pass_eval_context
from jinja2 import filters as stock
from jinja2.nodes import EvalContext
from jinja2.runtime import markup_join, str_join

from segctl.content import formats
from segctl.content.rendering import MOST_OUTPUT, LimitError, current
from segctl.content.values import Amount

Filter = Callable[..., Any]
_KEPT = (
    "abs", "capitalize", "count", "d", "default", "e", "escape", "first", "last", "length", "list", "lower", "map",
    "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string", "sum", "title", "trim",
    "truncate", "unique", "upper", "urlencode",
)  # fmt: skip
# `default` stands where a value may be missing; `map`, `select` and their like hand on what filters of this table make.
_UNBOUNDED = frozenset({"d", "default"})


def guarded(filtering: Filter) -> Filter:
    """The filter, paying for the text it reads and makes."""

    @wraps(filtering)
    def paying(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the filter itself
        rendering = current()
        if rendering is not None:
            rendering.go_through(16 + sum(len(one) for one in args if isinstance(one, str)))
        made = filtering(*args, **kwargs)
        if isinstance(made, str):
            check_length(len(made))
            if rendering is not None:
                rendering.go_through(len(made))
        return made

    return paying


def check_length(characters: int) -> None:
    """Refuses a text that no message needs.

    Raises:
        LimitError: It is too long.
    """
    if characters > MOST_OUTPUT:
        raise LimitError(f"it makes a text of more than {MOST_OUTPUT:,} characters")


def table() -> dict[str, Filter]:
    """All filters by name."""
    kept = {name: stock.FILTERS[name] for name in _KEPT}
    own = {
        "money": _money,
        "number": _number,
        "date": _date,
        "time": _time,
        "round": _round,
        "int": _int,
        "join": _join,
        "replace": _replace,
        "wrap_in_twos": _pairs,
    }
    return {name: one if name in _UNBOUNDED else guarded(one) for name, one in (kept | own).items()}


def _told(value: object) -> object:
    """The value, where there is one."""
    if isinstance(value, Undefined):
        str(value)
        return None
    return value


def _language() -> tuple[str, str]:
    rendering = current()
    return ("en", "UTC") if rendering is None else (rendering.language, rendering.zone)


def _money(value: Any, currency: str | None = None, digits: int | None = None) -> str:  # noqa: ANN401 - checked here
    """An amount with its currency: that of the value, unless another is named."""
    if _told(value) is None:
        return ""
    unit = currency or getattr(value, "unit", None)
    if unit is None:
        raise ValueError("`money` knows no currency here: write `money('EUR')`")
    return formats.money(_exact(value), str(unit), _language()[0], _digits(digits))


def _number(value: Any, digits: int | None = None) -> str:  # noqa: ANN401 - checked here
    return "" if _told(value) is None else formats.number(_exact(value), _language()[0], _digits(digits))


def _date(value: Any, style: str = "long") -> str:  # noqa: ANN401 - checked here
    if _told(value) is None:
        return ""
    if not isinstance(value, date):
        raise ValueError("`date` takes a date or a time")  # noqa: TRY004 - a mistake of a template like the others
    return formats.day(value, _language()[0], style, _language()[1])


def _time(value: Any) -> str:  # noqa: ANN401 - checked here
    if _told(value) is None:
        return ""
    if not isinstance(value, datetime):
        raise ValueError("`time` takes a time")  # noqa: TRY004 - a mistake of a template like the others
    return formats.clock(value, *_language())


def _round(value: Any, digits: int = 0) -> Any:  # noqa: ANN401 - checked here
    if _told(value) is None:
        return ""
    places = _digits(digits) or 0
    rounded = _exact(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return Amount.of(rounded, getattr(value, "unit", None)) if places else int(rounded)


def _int(value: Any, default: int = 0) -> int:  # noqa: ANN401 - checked here
    if _told(value) is None or (isinstance(value, str) and len(value) > 18):
        return default
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


@pass_eval_context
def _join(context: EvalContext, value: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    items = list(value)
    check_length(len(items) * len(str(between)) + sum(len(item) for item in items if isinstance(item, str)))
    return stock.sync_do_join(context, items, between, attribute)


@pass_eval_context
def _replace(context: EvalContext, text: str, old: str, new: str) -> str:
    times = str(text).count(str(old))
    check_length(len(str(text)) + times * len(str(new)))
    return stock.do_replace(context, text, old, new)


def _pairs(value: Iterable[Any]) -> list[list[Any]]:
    """The items in rows of two, as mails lay out products."""
    items = list(value)
    return [items[at : at + 2] for at in range(0, len(items), 2)]


def _digits(digits: int | None) -> int | None:
    if digits is not None and (not isinstance(digits, int) or not 0 <= digits <= 9):
        raise ValueError("there are 0 to 9 digits after the point")
    return digits


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("this is no number")  # noqa: TRY004 - a mistake of a template like the others
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite() or abs(exact) >= Decimal(10) ** 18:
        raise ValueError("this number is too large to be written")
    return exact


@pass_eval_context
def concatenated(context: EvalContext, parts: list[Any]) -> str:
    """What `~` makes of its operands."""
    check_length(sum(len(part) for part in parts if isinstance(part, str)))
    return markup_join(parts) if context.autoescape else str_join(parts)


def written(value: object) -> str:
    """A value as it stands in a message; numbers and dates in the manner of the language.

    Raises:
        MissingError: There is none.
    """
    language, zone = _language()
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return formats.manner(language).true if value else formats.manner(language).false
    if isinstance(value, int | float | Decimal):
        return formats.number(_exact(value), language)
    if isinstance(value, date):
        return formats.day(value, language, "short", zone)
    if isinstance(value, Undefined):
        return str(value)
    if isinstance(value, list | tuple):
        return ", ".join(written(item) for item in value)
    if value is None:
        return ""
    what = "fields: name one, as in `event.price`" if isinstance(value, Mapping) else "no text"
    raise ValueError(f"this is {what}")
