"""The only module that touches the process's three standard streams; bytes in, bytes out.

`output.py` is the one user of the data side, `messages.py` of the message side. Nothing heavy is imported
here: the answers to `--version` and to a TAB press go through it too.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import AnyStr

STDIN, STDOUT, STDERR = 0, 1, 2
_closed: set[int] = set()
_before_messages: "list[Callable[[], None]]" = []


def secure_descriptors() -> None:
    """Point closed standard streams at the null device.

    Otherwise the next file that is opened, the workspace's database for one, would get the number of a closed
    stream and receive what is printed.
    """
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            _closed.add(descriptor)
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one


def write_data(data: bytes) -> None:
    """Write all bytes to stdout.

    Raises:
        BrokenPipeError: The reader is gone.
        OSError: The bytes cannot be delivered, for instance to a full disk or a closed stdout.
    """
    if STDOUT in _closed:
        raise OSError(9, "stdout is closed")
    _write_all(STDOUT, without_secrets(data))


def write_some(descriptor: int, data: memoryview) -> int:
    """Write what fits to a file that a command keeps open; returns how many bytes that were."""
    return os.write(descriptor, without_secrets(bytes(data)))


def without_secrets(text: "AnyStr") -> "AnyStr":
    """What may leave the process: values of secrets that this call has read are masked."""
    # Who has read none has not loaded the module, and quick answers must not.
    known = sys.modules.get("segctl.model.secrets")
    return text if known is None else known.masked(text)


def write_message(text: str) -> None:
    """Write text to stderr; characters an ASCII locale lacks are escaped, and a stderr that is gone is ignored."""
    for do in tuple(_before_messages):
        do()
    _write_message(text)


def before_messages(do: "Callable[[], None]") -> None:
    """Have this called before each message, such as what takes a progress bar away, until `no_longer_before`."""
    _before_messages.append(do)


def no_longer_before(do: "Callable[[], None]") -> None:
    """Undo `before_messages`."""
    if do in _before_messages:
        _before_messages.remove(do)


class LiveMessages:
    """Stderr as a text stream for what draws and redraws itself."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Write without calling what `before_message` was told."""
        _write_message(text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return is_terminal(STDERR)


def _write_message(text: str) -> None:
    encoding = "utf-8" if is_unicode() else "ascii"
    try:
        _write_all(STDERR, without_secrets(text).encode(encoding, "backslashreplace"))
    except OSError:
        return


def abandon_stdout() -> None:
    """Point stdout at the null device, after its reader has gone."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, STDOUT)
    os.close(null)


def read_line() -> str:
    """One line that a person types, without its end; empty at the end of input."""
    return "" if sys.stdin is None else sys.stdin.readline().rstrip("\n")


def read_key() -> str:
    """One key that a person presses, without waiting for the end of the line; empty at the end of input."""
    try:
        import termios
        import tty

        before = termios.tcgetattr(STDIN)
    except (ImportError, OSError):
        return read_line()[:1]
    try:
        # Ctrl-C stays a signal, and what was typed ahead is kept.
        tty.setcbreak(STDIN, termios.TCSANOW)
        return os.read(STDIN, 1).decode("latin-1").replace("\x04", "")
    except termios.error:
        return read_line()[:1]
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, before)


def read_data() -> bytes:
    """Everything from stdin; empty when it is closed."""
    if STDIN in _closed:
        return b""
    with os.fdopen(os.dup(STDIN), "rb") as stream:
        return stream.read()


def is_terminal(descriptor: int) -> bool:
    """True when a person sits at the other end."""
    return descriptor not in _closed and os.isatty(descriptor)


def is_unicode() -> bool:
    """True when the locale says that more than ASCII can be shown."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    return os.name == "nt" or "UTF" in locale.upper()


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
