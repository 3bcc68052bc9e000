"""Three-valued tests of a profile row or an event row."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal as OneOf

from segctl.compile.ir.expressions import Expression, Physical
from segctl.model.dataclass import dataclass
from segctl.model.times import Window
from segctl.model.types import ValueType

if TYPE_CHECKING:
    from segctl.compile.ir.metrics import Sequence
    from segctl.compile.places.postal import PostalCodes


@dataclass(frozen=True, slots=True)
class Constant:
    """True, false, or unknown (None)."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class And:
    """Kleene conjunction; of nothing it is true."""

    items: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Kleene disjunction; of nothing it is false."""

    items: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True if `n` items are true, false if true plus unknown are fewer than `n`, else unknown."""

    items: tuple[Predicate, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene negation."""

    item: Predicate


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two values of one type; unknown when either is null."""

    op: OneOf["eq", "ne", "lt", "le", "gt", "ge"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class In:
    """The value is one of the literals; of none it is false for a present value; unknown when null."""

    value: Expression
    options: tuple[Physical, ...]


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test on text; `pattern` is a literal or another text value; `matches` takes a portable regex, unanchored."""

    op: OneOf["eq", "contains", "starts_with", "ends_with", "matches"]
    value: Expression
    pattern: Expression
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class FoldedIn:
    """The value, case folded, is one of these folded texts."""

    value: Expression
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """The value is not null; never unknown. An empty list exists."""

    value: Expression


@dataclass(frozen=True, slots=True)
class InWindow:
    """A time or date value lies in a window; a date stands for its first local instant.

    A window bound may be `TraitTime`: another trait of the same profile, found in `bounds` by name.
    """

    value: Expression
    window: Window
    bounds: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayTest:
    """`any`, `all` or `none` of the options stand in the list; null list is unknown."""

    op: OneOf["any", "all", "none"]
    value: Expression
    options: tuple[Physical, ...]


@dataclass(frozen=True, slots=True)
class AnyElement:
    """Some element of the list fulfils the predicate (true wins, unknown elements count as no match)."""

    value: Expression
    item: Predicate


@dataclass(frozen=True, slots=True)
class IfMissing:
    """Unknown becomes `then`; None means: unknown for any profile fails the segment."""

    item: Predicate
    then: bool | None


@dataclass(frozen=True, slots=True)
class IsMember:
    """Member of another segment of the plan; never unknown."""

    segment: str


@dataclass(frozen=True, slots=True)
class InSample:
    """First 63 bits of SHA-256(salt, 0x1F, profile_id) are below `threshold` (0 … 2**63)."""

    salt: str
    threshold: int


@dataclass(frozen=True, slots=True)
class InList:
    """An identifier of the profile stands in a list file."""

    name: str
    column: str | None
    identifier: str


@dataclass(frozen=True, slots=True)
class Near:
    """The profile's place lies within a radius of one of some places; unknown where that place is not known.

    Attributes:
        place: Postal code and perhaps country, where there are `codes`; else latitude and longitude in degrees.
        codes: Where postal codes lie, None for points.
        default_country: Of postal codes that tell none themselves, two letters.
        targets: Names and points in millionths of a degree.
        radius_mm: In millimetres; a distance in whole metres up to it is near.
    """

    place: tuple[Expression, ...]
    codes: PostalCodes | None
    default_country: str | None
    targets: tuple[tuple[str, int, int], ...]
    radius_mm: int


@dataclass(frozen=True, slots=True)
class HasSequence:
    """The sequence has a match; never unknown."""

    sequence: Sequence


@dataclass(frozen=True, slots=True)
class HasCommonValue:
    """For one and the same value of `same`, the item holds over metrics restricted to events with that value.

    Values are those seen in events that any metric inside selects; an event with a missing value counts for none.
    True if the item is true for one value, else unknown if unknown for one, else false.
    """

    same: tuple[tuple[str, ValueType], ...]
    item: Predicate


Predicate = (
    Constant | And | Or | AtLeast | Not | Compare | In | TextTest | FoldedIn | Exists | InWindow | ArrayTest
    | AnyElement | IfMissing | IsMember | InSample | InList | Near | HasSequence | HasCommonValue
)  # fmt: skip
