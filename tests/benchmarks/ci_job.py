# ruff: noqa: T201 - a benchmark prints what it measures
"""What a pipeline does for a change of 300 definitions over the data of a real shop: lint, test, plan.

Run it as ``python tests/benchmarks/ci_job.py SHARED`` with the folder that holds `datasets`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.testing import timed
from end_to_end.definitions_300 import AS_OF, git, repository

STEPS = (
    ("lint", "-f", "github", "--fail-on", "warning", "-o", "lint.txt"),
    ("test", "-f", "github", "-o", "test.txt"),
    ("plan", "--against", "main", "--as-of", AS_OF, "-f", "markdown", "-o", "plan.md"),
)


def main(shared: Path) -> None:
    """Print what each step took, and the whole job."""
    with tempfile.TemporaryDirectory() as parent:
        folder = repository(shared.resolve(), Path(parent) / "shop")
        print("ingest: {:.1f} s, {:.1f} s CPU (not part of the job)".format(*timed("ingest", "-q", cwd=folder)))
        git(folder, "checkout", "-q", "-b", "change")
        path = folder / "segments" / "fans_of_85123a.yaml"
        path.write_text(path.read_text("utf-8").replace("180 days", "120 days"), "utf-8")
        seconds = cpu = 0.0
        for step in STEPS:
            wall, used, last = timed(*step, cwd=folder)
            seconds, cpu = seconds + wall, cpu + used
            print(f"{step[0]}: {wall:.1f} s, {used:.2f} s CPU; {last}")
        print(f"job on 300 definitions: {seconds:.1f} s, {cpu:.2f} s CPU (limit 20 s)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
