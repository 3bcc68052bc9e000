"""The sample data are what their script makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


def test_the_script_makes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SAMPLE / "make_sample.py"), str(tmp_path)], check=True)

    made = {path.name for path in tmp_path.iterdir()}
    committed = {path.name for path in SAMPLE.iterdir() if path.suffix != ".py" and path.is_file()}
    assert made == committed
    # gzip's bytes depend on the library's version, so what is inside is compared.
    assert [name for name in sorted(made) if _content(tmp_path / name) != _content(SAMPLE / name)] == []


def _content(path: Path) -> bytes:
    import gzip

    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
