"""A source declaration, bound: where rows come from and what their columns mean."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from segctl.model.conditions import PropertyTest
from segctl.model.contracts import Check, ContractDeclaration
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.types import ValueType

if TYPE_CHECKING:
    from segctl.model.fetching import Fetch
    from segctl.model.tracking import Tracking

Format = Literal["csv", "json", "ndjson", "parquet", "xlsx"]
Picture = Literal["log", "full"]
Ambiguous = Literal["first", "second", "reject"]
MissingTime = Literal["shift_forward", "reject"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name; a name that is not there is read as a dotted path into nested records."""

    name: str


@dataclass(frozen=True, slots=True)
class Literally:
    """A constant in a formula: a text or an exact number."""

    value: str | Decimal


@dataclass(frozen=True, slots=True)
class Call:
    """``+ - * /`` (two operands), ``neg`` (one), ``coalesce`` and ``concat`` (any number)."""

    function: str
    operands: tuple[Expression, ...]


Expression = Column | Literally | Call


def columns_of(expression: Expression) -> tuple[str, ...]:
    """Names of the columns an expression reads, in order of appearance, each once."""
    if isinstance(expression, Column):
        return (expression.name,)
    if isinstance(expression, Literally):
        return ()
    return tuple(dict.fromkeys(name for operand in expression.operands for name in columns_of(operand)))


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How numbers are written in text.

    Attributes:
        decimal: The decimal sign.
        thousands: The sign between groups of digits, None when there is none.
    """

    decimal: str = "."
    thousands: str | None = None


PLAIN_NUMBERS = NumberForm()
"""A decimal point and no groups."""


@dataclass(frozen=True, slots=True)
class TimeRule:
    """How a text or number becomes an instant (or a day).

    Attributes:
        format: `auto` (ISO and German day forms), `epoch_s`, `epoch_ms`, `epoch_us`, or a strptime pattern.
        zone: IANA zone of local times without an offset.
        ambiguous: Which of the two instants a local time names that comes twice.
        missing: What a local time means that no clock showed: the first instant after the gap, or a bad row.
    """

    format: str = "auto"
    zone: str = "UTC"
    ambiguous: Ambiguous = "first"
    missing: MissingTime = "shift_forward"


@dataclass(frozen=True, slots=True)
class Target:
    """One trait or property and where its values come from.

    Attributes:
        name: Declared trait or property.
        type: Its declared type.
        value: Column or formula.
        time: For dates and times.
        numbers: For numbers in text; None is the file's own form.
        separator: For lists in text; None reads JSON text.
        rounds: More digits than the scale holds are rounded half-even instead of being bad.
        kinds: Event kinds that declare it with this type; empty for traits.
    """

    name: str
    type: ValueType
    value: Expression
    time: TimeRule = TimeRule()
    numbers: NumberForm | None = None
    separator: str | None = None
    rounds: bool = False
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instants:
    """A column of instants with its reading rule: an event's time or a record's time."""

    value: Expression
    rule: TimeRule = TimeRule()


@dataclass(frozen=True, slots=True)
class EventRule:
    """How rows become events.

    Attributes:
        event: The kind of every row, or None when a column says it.
        kind_column: Column that holds the kind.
        kind_map: Value of that column → declared kind; empty takes the values as they are.
        keeps_others: A value without a kind is a bad row when True; the row is skipped when False.
        time: The event's time.
        identity: Expressions that make the event id together; empty identifies by content.
        id_space: Text put behind the id, so that several rules over one row keep apart.
        properties: Targets, each for the kinds that declare it.
        each: Path of a list of records that become one child event each.
    """

    time: Instants
    event: str | None = None
    kind_column: Expression | None = None
    kind_map: tuple[tuple[str, str], ...] = ()
    keeps_others: bool = False
    identity: tuple[Expression, ...] = ()
    id_space: str = ""
    properties: tuple[Target, ...] = ()
    each: str | None = None
    location: Location | None = field(default=None, compare=False, repr=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Declared kinds this rule can yield, sorted."""
        if self.event is not None:
            return (self.event,)
        return tuple(sorted({kind for _, kind in self.kind_map}))


