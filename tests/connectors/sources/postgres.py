"""A PostgreSQL server of the tests' own: started in a passing folder, trusted on this machine only, ended with them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "geheim-7f3a9c"


def binaries() -> Path | None:
    """Where the server's programs stand, None when it is not installed."""
    for found in (shutil.which("pg_ctl"), *sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), reverse=True)):
        if found is not None:
            return Path(found).resolve().parent
    return None


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """The address of a running server with user `pos`, its password and the database `pos`."""
    # The server refuses to run as root; a package brings a user for it.
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}

    def call(*words: object) -> None:
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd="/", check=False, **user)
        assert done.returncode == 0, done.stdout + done.stderr

    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        data, secret = Path(folder, "data"), Path(folder, "password")
        secret.write_text(PASSWORD)
        if user:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(secret, "postgres", "postgres")
        call(
            programs / "initdb",
            "-D",
            data,
            "-U",
            "pos",
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
            "-N",
            "-E",
            "UTF8",
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        call(programs / "pg_ctl", "-D", data, "-o", options, "-l", Path(folder, "log"), "-w", "start")
        try:
            yield f"postgresql+pg8000://pos:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
