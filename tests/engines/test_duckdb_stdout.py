"""What DuckDB may write: nothing."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, types
from segctl.engines.duckdb_reader import DuckDBReader

with DuckDBReader(types.SimpleNamespace(canonical=None)) as reader:
    shown = reader._connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()
sys.exit(1 if shown[0] else 0)
"""


def test_slow_queries_draw_no_progress_on_stdout() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
