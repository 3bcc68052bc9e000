"""How reference values of experiments are read and compared; adapters of each kind stand in `test_golden_*.py`.

Every quantity of a case is compared, or named as not offered with a reason: leaving one out cannot hide a gap.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SEGCTL_SHARED", ROOT.parent / "shared"))
FOLDER = SHARED / "golden" / "experiments"

RATES = ("proportions", "proportions_table", "multi_arm_proportions")
FREQUENTIST = (*RATES, "means", "ratio", "cuped", "multiplicity", "roi", "simpson", "noncompliance")
"""Kinds whose adapters are in `test_golden_frequentist.py`."""
SEQUENTIAL = (
    "srm", "srm_always_valid", "always_valid", "group_sequential", "power_proportions", "power_means",
    "bayes_binomial", "bayes_normal", "thompson",
)  # fmt: skip
"""Kinds whose adapters are in `test_golden_sequential.py`."""
HASHES = ("assignment",)
"""Kinds whose vectors are read case by case in `test_assignment.py`."""
EVERYWHERE = {"published.*": "repeats another quantity for a check against a rounded source"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What segctl says to a case.

    Attributes:
        got: Quantities by their names in `expected`; more than the case asks for is fine.
        flags: Warnings raised.
        not_offered: Patterns of names that are left out, each with the reason.
    """

    got: dict[str, object]
    flags: frozenset[str] = frozenset()
    not_offered: Mapping[str, str] = field(default_factory=dict)


Adapter = Callable[[dict[str, Any]], Answer]


def case_ids(kinds: Iterable[str]) -> list[str]:
    """Names of the cases of these kinds, without `.json`; none where the shared folder is missing."""
    wanted = set(kinds)
    return [path.stem for path in sorted(FOLDER.glob("*.json")) if case(path.stem)["kind"] in wanted]


@cache
def case(name: str) -> dict[str, Any]:
    """One case as it stands in its file."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


@cache
def dataset(path: str, digest: str) -> Any:
    """A data set that a case points to, as a frame, after a look at its digest."""
    import polars as pl

    file = SHARED / path
    assert sha256(file.read_bytes()).hexdigest() == digest, path
    return pl.read_csv(file, infer_schema_length=None)


def left_out(name: str, answer: Answer) -> bool:
    """Whether a quantity is named as not offered."""
    return any(fnmatch(name, pattern) for pattern in {**EVERYWHERE, **answer.not_offered})


def differs(want: dict[str, Any], have: object) -> bool:
    """Whether a quantity misses its reference value."""
    value = want["value"]
    if value is None or want.get("exact") or isinstance(value, str):
        return have != value
    if not isinstance(have, int | float) or have != have:
        return True
    return abs(have - value) > want["atol"] + want["rtol"] * abs(value)


def problems(case: dict[str, Any], answer: Answer) -> list[str]:
    """Everything in which an answer misses its case: numbers, gaps, flags."""
    found = []
    for name, want in case["expected"].items():
        if name not in answer.got:
            if not left_out(name, answer):
                found.append(f"{name} was not computed")
        elif differs(want, answer.got[name]):
            found.append(f"{name}: {answer.got[name]!r} instead of {want['value']!r}")
    found += [f"flag {flag} is missing" for flag in case.get("expect_flags", ()) if flag not in answer.flags]
    found += [f"flag {flag} must not be raised" for flag in case.get("forbid_flags", ()) if flag in answer.flags]
    return found


def compared(case: dict[str, Any], answer: Answer) -> int:
    """How many reference values the answer was really held against."""
    return sum(name in answer.got for name in case["expected"])
