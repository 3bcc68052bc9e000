"""People in the loop: doubtful pairs side by side, out to a file or one by one."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import LocalIOError
from segctl.operations.dedupe.fuzzy import KEY

if TYPE_CHECKING:
    import polars as pl

    from segctl.identity.explain import PairEvidence
    from segctl.model.project import Project
    from segctl.state.workspace import Workspace

FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]+\Z)")
"""What a spreadsheet would reckon with."""
_FIXED = ("left", "right", "verdict", "key", "value", "reason")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two profiles that may be one person.

    Attributes:
        left: Subject of one; `right` that of the other.
        left_id: Profile id of it; `right_id` of the other.
        key: What they share, or ``fuzzy``.
        value: The value they share, or the probability.
        reason: Why they were not joined.
        traits: Trait → its value on the left and on the right.
        alike: What each field adds to the weight, where likeness has a part in it; None otherwise.
    """

    left: int
    right: int
    left_id: str
    right_id: str
    key: str
    value: str | None
    reason: str
    traits: dict[str, tuple[Any, Any]]
    alike: PairEvidence | None = None


def doubts(project: Project, workspace: Workspace, *, now: datetime, limit: int | None = None) -> list[Doubt]:
    """Held links between two profiles that nobody has decided yet, each pair of profiles once, likeliest first.

    Args:
        project: With its traits.
        workspace: Open.
        now: Records that hold only later do not count.
        limit: At most so many.
    """
    import polars as pl

    from segctl.operations.people import with_profile_ids
    from segctl.state.identity import HELD, canonical, decisions, stored

    held, owners = stored(workspace, HELD), canonical(workspace)
    if held is None or owners is None or not held.height:
        return []
    ends = {end: owners.gather(held[end]) for end in ("left", "right")}
    pairs = held.with_columns(a=pl.min_horizontal(*ends.values()), b=pl.max_horizontal(*ends.values()))
    said = {(owners[d.subject_a], owners[d.subject_b]) for d in decisions(workspace)}
    said |= {(b, a) for a, b in said}
    pairs = pairs.filter((pl.col("a") != pl.col("b")) & (pl.col("reason") != "decided apart"))
    pairs = pairs.sort("key", "value", "a", "b", descending=[False, True, False, False], nulls_last=True)
    rows = [row for row in pairs.unique(["a", "b"], keep="first", maintain_order=True).iter_rows(named=True)
            if (row["a"], row["b"]) not in said][:limit]  # fmt: skip
    if not rows:
        return []
    wanted = sorted({row[end] for row in rows for end in ("a", "b")})
    ids = with_profile_ids(workspace, pl.DataFrame({"subject": pl.Series(wanted, dtype=pl.Int32)}))
    names = dict(ids.select("subject", "profile_id").iter_rows())
    golden = golden_values(project, workspace, owners, wanted, now=now)
    alike = _alike(project, workspace, [(r["left"], r["right"]) for r in rows if r["key"] == KEY], now)
    return [
        Doubt(
            row["a"], row["b"], names[row["a"]], names[row["b"]], row["key"], row["value"], row["reason"],
            {
                trait.name: (golden[row["a"]].get(trait.name), golden[row["b"]].get(trait.name))
                for trait in project.traits
                if trait.name in golden[row["a"]] or trait.name in golden[row["b"]]
            },
            alike.get((row["left"], row["right"])),
        )
        for row in rows
    ]  # fmt: skip


def _alike(
    project: Project, workspace: Workspace, pairs: list[tuple[int, int]], now: datetime
) -> dict[tuple[int, int], PairEvidence]:
    """The sums of pairs that likeness found; those of records that are gone by now are missing."""
    from segctl.operations.likeness import likeness_of

    if not pairs:
        return {}
    alike = likeness_of(project, workspace, now=now)
    there = set(alike.frame["subject"].to_list())
    known = [pair for pair in pairs if there.issuperset(pair)]
    return dict(zip(known, alike.explained(known), strict=True))


def golden_values(
    project: Project, workspace: Workspace, owners: pl.Series, wanted: Sequence[int], *, now: datetime
) -> dict[int, dict[str, Any]]:
    """The traits of some profiles: what survives of their records."""
    import polars as pl

    from segctl.engines.profiles import live_records
    from segctl.identity.golden import golden_record
    from segctl.operations.evaluation import record_files

    types = {trait.name: trait.type for trait in project.traits}
    records = live_records(record_files(workspace, workspace.snapshot()), as_of=now, traits=types)
    records = records.with_columns(owners.gather(records["subject"]).alias("owner"))
    records = records.filter(pl.col("owner").is_in(list(wanted))).sort("valid", "arrival", "source")
    records = records.rename({f"trait:{name}": name for name in types})
    found: dict[int, list[dict[str, Any]]] = {owner: [] for owner in wanted}
    for row in records.iter_rows(named=True):
        found[row["owner"]].append(row)
    rules = dict(project.identity.survivorship)
    return {
        owner: {name: survivor.value for name, survivor in golden_record(rows, list(types), rules).items()}
        for owner, rows in found.items()
    }


def write_doubts(found: Iterable[Doubt], path: Path) -> None:
    """Write doubtful pairs side by side, as CSV or (by the file's name) JSON; `verdict` waits for a person.

    Raises:
        LocalIOError: The file cannot be written.
    """
    try:
        # Personal data lies in it: nobody else on the machine need look inside.
        path.touch(mode=0o600)
        path.write_bytes(as_file(found, path))
    except OSError as error:
        raise LocalIOError("SEG607", f"cannot use `{path}`", why=error.strerror or str(error)) from error


def as_file(found: Iterable[Doubt], path: Path) -> bytes:
    """The content of such a file."""
    rows = []
    for doubt in found:
        row: dict[str, Any] = {
            "left": doubt.left_id, "right": doubt.right_id, "verdict": "", "key": doubt.key, "value": doubt.value,
            "reason": doubt.reason,
        }  # fmt: skip
        for trait, (left, right) in doubt.traits.items():
            row |= {f"left_{trait}": _plain(left), f"right_{trait}": _plain(right)}
        rows.append(row)
    if path.suffix.lower() == ".json":
        return (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode()
    names = dict.fromkeys((*_FIXED, *(name for row in rows for name in row)))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(names), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _guarded(cell) for name, cell in row.items()} for row in rows)
    # Excel reads UTF-8 only behind a mark.
    return text.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> Any:  # noqa: ANN401 - any trait's value
    return value if value is None or isinstance(value, int | float | str | bool) else str(value)


def _guarded(cell: Any) -> Any:  # noqa: ANN401 - any cell
    """What a spreadsheet takes for no formula."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell
