"""Batches on their way: the next ones are parsed and typed while this one is taken."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_POLL_S = 0.1


class _End(Generic[T]):
    """The last thing in the queue, with what stopped the reading."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterator[T], *, depth: int = 1) -> Generator[T, None, None]:
    """The items in order, made by another thread, at most `depth` of them waiting.

    An error of the maker is raised here at its place; leaving early stops the maker.
    """
    queue: Queue[T | _End[T]] = Queue(depth)
    stop = Event()
    maker = Thread(target=_make, args=(items, queue, stop), daemon=True)
    maker.start()
    try:
        while True:
            item = _next(queue)
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        maker.join()


def worked(items: Generator[T, None, None], work: Callable[[T], R], *, at_once: int = 2) -> Iterator[tuple[T, R]]:
    """The items in order, each with what threads have made of it meanwhile, `at_once` of them at a time.

    An error of the work is raised here at its place; leaving early closes the items.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(at_once)
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) >= at_once:
                first, made = waiting.popleft()
                yield first, made.result()
                del first, made
        while waiting:
            first, made = waiting.popleft()
            yield first, made.result()
    finally:
        items.close()
        pool.shutdown(cancel_futures=True)


def _next(queue: Queue[T | _End[T]]) -> T | _End[T]:
    while True:
        try:
            # A wait without an end would not hear Ctrl-C everywhere.
            return queue.get(timeout=_POLL_S)
        except Empty:
            continue


def _make(items: Iterator[T], queue: Queue[T | _End[T]], stop: Event) -> None:
    try:
        for item in items:
            if not _put(queue, item, stop):
                return
    except BaseException as error:
        _put(queue, _End(error), stop)
    else:
        _put(queue, _End(), stop)


def _put(queue: Queue[T | _End[T]], item: T | _End[T], stop: Event) -> bool:
    while not stop.is_set():
        try:
            queue.put(item, timeout=_POLL_S)
        except Full:
            continue
        return True
    return False
