"""The entry point: quick answers before any import, one call of a verb, and the only map from errors to exit codes.

The head of this module imports nothing, so that `--version` and a TAB press cost no more than the interpreter.
"""


def main():  # type: ignore[no-untyped-def]  # noqa: ANN201 - annotations would need imports here
    """Run `segctl` with the process's arguments and return its exit code."""
    import sys

    from segctl.cli import streams

    arguments = sys.argv[1:]
    streams.secure_descriptors()
    try:
        if arguments in (["--version"], ["-V"]):
            from segctl import __version__

            streams.write_data(f"segctl {__version__}\n".encode())
            return 0
        if arguments[:1] == ["__complete"]:
            from segctl.cli import complete

            return complete.answer(arguments[1:])
        return _call(arguments)
    except BaseException as error:
        return _exit_code(error, arguments, [])


def _call(arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - see main
    """Run one verb; the only place that reads the clock."""
    from datetime import UTC, datetime

    calls = []  # type: ignore[var-annotated]
    try:
        _listen_for_termination()
        from segctl.cli import pages

        page = pages.root(arguments)
        if page is not None:
            return page
        from segctl.cli import app

        return app.dispatch(arguments, datetime.now(UTC), calls)
    except BaseException as error:
        return _exit_code(error, arguments, calls)


class _Terminated(BaseException):
    """The process was asked to end; raised so that every block can clean up."""


def _listen_for_termination():  # type: ignore[no-untyped-def]  # noqa: ANN202 - see main
    import signal

    def stop(number, frame):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001 - see main
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
        raise KeyboardInterrupt if number == signal.SIGINT else _Terminated

    for number in (signal.SIGINT, signal.SIGTERM):
        # Whoever starts us with a signal ignored (nohup, a background job) wants it ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def _exit_code(error, arguments, calls):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - see main
    """Tell an error on stderr and return the exit code it means."""
    from segctl.cli import failures

    return failures.told(error, arguments, calls, terminated=_Terminated)
