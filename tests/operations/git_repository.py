"""A repository of a test: an identity of its own, and nobody's configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


def git(folder: Path, *arguments: str) -> None:
    """One call of git that must succeed."""
    about = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {"HOME": str(folder)}
    subprocess.run(["git", *about, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def committed(repository: Path, project: Path, files: Mapping[str, str]) -> None:
    """Write a project into a new repository, with one commit on `main`."""
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, "utf-8")
    (project / ".gitignore").write_text(".segctl/\n", "utf-8")
    git(repository, "init")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "first")
