"""Files of a Git revision, read with plumbing commands; nothing in the repository or its working tree is changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

_FILE_MODES = ("100644", "100755")
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit, as seen from a folder of its repository.

    Attributes:
        commit: Full id.
        folder: The folder it was asked in, absolute.
        prefix: That folder within the repository, with a slash at its end; empty at the top.
    """

    commit: str
    folder: Path
    prefix: str


def resolve(folder: Path, words: str) -> Revision:
    """The commit that a branch, tag or id names.

    Raises:
        UsageError: Git is not installed, the folder is in no repository, or there is no such revision.
    """
    try:
        prefix = _git(folder, ["rev-parse", "--show-prefix"]).decode().rstrip("\n")
    except _GitError as error:
        raise UsageError(
            "SEG405", f"`{folder.name}` is in no Git repository that can be read", why=error.said,
            hint="run it inside a clone, or compare with a run or a file",
        ) from error  # fmt: skip
    found = _commit(folder, words)
    if found is None:
        elsewhere = f"origin/{words}"
        hint = "`git branch --all` and `git tag` list the names"
        if _commit(folder, elsewhere) is not None:
            hint = f"did you mean `{elsewhere}`?"
        elif _git(folder, ["rev-parse", "--is-shallow-repository"]).strip() == b"true":
            hint = f"the clone is shallow: `git fetch origin {words}` first, then name `FETCH_HEAD`"
        raise UsageError("SEG406", f"`{words}` is no revision of the repository", hint=hint)
    return Revision(found, folder, prefix)


def files(revision: Revision, paths: Iterable[str]) -> dict[str, str]:
    """Object ids of the plain files at these paths, or below them, by path relative to the folder, sorted."""
    wanted = [revision.prefix + path for path in paths]
    said = _git(revision.folder, ["ls-tree", "-r", "-z", "--full-tree", revision.commit, "--", *wanted])
    found = {}
    for entry in said.decode("utf-8", "surrogateescape").split("\0"):
        about, _, path = entry.partition("\t")
        if about and about.split(" ")[0] in _FILE_MODES:
            found[path.removeprefix(revision.prefix)] = about.split(" ")[2]
    return dict(sorted(found.items()))


def contents(revision: Revision, objects: Mapping[str, str]) -> dict[str, bytes]:
    """Content of files, by path.

    Args:
        revision: Whose repository holds them.
        objects: Object ids by path.
    """
    if not objects:
        return {}
    said = _git(revision.folder, ["cat-file", "--batch"], "".join(f"{one}\n" for one in objects.values()).encode())
    found, at = {}, 0
    for path in objects:
        end = said.index(b"\n", at)
        size = int(said[at:end].split(b" ")[2])
        found[path] = said[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return found


class _GitError(Exception):
    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def _commit(folder: Path, words: str) -> str | None:
    # A name that begins with a dash must not be taken for an option.
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{words}^{{commit}}"]
    try:
        return _git(folder, arguments).decode().strip()
    except (_GitError, ValueError):
        return None


def _git(folder: Path, arguments: Sequence[str], given: bytes = b"") -> bytes:
    """What git says.

    Raises:
        UsageError: Git is not installed.
        _GitError: It ended with an error.
    """
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=_environment(), input=given, capture_output=True, check=False,
            timeout=_TIMEOUT_S,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise UsageError(
            "SEG405", "Git is not installed, so no revision can be read", hint="install git, or name a run or a file"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise _GitError("git did not answer") from error
    if done.returncode:
        raise _GitError(done.stderr.decode("utf-8", "replace").strip().partition("\n")[0] or "git failed")
    return done.stdout


def _environment() -> dict[str, str]:
    """Of this process, without what a hook sets for its own commands, and without questions, locks and network."""
    kept = {
        k: v for k, v in os.environ.items() if k not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
    }
    return kept | {
        "GIT_LITERAL_PATHSPECS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }  # fmt: skip
