"""The sample data are what their script makes."""

from __future__ import annotations

import json
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


def test_responses_are_the_same_each_time_and_as_many_as_the_truth_says(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    arms = ["control", "mail"] * 1_000
    people.write_text("profile_id,arm\n" + "".join(f"{at:05d},{arm}\n" for at, arm in enumerate(arms)))

    bought = {}
    for name, truth in (("a", "effect"), ("b", "effect"), ("c", "none"), ("d", "broken")):
        out = tmp_path / name
        script = [sys.executable, str(SAMPLE / "simulate_responses.py"), str(people), "--truth", truth]
        subprocess.run([*script, "--out", str(out)], check=True, capture_output=True)
        orders = json.loads((out / "orders_campaign.json").read_text())["data"]["orders"]
        bought[name] = [sum(int(one["customer"]["id"]) % 2 == arm for one in orders) for arm in (0, 1)]
    moved = (tmp_path / "d" / "assignments_broken.csv").read_text().count("control")

    assert (tmp_path / "a" / "orders_campaign.json").read_bytes() == (
        tmp_path / "b" / "orders_campaign.json"
    ).read_bytes()
    assert bought["a"][1] > 1.7 * bought["a"][0]
    assert abs(bought["c"][1] - bought["c"][0]) < 40
    assert moved < 850
