"""Quality and time of identity resolution by likeness, beside Splink 5 with the same fields and levels.

    python tests/benchmarks/identity.py                all sets, segctl alone
    python tests/benchmarks/identity.py --splink       and Splink (pip install splink), with its best threshold
    python tests/benchmarks/identity.py fake_1000      one set

Precision, recall and F1 are over pairs of the final clusters. The matcher gets the columns and their roles, never
the truth; one setting for all sets. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from segctl.identity.fields import prepared
from segctl.identity.fuzzy import FuzzyResult, match

SHARED = Path(os.environ.get("SEGCTL_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "datasets"


@dataclass(frozen=True)
class Benchmark:
    """A labelled set.

    Attributes:
        path: Below the shared folder of data sets.
        record: Column of the record id.
        truth: Column with the person; taken away before matching.
        roles: Column → role.
        bar: Least F1.
        anchors: What others reach (F1), as measured before segctl was written.
        seconds: Longest CPU time, None without a bar; on an idle machine the wall clock shows less.
        beats_splink: Whether Splink's best threshold is a bar too. Not for febrl: Splink merges people with one
            address and surname but other given names and days of birth, which here are a household by rule.
    """

    path: str
    record: str
    truth: str
    roles: dict[str, str]
    bar: float
    anchors: str
    seconds: float | None = None
    beats_splink: bool = True


SETS = {
    "fake_1000": Benchmark(
        "dedupe/fake_1000.csv", "record_id", "cluster",
        {"first_name": "given_name", "surname": "surname", "dob": "birth_date", "city": "city", "email": "email"},
        0.93, "Splink best 0.916, dedupe with 60 labels 0.934, recordlinkage 0.703, goldenmatch 0.194",
    ),
    "historical_50k": Benchmark(
        "people_dedupe/historical_figures_with_errors_50k.parquet", "unique_id", "cluster",
        {"first_name": "given_name", "surname": "surname", "full_name": "full_name", "dob": "birth_date",
         "birth_place": "city", "postcode_fake": "postcode", "gender": "gender", "occupation": "text"},
        0.88, "Splink best 0.872, goldenmatch 0.842, recordlinkage 0.022", 8.0,
    ),
    "RLdata500": Benchmark(
        "people_dedupe/RLdata500.csv", "rec_id", "identity",
        {"fname_c1": "given_name", "fname_c2": "given_name", "lname_c1": "surname", "lname_c2": "surname",
         "by": "birth_year", "bm": "birth_month", "bd": "birth_day"},
        0.98, "the bar is Splink's best threshold, see --splink",
    ),
    "febrl3": Benchmark(
        "dedupe/febrl3.csv", "record_id", "cluster",
        {"given_name": "given_name", "surname": "surname", "date_of_birth": "birth_date", "postcode": "postcode",
         "suburb": "city", "address_1": "street", "street_number": "house_number", "address_2": "text",
         "state": "text"},
        0.995, "without soc_sec_id: Splink best 0.998, goldenmatch 0.997, recordlinkage 0.995",
        beats_splink=False,
    ),
}  # fmt: skip


def say(text: str) -> None:
    """One line of the report."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def read(benchmark: Benchmark) -> pl.DataFrame:
    """The set with columns `record` and `person`; in a shuffled order, since the order must not matter."""
    path = SHARED / benchmark.path
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    frame = frame.rename({benchmark.record: "record", benchmark.truth: "person"})
    return frame.sample(fraction=1, shuffle=True, seed=7)


def quality(person: pl.Series, cluster: pl.Series) -> tuple[float, float, float]:
    """Pairwise precision, recall and F1."""
    table = pl.DataFrame({"person": person, "cluster": cluster})

    def pairs(*columns: str) -> int:
        sizes: Iterable[int] = table.group_by(columns).len()["len"]
        return sum(size * (size - 1) // 2 for size in sizes)

    both, found, true = pairs("person", "cluster"), pairs("cluster"), pairs("person")
    precision, recall = both / max(found, 1), both / max(true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def ours(frame: pl.DataFrame, benchmark: Benchmark) -> tuple[FuzzyResult, float, float]:
    """The result without sight of the truth, with wall and CPU seconds."""
    unlabelled = frame.drop("person")
    wall, cpu = time.perf_counter(), time.process_time()
    result = match(unlabelled, benchmark.roles)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def line(who: str, scores: tuple[float, float, float], wall: float, more: str = "") -> str:
    """One row of the table."""
    precision, recall, f1 = scores
    return f"  {who:<30} P {precision:.4f}  R {recall:.4f}  F1 {f1:.4f}  {wall:6.2f} s  {more}"


def run(name: str, benchmark: Benchmark, *, with_splink: bool) -> bool:
    """Print a set's figures; whether its bars hold."""
    frame = read(benchmark)
    result, wall, cpu = ours(frame, benchmark)
    joined = frame.select("record", "person").join(result.clusters, on="record")
    scores = quality(joined["person"], joined["cluster"])
    outcomes = f"CPU {cpu:.2f} s, review {len(result.review):,}, related {len(result.related):,}"
    say(f"{name}: {len(frame):,} records; bar F1 {benchmark.bar}; others: {benchmark.anchors}")
    say(line("segctl", scores, wall, outcomes))
    bar = benchmark.bar
    if with_splink:
        best = splink(frame, benchmark, result.model.fields)
        bar = max(bar, best) if benchmark.beats_splink else bar
    too_slow = benchmark.seconds is not None and cpu > benchmark.seconds
    good = scores[2] >= bar and not too_slow
    say(f"  {'ok' if good else 'MISSED'}: F1 {scores[2]:.4f} against {bar:.4f}" + (", too slow" if too_slow else ""))
    return good


def splink(frame: pl.DataFrame, benchmark: Benchmark, fields: tuple[str, ...]) -> float:
    """Print Splink's figures; its best F1."""
    from identity_splink import clusters_by_threshold

    records = prepared(frame.drop("person"), benchmark.roles)
    person = frame.sort("record")["person"]
    by_threshold, wall = clusters_by_threshold(records, fields)
    scores = {threshold: quality(person, cluster) for threshold, cluster in by_threshold.items()}
    best = max(scores, key=lambda threshold: scores[threshold][2])
    say(line("Splink 5, p >= 0.95", scores[0.95], wall))
    say(line(f"Splink 5, best (p >= {best})", scores[best], wall, "chosen with the truth"))
    return scores[best][2]


def main() -> int:
    """All sets or those named; 1 when a bar is missed."""
    chosen = [name for name in sys.argv[1:] if name in SETS] or list(SETS)
    held = [run(name, SETS[name], with_splink="--splink" in sys.argv) for name in chosen]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
