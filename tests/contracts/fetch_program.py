"""The program as people run it, with the keys of the stand-ins in its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fake_shop import TOKEN as SHOP_TOKEN

PROGRAM = (sys.executable, "-c", "import sys; from segctl.cli.main import main; sys.exit(main())")


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "LANG", "TMPDIR", "VIRTUAL_ENV")}
    return {**kept, "HOME": str(home), "SHOPIFY_TOKEN": SHOP_TOKEN, "NO_PROXY": "*", "LC_ALL": "C.UTF-8"}


def run(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(cwd) | more,
        timeout=120,
        check=False,
    )


def document(*arguments: str, cwd: Path) -> Any:
    done = run(*arguments, "-f", "json", cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
