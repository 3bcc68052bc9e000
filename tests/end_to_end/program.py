"""The program as people run it: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-c", "import sys; from segctl.cli.main import main; sys.exit(main())")


def run(*arguments: str, cwd: Path, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """One call of `segctl` with a bare environment and no terminal."""
    base = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "LANG", "TMPDIR", "VIRTUAL_ENV")}
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**base, "HOME": str(cwd), **environment},
        timeout=180,
        check=False,
    )


def ok(*arguments: str, cwd: Path) -> str:
    """Stdout of a call that must succeed."""
    done = run(*arguments, cwd=cwd)
    assert done.returncode == 0, f"segctl {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def document(*arguments: str, cwd: Path) -> Any:
    """The JSON document of a call that must succeed."""
    return json.loads(ok(*arguments, "-f", "json", cwd=cwd))
