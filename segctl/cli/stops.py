"""What ends a call from outside; no `except Exception` may swallow it."""


class Stopped(BaseException):
    """The process got SIGINT or SIGTERM; raised so that every block can clean up.

    Attributes:
        word: ``interrupted`` or ``terminated``.
        code: Exit code.
    """

    def __init__(self, word: str, code: int) -> None:
        super().__init__(word)
        self.word = word
        self.code = code


class TimeIsUp(BaseException):
    """The call took longer than `--timeout`."""
