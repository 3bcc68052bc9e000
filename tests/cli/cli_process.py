"""Runs the command line as a process: through pipes, or on a pseudo terminal."""

from __future__ import annotations

import errno
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "segctl"]


@dataclass(frozen=True)
class Finished:
    """What a process left: code and texts."""

    code: int
    out: str
    err: str


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small, known environment."""
    base = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(home / "state"),
    }
    return {**base, **(more or {})}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Finished]:
    """Run segctl through pipes in an empty folder."""

    def call(
        *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, text: str = ""
    ) -> Finished:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            input=text.encode(),
            capture_output=True,
            env=environment(tmp_path, env),
            cwd=cwd or tmp_path,
            timeout=60,
            check=False,
        )
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., Finished]:
    """Run a program on a pseudo terminal of a given width; `out` is all it drew."""

    def call(
        *arguments: str,
        program: list[str] = PROGRAM,
        env: Mapping[str, str] | None = None,
        columns: int = 80,
        typed: str = "",
        until: str | None = None,
        cwd: Path | None = None,
    ) -> Finished:
        child, descriptor = pty.fork()
        if child == 0:  # pragma: no cover - the child
            os.chdir(cwd or tmp_path)
            os.execvpe(program[0], [*program, *arguments], environment(tmp_path, env))
        ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        drawn = _read(descriptor, typed.encode(), None if until is None else until.encode())
        os.close(descriptor)
        if until is not None:
            os.kill(child, 9)
        _, status = os.waitpid(child, 0)
        return Finished(os.waitstatus_to_exitcode(status), drawn.decode("utf-8", "replace"), "")

    return call


def _read(descriptor: int, typed: bytes, until: bytes | None) -> bytes:
    drawn = bytearray()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if typed and drawn:
            os.write(descriptor, typed)
            typed = b""
        ready, _, _ = select.select([descriptor], [], [], 0.2)
        if not ready:
            continue
        try:
            piece = os.read(descriptor, 65_536)
        except OSError as error:
            if error.errno == errno.EIO:
                break
            raise
        if not piece:
            break
        drawn += piece
        if until is not None and until in drawn:
            break
    return bytes(drawn)


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    """A folder with names of every kind, for completion."""
    root = tmp_path / "shop"
    (root / "segments" / "eu").mkdir(parents=True)
    (root / "sources").mkdir()
    (root / "traits").mkdir()
    (root / ".segctl").mkdir()
    (root / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\ntimezone: Europe/Berlin\nidentifiers:\n  customer_id: {class: known}\n"
        "traits:\n  country: text\n  # vip: not a trait\n  tier: {type: text}\nevents:\n  order_completed:\n"
        "    properties: {value: {type: money, unit: EUR}}\nenvironments: {}\n",
        "utf-8",
    )
    (root / "segments" / "vip.yaml").write_text(
        'segment: vip\ntitle: "Beste Kunden"  # ja\ntags: [daily, recovery]\nwhere: {trait: tier, equals: gold}\n',
        "utf-8",
    )
    (root / "segments" / "eu" / "winback.yaml").write_text(
        "segment: winback\nwhere: {trait: country, equals: DE}\n", "utf-8"
    )
    (root / "sources" / "orders.yaml").write_text("source: orders\n", "utf-8")
    (root / "traits" / "money.yaml").write_text("traits:\n  lifetime_value: {event: order_completed}\n", "utf-8")
    return root
