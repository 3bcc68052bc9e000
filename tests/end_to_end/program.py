"""The program as people run it: a process of its own, in a folder of its own."""

from __future__ import annotations

import atexit
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from end_to_end import ready

PROGRAM = (sys.executable, "-c", "import sys; from segctl.cli.main import main; sys.exit(main())")
KEPT = ("PATH", "PYTHONPATH", "LANG", "TMPDIR", "VIRTUAL_ENV")
READ_AT_START = ("PYTHON", "LANG", "LC_", "TZ", "POLARS_", "OMP_")
"""A call that sets such a variable is a start of its own, since the interpreter or a library reads it but once."""


def run(*arguments: str, cwd: Path, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """One call of `segctl` with a bare environment and no terminal."""
    program = PROGRAM if any(name.startswith(READ_AT_START) for name in environment) else _ready()
    return _finished([*program, *arguments], cwd, stdin, environment)


def run_anew(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """One call that imports what it needs, as on a shell's prompt."""
    return _finished([*PROGRAM, *arguments], cwd, None, environment)


def ok(*arguments: str, cwd: Path) -> str:
    """Stdout of a call that must succeed."""
    done = run(*arguments, cwd=cwd)
    assert done.returncode == 0, f"segctl {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def document(*arguments: str, cwd: Path) -> Any:
    """The JSON document of a call that must succeed."""
    return json.loads(ok(*arguments, "-f", "json", cwd=cwd))


def _finished(
    call: list[str], cwd: Path, stdin: str | None, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        call,
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**_bare(), "HOME": str(cwd), **environment},
        timeout=180,
        check=False,
    )


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in KEPT}


@functools.cache
def _ready() -> tuple[str, ...]:
    """What to start in the program's place; its process ends with this one, whose end of a pipe it reads."""
    if not hasattr(os, "pidfd_open"):
        return PROGRAM
    address = str(Path(tempfile.mkdtemp(prefix="segctl-")) / "calls")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, ready.__file__, "answer", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=_bare(),
            pass_fds=[listener.fileno()],
        )
    atexit.register(_end, server, Path(address))
    return (sys.executable, "-I", "-S", ready.__file__, address)


def _end(server: subprocess.Popen[bytes], address: Path) -> None:
    server.communicate()
    address.unlink(missing_ok=True)
    address.parent.rmdir()
