"""Processes of the program that need not import it: forked off one that has, and else like any other.

Half the time of a short call goes into imports, and tests make some thousand calls. A test starts this file in place
of the program: it hands its streams, folder, environment and arguments to the process of `opened`, which forks, and it
ends as the fork ends. What only a first import or an interpreter's last breath can get wrong is lost to such a call:
tests of the README and of what a start loads start the program itself.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import NoReturn

FLOORS = ("segctl.cli", "segctl.engines", "segctl.operations")
NOT_AHEAD = "duckdb"
"""It looks for leaks when a process ends, in those that never use it too."""


def hand_over(address: str, arguments: list[str]) -> int:
    """Have one call answered with the streams of this process; the code it ended with, negative for a signal."""
    with socket.socket(socket.AF_UNIX) as call:
        call.connect(address)
        socket.send_fds(call, [b"."], [0, 1, 2])
        call.sendall(json.dumps([os.getcwd(), dict(os.environ), arguments]).encode() + b"\n")
        return int(call.makefile().readline() or 255)


def answer(listener: socket.socket) -> None:
    """Fork for every call until stdin ends."""
    import select

    _import_ahead()
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            return
        call, _ = listener.accept()
        watcher = os.fork()
        if watcher == 0:
            listener.close()
            _watched(call)
        call.close()
        _reap()


def _import_ahead() -> None:
    import gc
    import importlib
    import pkgutil

    sys.path[0] = ""  # as with `python -c`
    for floor in FLOORS:
        for module in pkgutil.walk_packages(importlib.import_module(floor).__path__, f"{floor}."):
            if NOT_AHEAD not in module.name:
                importlib.import_module(module.name)
    gc.freeze()


def _reap() -> None:
    """Forget watchers that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _watched(call: socket.socket) -> NoReturn:
    """Fork the program and tell how it ended; it is killed when nobody waits for it any more."""
    import select

    _, streams, _, _ = socket.recv_fds(call, 1, 3)
    folder, environment, arguments = json.loads(call.makefile().readline())
    program = os.fork()
    if program == 0:
        call.close()
        _leave(_program(streams, folder, environment, arguments))
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(program)
    ready, _, _ = select.select([ended, call], [], [])
    if ended not in ready:
        os.kill(program, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    if ended in ready:
        call.sendall(f"{code}\n".encode())
    os._exit(0)


def _program(streams: list[int], folder: str, environment: dict[str, str], arguments: list[str]) -> int:
    """What the entry point does in a process of its own."""
    from segctl.cli.main import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["segctl", *arguments]
    return main()


def _leave(code: int) -> NoReturn:
    """End without taking a thousand modules apart one by one, a quarter of a short call."""
    import atexit
    import threading

    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _end_as(code: int) -> int:
    """The code, or the same death by a signal."""
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    if sys.argv[1] == "answer":
        with socket.socket(fileno=int(sys.argv[2])) as at:
            answer(at)
    else:
        sys.exit(_end_as(hand_over(sys.argv[1], sys.argv[2:])))
