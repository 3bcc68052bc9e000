"""Raw columns to instants and days: many written forms, and local times around clock changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from segctl.connectors.fixed_texts import byte_table, utc_times, wall_times
from segctl.model.sources import TimeRule

INSTANT = pl.Datetime("us", "UTC")
_LOCAL = pl.Datetime("us")
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
_EARLIEST, _LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_EARLY = datetime(1000, 1, 1, tzinfo=UTC)
_EARLY_WALL = _EARLY.replace(tzinfo=None)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
# Day first before month first: the German habit; a file that means otherwise declares its format.
_FORMS = (
    "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y%m%dT%H%M%S", "%Y%m%d",
)  # fmt: skip

_FEW = 500
_PLAIN = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.(?:\d{3}|\d{6}))?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)", re.ASCII
)


@dataclass(slots=True)
class ClockCounts:
    """How often the rule for clock changes was needed.

    Attributes:
        ambiguous: Local times that came twice.
        missing: Local times that no clock showed.
    """

    ambiguous: int = 0
    missing: int = 0


def to_instants(raw: pl.Series, rule: TimeRule, counts: ClockCounts) -> pl.Series:
    """Instants in UTC with microseconds; null where nothing stands or nothing fits.

    Args:
        raw: Text, numbers, days or times.
        rule: How to read them; a time without offset is local in its zone.
        counts: Gets the local times that a clock change made doubtful.
    """
    dtype = raw.dtype
    if rule.format in _EPOCHS:
        return _in_range(_epochs(raw, _EPOCHS[rule.format]))
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return raw.dt.convert_time_zone("UTC").cast(INSTANT)
        return localize(raw.cast(_LOCAL), rule, counts)
    if dtype == pl.Date:
        return localize(raw.cast(_LOCAL), rule, counts)
    if rule.format != "auto":
        return _declared(_text(raw), rule, counts)
    return _in_range(_auto(raw.cast(pl.String), rule, counts))


def to_days(raw: pl.Series, rule: TimeRule, counts: ClockCounts) -> pl.Series:
    """Calendar days; an instant gives its local day in the rule's zone."""
    dtype = raw.dtype
    if dtype == pl.Date:
        return raw
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        return raw.dt.date()
    if rule.format in _EPOCHS or isinstance(dtype, pl.Datetime):
        instants = to_instants(raw, rule, counts)
        return instants.dt.convert_time_zone(rule.zone).dt.date()
    text = _text(raw)
    if rule.format != "auto":
        return _strptime(text, rule.format, pl.Date)
    days = _strptime(text, "%Y-%m-%d", pl.Date)
    return _fill(text, days, lambda rest: _first_form(rest, rule, counts).dt.convert_time_zone(rule.zone).dt.date())


