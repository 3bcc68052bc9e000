"""The entry point: quick answers before any import, one call of a verb, and the only map from errors to exit codes.

The head of this module imports nothing, so that `--version` and a TAB press cost no more than the interpreter.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from types import FrameType

    from segctl.cli.context import Context


def main() -> int:
    """Run `segctl` with the process's arguments and return its exit code."""
    import sys

    from segctl.cli import streams

    arguments = sys.argv[1:]
    calls: list[Context] = []
    streams.secure_descriptors()
    try:
        if arguments in (["--version"], ["-V"]):
            from segctl import __version__

            streams.write_data(f"segctl {__version__}\n".encode())
            return 0
        if arguments[:1] == ["__complete"]:
            from segctl.cli import complete

            return complete.answer(arguments[1:])
        return _call(arguments, calls)
    except BaseException as error:
        return _exit_code(error, arguments, calls)


def present() -> "datetime":
    """The wall clock, for what goes on for longer than a call; read here and nowhere else."""
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _call(arguments: list[str], calls: "list[Context]") -> int:
    """Run one verb; here alone the clock is read."""
    import atexit
    import gc
    from datetime import UTC, datetime

    # Modules make many objects that live on: looking through them again and again is a tenth of the start.
    gc.set_threshold(400_000, 20, 50)
    atexit.register(_leave_unexamined)
    _listen_for_termination()
    from segctl.cli import pages

    page = pages.root(arguments)
    if page is not None:
        return page
    from segctl.cli import app

    return app.dispatch(arguments, datetime.now(UTC), calls)


def _leave_unexamined() -> None:
    """Spares objects that go with the process the last search for garbage."""
    import gc
    import sys

    # DuckDB reports what is not taken apart as leaks.
    if "duckdb" not in sys.modules:
        gc.freeze()


def _listen_for_termination() -> None:
    import signal

    from segctl.cli.stops import Stopped

    def stop(number: int, frame: "FrameType | None") -> None:  # noqa: ARG001 - the interface of signal handlers
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
        raise Stopped("interrupted", 130) if number == signal.SIGINT else Stopped("terminated", 143)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Whoever starts us with a signal ignored (nohup, a background job) wants it ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def _exit_code(error: BaseException, arguments: list[str], calls: "list[Context]") -> int:
    """Tell an error on stderr and return the exit code it means."""
    from datetime import UTC, datetime

    from segctl.cli import failures

    ctx = calls[-1] if calls else failures.early_context(arguments, datetime.now(UTC))
    return failures.told(error, ctx)
