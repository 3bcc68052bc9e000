"""Reading a secret at the moment it is used; its value is masked from then on, wherever this process writes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Timer

from segctl.model.errors import TemporaryError, UsageError
from segctl.model.secrets import Secret, Text, remember

_COMMAND_S = 30.0
_LONGEST = 64 * 1024


def revealed(text: Text, root: Path) -> str:
    """The value of a text or secret.

    Args:
        text: As declared.
        root: The project's folder, for relative paths; commands run there.

    Raises:
        UsageError: The variable, file or program is not there, or gives nothing.
        TemporaryError: The program does not end.
    """
    if isinstance(text, str):
        return text
    value = document(text, root)
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        # A line break inside a header would end it and begin another.
        raise _unreadable(text, "it holds a line break or another control character")
    return value


def document(secret: Secret, root: Path) -> str:
    """The value of a secret that may have several lines, such as a key file.

    Raises:
        UsageError: As `revealed`.
        TemporaryError: The program does not end.
    """
    value = _READERS[secret.form](secret, root).strip()
    if not value.isascii() and not _is_text(value):
        raise _unreadable(secret, "it is no text")
    if not value:
        raise _unreadable(secret, "it is empty")
    return remember(value)


def _is_text(value: str) -> bool:
    """False for bytes of the environment that are no UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(secret: Secret, why: str) -> UsageError:
    hints = {
        "env": f"set it before the call: `export {secret.words[0]}=…`",
        "file": "write the secret alone into the file, readable for your user only",
        "command": "run the command by hand; its first line of output must be the secret",
    }
    return UsageError("SEG371", f"the secret `{secret}` cannot be read: {why}", hint=hints[secret.form])


def _variable(secret: Secret, root: Path) -> str:  # noqa: ARG001 - the same shape as the other readers
    value = os.environ.get(secret.words[0])
    if value is None:
        raise _unreadable(secret, f"the variable `{secret.words[0]}` is not set")
    return value


def _file(secret: Secret, root: Path) -> str:
    try:
        with (root / Path(secret.words[0]).expanduser()).open("rb") as stream:
            found = stream.read(_LONGEST + 1)
        if len(found) > _LONGEST:
            raise _unreadable(secret, f"it is longer than {_LONGEST:,} bytes")
        return found.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise _unreadable(secret, (reason or "it cannot be opened").lower()) from None


def _output(secret: Secret, root: Path) -> str:
    try:
        # What the program says on stderr may repeat the secret, so nobody sees it.
        code, said = _run(secret.words, root)
    except subprocess.TimeoutExpired:
        raise TemporaryError(
            "SEG371", f"the secret `{secret}` cannot be read: the command takes longer than {_COMMAND_S:g} s"
        ) from None
    except OSError as error:
        raise _unreadable(secret, (error.strerror or "the program cannot be started").lower()) from None
    if len(said) > _LONGEST:
        raise _unreadable(secret, f"the command writes more than {_LONGEST:,} bytes")
    if code:
        raise _unreadable(secret, f"the command ended with {code}")
    try:
        return said.decode().strip().partition("\n")[0]
    except UnicodeDecodeError:
        raise _unreadable(secret, "the command's output is no text") from None


def _run(words: tuple[str, ...], root: Path) -> tuple[int, bytes]:
    """Exit code and output of a program, which is ended when it writes too much or takes too long."""
    null, began = subprocess.DEVNULL, time.monotonic()
    with subprocess.Popen(
        words, cwd=root, stdin=null, stdout=subprocess.PIPE, stderr=null, start_new_session=True
    ) as process:
        timer = Timer(_COMMAND_S, _end, (process.pid,))
        timer.start()
        try:
            assert process.stdout is not None
            said = process.stdout.read(_LONGEST + 1)
            if len(said) > _LONGEST:
                _end(process.pid)
            code = process.wait()
        finally:
            timer.cancel()
    if code == -signal.SIGKILL and time.monotonic() - began >= _COMMAND_S:
        raise subprocess.TimeoutExpired(words, _COMMAND_S)
    return code, said


def _end(group: int) -> None:
    """Ends a program with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


_READERS = {"env": _variable, "file": _file, "command": _output}
