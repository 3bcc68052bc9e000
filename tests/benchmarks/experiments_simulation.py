"""Are the figures of reports on experiments right? False positives, coverage, looks, splits, bandits, as a table.

    nice -n 15 python tests/benchmarks/experiments_simulation.py [--scale 1] [--part means] [--seed 11]

Rates are exact (all outcomes added up); the rest is drawn from seeds, with Monte Carlo errors. `!` marks figures that
miss their target by more than three of those, and rates by more than half a point.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from simulated_bandit import bandit
from simulated_looks import peeking_at_rates, peeking_at_revenue, planned_looks, watched_splits
from simulated_means import SHAPES, leaky, means, stratified
from simulated_rates import DESIGN, HOLDOUTS, one_arm, rates
from simulated_row import Row

LUMPS = 0.005
"""Counts are whole numbers, so that coverage of rates moves around its level even where it is exact."""


def parts(scale: float, seed: int) -> dict[str, list[Iterator[Row]]]:
    """What is simulated, by name; nothing runs before it is asked for."""

    def rounds(number: int) -> int:
        return max(50, round(number * scale))

    return {
        "rates": [
            rates(DESIGN, beliefs=False),
            rates(HOLDOUTS),
            rates(DESIGN[:2], beliefs=True),
            one_arm(DESIGN + HOLDOUTS),
        ],
        "means": [means(SHAPES, rounds=rounds(10_000), seed=seed)],
        "others": [stratified(rounds=rounds(10_000), seed=seed), leaky(rounds=rounds(10_000), seed=seed)],
        "looks": [
            peeking_at_rates(rounds=rounds(20_000), seed=seed),
            peeking_at_revenue(rounds=rounds(2_000), seed=seed),
            planned_looks(rounds=rounds(50_000), seed=seed),
        ],
        "splits": [watched_splits(rounds=rounds(40_000), seed=seed)],
        "bandit": [bandit(rounds=rounds(150), seed=seed)],
    }


def is_off(row: Row) -> bool:
    """Whether a figure misses its target."""
    return row.misses > (LUMPS if row.error == 0 else 0.0)


def line(row: Row) -> str:
    """A figure as it is printed."""
    error = f"± {row.error:.4f}" if row.error else "exact   "
    target = "" if row.target is None else f"{'≤' if row.at_most else '='} {row.target:g}"
    return f"{'!' if is_off(row) else ' '} {row.shape:<46} {row.figure:<58} {row.value:8.4f} {error:<9} {target}"


def main() -> None:
    """Print the table; CPU seconds after each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rounds")
    parser.add_argument("--part", help="one part alone")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    for name, rows in parts(options.scale, options.seed).items():
        if options.part in (None, name):
            begin = time.process_time()
            print(f"\n{name}")  # noqa: T201 - the table
            for source in rows:
                for row in source:
                    print(line(row), flush=True)  # noqa: T201 - the table
            print(f"  {time.process_time() - begin:.0f} s CPU")  # noqa: T201 - the table


if __name__ == "__main__":
    main()
