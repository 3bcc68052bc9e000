"""`segctl stream` as people run it: pipes, signals, a reader that goes away, a full disk, kill -9."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from end_to_end.program import PROGRAM, run
from operations.streaming import SEGMENTS, by_batch, members_of, write_project

NOW = datetime.now(UTC).replace(microsecond=0)
VIEWERS = {"viewers": SEGMENTS["viewers"]}
SEED = os.environ.get("SEGCTL_CRASH_SEED", "20261122")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop", VIEWERS)


def view(number: int, user: str, minutes_ago: float = 5, kind: str = "view") -> str:
    about = {"page": "/"} if kind == "view" else {"value": str(number % 60)}
    ts = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    return json.dumps({"id": f"e{number}", "user": user, "event": kind, "ts": ts, **about}) + "\n"


def begun(folder: Path, *arguments: str, out: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [*PROGRAM, "stream", "web", "--figures", "0", *arguments],
        cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE,
    )  # fmt: skip


def written(process: subprocess.Popen[bytes], *lines: str) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(lines).encode())
    process.stdin.flush()


def read_change(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def changes(text: str) -> list[tuple[int, str, str]]:
    found = [json.loads(line) for line in text.splitlines()]
    return [(one["seq"], one["profile"], one["change"]) for one in found]


def test_a_pipe_is_read_to_its_end_and_recorded(shop: Path) -> None:
    done = run("stream", "web", cwd=shop, stdin=view(1, "ann") + view(2, "ann") + view(3, "bob"))
    again = run("stream", "web", "--after", "0", cwd=shop, stdin="")
    stands = json.loads(run("status", "--json", cwd=shop).stdout)["stream"]

    assert (stands["is_running"], stands["changes"], stands["waiting_lines"]) == (False, 1, 0)
    assert (done.returncode, changes(done.stdout)) == (0, [(1, "ann", "entered")])
    assert again.stdout == done.stdout
    assert members_of(shop) == {"viewers": {"ann"}}


def test_a_signal_finishes_the_batch_and_records_a_run(shop: Path) -> None:
    process = begun(shop)
    written(process, view(1, "ann"), view(2, "ann"))
    first = read_change(process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert first["profile"] == "ann"
    assert (process.returncode, out) == (143, b"")
    assert b"terminated; what was committed stays" in err
    assert members_of(shop) == {"viewers": {"ann"}}


def test_what_a_reader_who_went_away_did_not_get_is_said_at_the_next_start(shop: Path) -> None:
    process = begun(shop)
    written(process, view(1, "ann"), view(2, "ann"))
    read_change(process)
    assert process.stdout is not None
    process.stdout.close()
    written(process, view(3, "bob"), view(4, "bob"))
    _, err = process.communicate(timeout=60)
    again = run("stream", "web", cwd=shop, stdin="")

    assert (process.returncode, b"Traceback" in err) == (141, False)
    assert changes(again.stdout)[-1] == (2, "bob", "entered")


def test_apply_hands_a_running_stream_its_definitions(shop: Path) -> None:
    process = begun(shop)
    written(process, view(1, "ann"), view(2, "ann"), view(3, "bob"))
    read_change(process)
    (shop / "segments" / "viewers.yaml").write_text(
        "segment: viewers\nwhere: {event: view, within_last: 1 hour, count: {at_least: 1}}\n"
    )
    second = run("stream", "web", cwd=shop, stdin="")
    applied = run("apply", "--json", cwd=shop)
    moved = read_change(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert second.returncode == 75
    assert "`stream` is locked by process" in second.stderr
    assert applied.returncode == 0, applied.stderr
    assert json.loads(applied.stdout)["data"][0]["members"] == 2
    assert (moved["profile"], moved["change"], moved["cause"].partition(":")[0]) == (
        "bob", "entered", "definition changed",
    )  # fmt: skip
    assert process.returncode == 130


@pytest.mark.slow
def test_a_huge_line_is_one_bad_row(shop: Path) -> None:
    huge = '{"id": "' + "x" * (17 * 1024 * 1024) + '"}\n'
    done = run("stream", "web", cwd=shop, stdin=view(1, "ann") + huge + view(2, "ann"))

    assert changes(done.stdout) == [(1, "ann", "entered")]
    assert "1" in run("quarantine", "-f", "csv", cwd=shop).stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_ends_it_clearly_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    folder = write_project(small_disk / "shop", VIEWERS)
    lines = small_disk.parent / "lines.ndjson"
    dice = random.Random(3)
    noise = [view(n, f"u{n % 7}").replace("/", f"{dice.getrandbits(8000):x}") for n in range(1500)]
    lines.write_text("".join(noise))
    full = run("stream", "web", "--from", str(lines), "--once", cwd=folder)
    subprocess.run(["mount", "-o", "remount,size=60m", str(small_disk)], check=True)
    after = run("stream", "web", "--from", str(lines), "--once", cwd=folder)

    assert (full.returncode, "Traceback" in full.stderr) == (74, False)
    assert "no space left" in full.stderr
    assert after.returncode == 0, after.stderr
    assert members_of(folder) == {"viewers": {f"u{n}" for n in range(7)}}


# --- kill -9 ----------------------------------------------------------------------------------------------------
def history(dice: random.Random, size: int) -> list[str]:
    return [
        view(n, dice.choice("abcdefgh"), dice.random() * 200, dice.choice(["view", "view", "order"]))
        for n in range(size)
    ]


def killed_again_and_again(folder: Path, arguments: Sequence[str], dice: random.Random, kills: int) -> list[str]:
    """Everything on stdout of a stream that is killed so often, and then ends by itself."""
    texts = []
    for _ in range(kills):
        with (folder / "out").open("wb") as out:
            process = begun(folder, *arguments, out=out)
            time.sleep(0.6 + dice.random() * 1.5)
            process.kill()
            process.communicate()
        texts.append((folder / "out").read_text())
    done = run("stream", "web", *arguments, "--once", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [*texts, done.stdout]


@pytest.mark.crash
@pytest.mark.parametrize("number", range(8))
def test_killed_at_any_moment_no_change_is_lost_or_doubled(tmp_path: Path, number: int) -> None:
    dice = random.Random(f"{SEED}/{number}")
    folder = write_project(tmp_path / "shop")
    assert run("stream", "web", cwd=folder, stdin="").returncode == 0
    lines = history(dice, 3000)
    (folder / "data" / "live.ndjson").write_text("".join(lines))
    arguments = ["--from", "data/live.ndjson", "--checkpoint", "1s"]
    into_file = number % 2 == 1

    texts = killed_again_and_again(
        folder, [*arguments, *(["--changes", "said.ndjson"] if into_file else [])], dice, kills=6
    )

    if into_file:
        texts = [(folder / "said.ndjson").read_text()]
    found: dict[int, str] = {}
    for text in texts:
        for line in text.splitlines(keepends=True):
            # A process that is killed while it writes leaves half a line, which it says again.
            if line.endswith("\n"):
                seq = json.loads(line)["seq"]
                assert not into_file or seq not in found
                assert found.setdefault(seq, line) == line
    assert sorted(found) == list(range(1, len(found) + 1))
    belongs: dict[str, set[str]] = {}
    for seq in sorted(found):
        one = json.loads(found[seq])
        among = belongs.setdefault(one["segment"], set())
        (among.add if one["change"] == "entered" else among.remove)(one["profile"])
    assert {name: who for name, who in belongs.items() if who} == members_of(folder)
    as_of = json.loads(run("ls", "runs", "--json", cwd=folder).stdout)["data"][0]["as_of"]
    raw = [line.rstrip("\n").encode() for line in lines]
    assert members_of(folder) == by_batch(tmp_path / "batch", raw, datetime.fromisoformat(as_of))
