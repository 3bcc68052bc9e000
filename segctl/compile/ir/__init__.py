"""The intermediate representation: a small closed set of frozen, hashable nodes between definitions and engines.

In here no name is unresolved, no missing-value rule is open and every literal has its column's physical
form: scaled integers for number and money, microseconds never (times stay symbolic windows or literals of
type time). Windows stay symbolic; `compile/windows.py` resolves them when `as_of` is known, so one plan
serves many instants. Predicates are three-valued: null is unknown, and engines decide once, at the root.

Two scopes share the expression nodes: a *profile* row (stored traits, metrics) and an *event* row (its
properties and time, and the stored traits of the profile it belongs to).
"""

from segctl.compile.ir.expressions import (
    Arithmetic,
    Colleagues,
    DaysSince,
    Element,
    EventProperty,
    EventTime,
    EventTimePart,
    Expression,
    Literal,
    MetricValue,
    OfProfile,
    Physical,
    Real,
    Size,
    StoredTrait,
    StructField,
    YearsSince,
)
from segctl.compile.ir.metrics import Followed, Measure, Metric, Sequence, Step
from segctl.compile.ir.predicates import (
    And,
    AnyElement,
    ArrayTest,
    AtLeast,
    Compare,
    Constant,
    Exists,
    FoldedIn,
    HasCommonValue,
    HasSequence,
    IfMissing,
    In,
    InList,
    InSample,
    InWindow,
    IsMember,
    Near,
    Not,
    Or,
    Predicate,
    TextTest,
)
from segctl.compile.ir.segments import Keep, Leaf, LoweredSegment

__all__ = [
    "And",
    "AnyElement",
    "Arithmetic",
    "ArrayTest",
    "AtLeast",
    "Colleagues",
    "Compare",
    "Constant",
    "DaysSince",
    "Element",
    "EventProperty",
    "EventTime",
    "EventTimePart",
    "Exists",
    "Expression",
    "FoldedIn",
    "Followed",
    "HasCommonValue",
    "HasSequence",
    "IfMissing",
    "In",
    "InList",
    "InSample",
    "InWindow",
    "IsMember",
    "Keep",
    "Leaf",
    "Literal",
    "LoweredSegment",
    "Measure",
    "Metric",
    "MetricValue",
    "Near",
    "Not",
    "OfProfile",
    "Or",
    "Physical",
    "Predicate",
    "Real",
    "Sequence",
    "Size",
    "Step",
    "StoredTrait",
    "StructField",
    "TextTest",
    "YearsSince",
]
