# ruff: noqa: T201 - a benchmark prints what it measures
"""`segctl test` on 500 cases of the shop's segments: the whole process, and the search for what they miss.

Run it as ``python tests/benchmarks/testing.py [CASES]``; it writes a copy of `configs/` to a temporary folder.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-c", "import sys; from segctl.cli.main import main; sys.exit(main())")


def repeated(folder: Path, cases: int) -> int:
    """The cases of the folder under further names, until there are so many; their number."""
    files = sorted(folder.glob("*.yaml"))
    texts = {path: path.read_text("utf-8").partition("cases:\n")[2].rstrip() for path in files}
    count = sum(text.count("  - case: ") for text in texts.values())
    total, copy = count, 0
    while total < cases:
        copy += 1
        for path, text in texts.items():
            again = text.replace('  - case: "', f'  - case: "again {copy} ')
            again = "\n".join(
                f"{line.partition(': ')[0]}: again {copy} {line.partition(': ')[2]}"
                if line.startswith("  - case: ") and '"' not in line[:12]
                else line
                for line in again.split("\n")
            )
            (folder / f"{path.stem}_{copy}.yaml").write_text(f"cases:\n{again}\n", "utf-8")
            total += text.count("  - case: ")
            if total >= cases:
                break
    return total


def timed(*arguments: str, cwd: Path) -> tuple[float, float, str]:
    """Seconds of the whole process, CPU seconds of all its threads, and its last line."""
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*PROGRAM, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    seconds, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return seconds, cpu, (done.stdout + done.stderr).strip().split("\n")[-1]


def main(cases: int) -> None:
    """Print what each call took, the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "shop"
        shutil.copytree(ROOT / "configs", project)
        number = repeated(project / "tests", cases)
        for arguments in (
            ("test",),
            ("test", "--coverage", "-o", "leaves.txt"),
            ("test", "--mutate", "-o", "scores.txt"),
        ):
            best, cpu, last = min(timed(*arguments, cwd=project) for _ in range(3))
            print(f"{number} cases, segctl {' '.join(arguments[:2])}: {best:.2f} s, {cpu:.2f} s CPU ({last})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