@dataclass(frozen=True, slots=True)
class RowsRule:
    """How rows become rows of a related table.

    Attributes:
        table: The declared table.
        identity: Expressions that make the row's key together.
        properties: Targets.
    """

    table: str
    identity: tuple[Expression, ...] = ()
    properties: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """What rows say of somebody's consent, besides what they are declared for.

    Attributes:
        columns: Column of the consent ledger's files → where its text stands; of tracking records a path into them.
        fixed: Column of the consent ledger's files → text of every row.
        words: Text of the status → the word that the ledger knows; empty takes it as it is.
        categories: Of tracking records: category of the consent platform → purpose.
    """

    columns: tuple[tuple[str, Expression], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    categories: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """The bad rows a source may have: a count, or a share in 0-1 of the rows read."""

    count: int | None = None
    share: Decimal | None = None

    def is_exceeded(self, bad: int, rows: int) -> bool:
        """True when so many bad ones of so many rows are too many."""
        if self.count is not None:
            return bad > self.count
        return bad > (self.share or Decimal(0)) * rows

    def __str__(self) -> str:
        if self.count is not None:
            return f"{self.count} rows"
        return f"{(self.share or Decimal(0)) * 100:f}".rstrip("0").rstrip(".") + " %"


DEFAULT_LIMIT = Limit(share=Decimal("0.01"))
"""Of sources that declare none."""
NO_LIMIT = Limit(share=Decimal(1))
"""However many are bad, the good ones are taken."""


@dataclass(frozen=True, slots=True)
class CsvForm:
    """Declared form of a CSV file; None is detected."""

    delimiter: str | None = None
    quote: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip_rows: int = 0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One file of `sources/`, bound.

    Attributes:
        paths: Files, folders and patterns, relative to the project; ``-`` is standard input. None for a fetched one.
        format: None is detected.
        csv: Form of CSV text.
        records: Path to the records inside a JSON document.
        sheet: Sheet of a workbook.
        picture: `log`: rows add. `full`: the files at `paths` together are everybody; who is absent is gone.
        key: Identifier type and its column, in the project's order of identifiers.
        keeps_on_empty: An empty cell keeps the earlier value of a trait.
        missing_values: Texts that stand for an empty cell, such as ``n/a``.
        max_bad_rows: Above it nothing of the source is taken.
        only: Filter on raw columns, all of which must hold.
        corrections_replace: A known event id with other content replaces the event.
        record_time: When a profile record holds from; None is its arrival.
        traits: Targets of profile records; empty for others.
        events: Rules; empty for others.
        rows: How rows of a related table are read; None for others.
        fetch: Where records are fetched from when they stand in no file; they are read as NDJSON then.
        tracking: How tracking records become rows; the rest of the declaration speaks of those rows then.
        contract: What every row keeps, judged before its values are typed.
        checks: What all rows together keep.
        consents: What its rows say about consent, for the ledger.
        also: Further sources of the same declaration, such as the people in a log of tracking events.
        digest: SHA-256 of the declaration's meaning: a changed declaration reads its files again.
    """

    name: str
    paths: tuple[str, ...]
    format: Format | None = None
    csv: CsvForm = CsvForm()
    records: str | None = None
    sheet: str | None = None
    picture: Picture = "log"
    key: tuple[tuple[str, Expression], ...] = ()
    keeps_on_empty: bool = False
    missing_values: tuple[str, ...] = ()
    max_bad_rows: Limit = DEFAULT_LIMIT
    only: tuple[PropertyTest, ...] = ()
    corrections_replace: bool = False
    record_time: Instants | None = None
    traits: tuple[Target, ...] = ()
    events: tuple[EventRule, ...] = ()
    # Not part of `digest`: where rows come from does not change what their columns mean.
    fetch: Fetch | None = field(default=None, repr=False)
    tracking: Tracking | None = field(default=None, repr=False)
    rows: RowsRule | None = field(default=None, repr=False)
    contract: ContractDeclaration | None = field(default=None, repr=False)
    checks: tuple[Check, ...] = field(default=(), repr=False)
    consents: tuple[ConsentRule, ...] = field(default=(), repr=False)
    also: tuple[Source, ...] = field(default=(), repr=False)
    file: str = field(default="", compare=False, repr=False)
    location: Location | None = field(default=None, compare=False, repr=False)
    digest: str = field(default="", compare=False, repr=False)

    @property
    def parts(self) -> tuple[Source, ...]:
        """All sources of the declaration, this one first."""
        return (self, *self.also)

    @property
    def holds_profiles(self) -> bool:
        """True when its rows are records with versions: of profiles, or rows of a related table."""
        return not self.events

    @property
    def gives(self) -> str:
        """``profiles``, ``events`` or ``related``."""
        return "related" if self.rows is not None else "events" if self.events else "profiles"


def needed_columns(source: Source) -> tuple[str, ...]:
    """Columns that a file must have; what child events read may stand in the records inside."""
    expressions = [expression for _, expression in source.key]
    expressions += [target.value for target in source.traits]
    if source.rows is not None:
        expressions += [*source.rows.identity, *(target.value for target in source.rows.properties)]
    if source.record_time is not None:
        expressions.append(source.record_time.value)
    if source.tracking is None:
        expressions += [value for consent in source.consents for _, value in consent.columns]
    for rule in source.events:
        if rule.kind_column is not None:
            expressions.append(rule.kind_column)
        if rule.each is not None:
            expressions.append(Column(rule.each))
            continue
        expressions += [rule.time.value, *rule.identity, *(target.value for target in rule.properties)]
    names = [name for expression in expressions for name in columns_of(expression)]
    return tuple(dict.fromkeys([*names, *(test.property for test in source.only)]))