def _text(raw: pl.Series) -> pl.Series:
    text = raw.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def _fill(text: pl.Series, found: pl.Series, otherwise: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`found`, with the rows that stayed empty although text stands there read by `otherwise`."""
    open_rows = (found.is_null() & text.is_not_null()).arg_true()
    if open_rows.is_empty():
        return found
    return found.scatter(open_rows, otherwise(text.gather(open_rows)))


def _epochs(raw: pl.Series, factor: int) -> pl.Series:
    if raw.dtype.is_integer():
        numbers = raw.cast(pl.Int64, strict=False)
    else:
        text = _text(raw)
        numbers = text.cast(pl.Int64, strict=False)
        if numbers.null_count() > text.null_count():
            # Fractions of a second, and 1.7e9 as spreadsheets and float columns write it.
            exact = text.cast(pl.Decimal(38, 6), strict=False).to_physical()
            scaled = pl.select(exact * pl.lit(factor, pl.Int128) // pl.lit(1_000_000, pl.Int128)).to_series()
            return scaled.cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    bound = 2**63 // factor - 1
    fits = (numbers >= -bound) & (numbers <= bound)
    numbers = numbers.set(~fits.fill_null(value=True), None)
    return (numbers * factor).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _in_range(instants: pl.Series) -> pl.Series:
    outside = (instants < _EARLIEST) | (instants > _LATEST)
    return instants.set(outside.fill_null(value=False), None) if outside.any() else instants


def _strptime(text: pl.Series, form: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    found = text.str.strptime(dtype, form, strict=False, cache=False)  # type: ignore[arg-type]  # a date or time type of Polars
    return _of_whole_years(text, found, form)


def _of_whole_years(text: pl.Series, found: pl.Series, form: str) -> pl.Series:
    """Without years of fewer than four digits: Polars reads ``+024``, ``24`` and a blank before either as year 24."""
    is_early = found < (_EARLY.date() if found.dtype == pl.Date else _EARLY if found.dtype == INSTANT else _EARLY_WALL)
    if not is_early.any() or not any(part in form for part in ("%Y", "%F", "%G")):
        return found
    rows = is_early.fill_null(value=False).arg_true()
    is_whole = text.gather(rows).str.contains(r"^\s*0\d{3}" if form.startswith(("%Y", "%F")) else r"0\d{3}")
    return found.scatter(rows.filter(~is_whole), None)


def _declared(text: pl.Series, rule: TimeRule, counts: ClockCounts) -> pl.Series:
    form = rule.format
    if "%z" in form or "%Z" in form or "%:z" in form or "%#z" in form:
        aware = text.str.to_datetime(form.replace("%z", "%#z"), strict=False, time_unit="us", cache=True)
        return _of_whole_years(text, aware.cast(INSTANT), form)
    if not any(part in form for part in ("%H", "%I", "%T", "%R", "%s", "%X")):
        return localize(_strptime(text, form, pl.Date).cast(_LOCAL), rule, counts)
    return localize(_strptime(text, form, _LOCAL), rule, counts)


def _auto(text: pl.Series, rule: TimeRule, counts: ClockCounts) -> pl.Series:
    """The commonest forms at full speed, the rest form by form."""
    if len(text) <= _FEW and (few := _few_instants(text)) is not None:
        return few
    sample = _text(text.drop_nulls().head(1)).drop_nulls()
    first = "" if sample.is_empty() else sample.item()
    if first.endswith(("Z", "+00:00")) and (table := byte_table(text)) is not None:
        times = utc_times(table) if table.shape[1] >= len("2026-11-21T10:00:00Z") else None
        if times is not None:
            return pl.Series(text.name, times).cast(_LOCAL).dt.replace_time_zone("UTC")
    base = "%Y-%m-%dT%H:%M:%S" if "T" in first else "%Y-%m-%d %H:%M:%S"
    if first.endswith("Z") and len(first) >= 20:
        found = _utc(text, base, len(first))
    elif len(first) == 19:
        walls = _walls(text, base, "")
        found = localize(_strptime(text, base, _LOCAL) if walls is None else walls, rule, counts)
    else:
        found = pl.Series(text.name, [None], dtype=INSTANT).new_from_index(0, len(text))
    # Blanks around a time are rare, and looking for them in every row is not free.
    return _fill(text, found, lambda rest: _first_form(_text(rest), rule, counts))


def _few_instants(text: pl.Series) -> pl.Series | None:
    """Few times that all say their offset, one by one, as columns cost more; None when one is written otherwise."""
    found: list[int | None] = []
    for one in text.to_list():
        if one is None:
            found.append(None)
            continue
        if not _PLAIN.fullmatch(one):
            return None
        try:
            found.append((datetime.fromisoformat(one) - _EPOCH) // _US)
        except ValueError:
            return None
    return pl.Series(text.name, found, dtype=pl.Int64).cast(_LOCAL).dt.replace_time_zone("UTC")


def _utc(text: pl.Series, base: str, length: int) -> pl.Series:
    """Times such as ``2026-11-21T10:00:00.123Z``; null for any other length or form.

    Seconds and fraction are read apart: that is several times faster than one pattern with a fraction.
    """
    digits = length - 21
    if digits < 0:
        walls = _walls(text, base, "Z")
        return (_strptime(text, base + "Z", _LOCAL) if walls is None else walls).dt.replace_time_zone("UTC")
    fits = (text.str.len_bytes() == length) & text.str.ends_with("Z")
    instants = _strptime(text.str.head(19), base, _LOCAL)
    if digits > 0:
        fits &= text.str.slice(19, 1) == "."
        part = text.str.slice(20, digits)
        fits &= ~part.str.starts_with("+") & ~part.str.starts_with("-")
        micros = (part.str.head(6).cast(pl.Int64, strict=False) * 10 ** max(0, 6 - digits)).cast(pl.Duration("us"))
        instants = instants + micros
    else:
        fits &= False
    return instants.set(~fits.fill_null(value=False), None).dt.replace_time_zone("UTC")


def _walls(text: pl.Series, base: str, end: str) -> pl.Series | None:
    """Times that all are written in a form to the second, and its end; None where one is not."""
    table = byte_table(text)
    if table is None or table.shape[1] != len("2026-11-21T10:00:00") + len(end):
        return None
    if end and not (table[:, -1] == ord(end)).all():
        return None
    walls = wall_times(table, "T" if "T" in base else " ")
    return None if walls is None else pl.Series(text.name, walls).cast(_LOCAL)


def _first_form(text: pl.Series, rule: TimeRule, counts: ClockCounts) -> pl.Series:
    offsets = text.str.extract(r"[\d.] ?(Z|z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})$", 1)
    # A day such as 2026-11-21 ends like an offset.
    offsets = offsets.set(~text.str.contains(r"\d:\d|\d{2}T\d{4}"), None)
    stem = text.str.head(text.str.len_chars().cast(pl.Int64) - offsets.str.len_chars().fill_null(0).cast(pl.Int64))
    local = _any_form(stem.str.strip_chars())
    zoned = local.dt.replace_time_zone("UTC") - _offset_spans(offsets)
    has_offset = offsets.is_not_null()
    plain = local.set(has_offset, None)
    return zoned.zip_with(has_offset, localize(plain, rule, counts))


def _any_form(stem: pl.Series) -> pl.Series:
    found = pl.Series(stem.name, [None] * len(stem), dtype=_LOCAL)
    stem = stem.str.replace(r"^(\d{4}-\d{2}-\d{2})t", "${1}T").str.replace(r"(\d),(\d+)$", "${1}.${2}")
    for form in _FORMS:
        dtype = _LOCAL if "%H" in form else pl.Date

        def read(rest: pl.Series, form: str = form, dtype: object = dtype) -> pl.Series:
            return _strptime(rest, form, dtype).cast(_LOCAL)  # type: ignore[arg-type]  # a date or time type of Polars

        found = _fill(stem, found, read)
    return found


def _offset_spans(offsets: pl.Series) -> pl.Series:
    digits = offsets.str.replace(r"^(?:Z|z|UTC)$", "+0000").str.replace(":", "", literal=True)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = digits.str.starts_with("-").cast(pl.Int64) * -2 + 1
    seconds = (hours * 3600 + minutes * 60) * sign
    seconds = seconds.set(((hours > 23) | (minutes > 59)).fill_null(value=False), None)
    return (seconds * 1_000_000).cast(pl.Duration("us"))


@dataclass(frozen=True, slots=True)
class _Transitions:
    """Clock changes of a zone in a range of years; all in microseconds."""

    at: np.ndarray
    offsets: np.ndarray
    """One more than `at`: the offset before each change, and the last one."""


def localize(local: pl.Series, rule: TimeRule, counts: ClockCounts) -> pl.Series:
    """Wall-clock times of a zone as instants.

    A time that comes twice is the first or the second of them, or null (`reject`); a time that no clock
    showed is the first instant after the gap, or null.
    """
    if local.null_count() == len(local):
        return local.cast(_LOCAL).dt.replace_time_zone("UTC")
    if rule.zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    years = local.dt.year().unique().drop_nulls()
    changes = _transitions(rule.zone, frozenset(years.to_list()))
    walls = local.to_physical().fill_null(0).to_numpy()
    instants, ambiguous, missing = _to_utc(walls, changes, rule)
    empty = local.is_null().to_numpy()
    counts.ambiguous += int((ambiguous & ~empty).sum())
    counts.missing += int((missing & ~empty).sum())
    rejected = empty.copy()
    if rule.ambiguous == "reject":
        rejected |= ambiguous
    if rule.missing == "reject":
        rejected |= missing
    found = pl.Series(local.name, instants).cast(_LOCAL).dt.replace_time_zone("UTC")
    return found.set(pl.Series(rejected), None) if rejected.any() else found


def _to_utc(walls: np.ndarray, changes: _Transitions, rule: TimeRule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    before, after = changes.offsets[:-1], changes.offsets[1:]
    if len(changes.at) == 0:
        nothing = np.zeros(len(walls), dtype=bool)
        return walls - changes.offsets[0], nothing, nothing
    # From `ends` on a wall time is surely behind the change; from `starts` on it may be.
    starts = changes.at + np.minimum(before, after)
    ends = changes.at + np.maximum(before, after)
    passed = np.searchsorted(ends, walls, side="right")
    following = np.minimum(passed, len(starts) - 1)
    doubtful = (passed < len(starts)) & (walls >= starts[following])
    ambiguous = doubtful & (after[following] < before[following])
    missing = doubtful & (after[following] > before[following])
    instants = walls - changes.offsets[passed]
    if rule.ambiguous == "second":
        instants = np.where(ambiguous, walls - after[following], instants)
    instants = np.where(missing, changes.at[following], instants)
    return instants, ambiguous, missing


@lru_cache(maxsize=64)
def _transitions(zone: str, years: frozenset[int]) -> _Transitions:
    info = ZoneInfo(zone)
    at: list[int] = []
    offsets: list[int] = []
    for start, end in _stretches(years):
        if not offsets:
            offsets.append(_offset(info, start))
        elif _offset(info, start) != offsets[-1]:
            # Between two stretches stands no value, so any instant will do for their difference.
            at.append((start - _EPOCH) // _US)
            offsets.append(_offset(info, start))
        for change in _changes(info, start, end):
            at.append((change - _EPOCH) // _US)
            offsets.append(_offset(info, change))
    return _Transitions(np.array(at, dtype=np.int64), np.array(offsets, dtype=np.int64))


def _stretches(years: frozenset[int]) -> list[tuple[datetime, datetime]]:
    """Stretches of time around the years that occur: 9999 as "never" must not cost eight thousand years."""
    around = sorted({near for year in years for near in (year - 1, year, year + 1) if 1 < near < 9998} or {1970})
    firsts = [year for year in around if year - 1 not in around]
    lasts = [year for year in around if year + 1 not in around]
    return [
        (datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC))
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _changes(info: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        upper = min(start + timedelta(days=1), end)
        if _offset(info, upper) == _offset(info, start):
            start = upper
        else:
            start = _bisect(info, start, upper)
            yield start


def _offset(info: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(info).utcoffset()
    return 0 if offset is None else offset // _US


def _bisect(info: ZoneInfo, lower: datetime, upper: datetime) -> datetime:
    """The first whole second in (lower, upper] with another offset than `lower`."""
    offset = _offset(info, lower)
    while upper - lower > timedelta(seconds=1):
        middle = (lower + (upper - lower) / 2).replace(microsecond=0)
        if _offset(info, middle) == offset:
            lower = middle
        else:
            upper = middle
    return upper
