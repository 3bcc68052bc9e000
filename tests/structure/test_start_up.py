"""CPU of quick commands over the bare interpreter; a report, and a failure only far beyond the target."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
TARGETS_MS = [
    pytest.param(("--version",), 10, id="version"),
    pytest.param(("--help",), 80, id="help"),
    pytest.param(("apply", "--help"), 80, id="help of a verb"),
    pytest.param(("__complete", "segments", ""), 20, id="tab on names"),
]


def cpu_ms(*arguments: str) -> float:
    """Median CPU of a process that runs Python with these arguments."""
    found = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], cwd=ROOT / "configs", capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return statistics.median(found)


@pytest.mark.benchmark
@pytest.mark.parametrize(("arguments", "target"), TARGETS_MS)
def test_start_up_over_the_bare_interpreter(arguments: tuple[str, ...], target: float) -> None:
    script = "import sys; sys.argv[0] = 'segctl'; from segctl.cli.main import main; sys.exit(main())"

    over = cpu_ms("-c", script, *arguments) - cpu_ms("-c", "pass")

    print(f"\nsegctl {' '.join(arguments)}: +{over:.1f} ms CPU, target +{target} ms")  # noqa: T201 - the report
    assert over <= 2 * target
