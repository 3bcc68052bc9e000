"""Prism, which serves an API description of a vendor and refuses requests that break it.

`SEGCTL_PRISM` names the folder of an installation (the one with `node_modules`); without it one is made below the
system's temporary folder, once, with npm. Where neither works the tests are skipped and say why.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION = "5.14.2"
_ENTRY = Path("node_modules", "@stoplight", "prism-cli", "dist", "index.js")


def installed() -> Path:
    """Path of Prism's program; skips the test when there is none and none can be had."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("contract tests need node")
    folder = Path(os.environ.get("SEGCTL_PRISM") or Path(tempfile.gettempdir(), f"segctl-prism-{VERSION}"))
    if (folder / _ENTRY).is_file():
        return folder / _ENTRY
    npm = shutil.which("npm")
    if npm is None or os.environ.get("SEGCTL_PRISM"):
        pytest.skip(f"no Prism in {folder}, and no npm to install it; see SEGCTL_PRISM")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-audit", "--no-fund", f"@stoplight/prism-cli@{VERSION}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    if done.returncode or not (folder / _ENTRY).is_file():
        pytest.skip("npm could not install Prism; set SEGCTL_PRISM to a folder that has it")
    return folder / _ENTRY


@contextmanager
def mocked(description: Path) -> Iterator[str]:
    """The address of a server that answers as a description says."""
    program = installed()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    node = shutil.which("node") or "node"
    command = [node, str(program), "mock", str(description), "-h", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def guarded(description: Path, upstream: str) -> Iterator[str]:
    """The address of a proxy before `upstream` that checks requests and answers against a description."""
    program = installed()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    node = shutil.which("node") or "node"
    command = [node, str(program), "proxy", str(description), upstream, "-h", "127.0.0.1", "-p", str(port), "--errors"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "Prism ended"
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.skip("Prism does not answer")
