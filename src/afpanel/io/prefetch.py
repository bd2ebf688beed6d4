"""Work done ahead in threads, so that reading, scanning and compressing overlap, and how many may work at once."""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Generic, ParamSpec, TypeVar

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")

_WAIT = 0.1
_END = object()


def cores() -> int:
    """Tell how many threads may work at once: as many as the process has cores, and Snakemake has given the rule.

    Snakemake says so by the variable that many programs heed, ``OMP_NUM_THREADS``.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    mine = len(affinity(0)) if affinity else os.cpu_count() or 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(mine, int(given))) if given.isdecimal() else mine


def prefetch(source: Iterator[T], ahead: int) -> Iterator[T]:
    """Go through an iterator in a thread of its own, at most `ahead` items ahead of the caller.

    An error of the iterator is raised to the caller where the next item would have come. When the
    caller stops early, so does the thread.

    Parameters
    ----------
    source
        What to go through; only the thread touches it.
    ahead
        Items that may wait for the caller. With one more being made and one in the caller's hands,
        `ahead` + 2 of them exist at a time.
    """
    items: queue.Queue[T | object] = queue.Queue(maxsize=ahead)
    stopped = threading.Event()
    failures: list[BaseException] = []

    def give(item: T | object) -> bool:
        while not stopped.is_set():
            try:
                items.put(item, timeout=_WAIT)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in source:
                if not give(item):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised to the caller, whatever it is
            failures.append(error)
        give(_END)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := items.get()) is not _END:
            yield item  # type: ignore[misc]
        if failures:
            raise failures[0]
    finally:
        stopped.set()
        thread.join()


def map_ahead(function: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """Apply a function to items in threads of their own, and give the results in order.

    Parameters
    ----------
    function
        What to do; called for several items at a time.
    items
        What to do it to.
    ahead
        Threads, and results that may be in the making while the caller works on one.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(ahead) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class InOrder(Generic[R]):
    """Works in the threads of a pool, and hands on the results in the order in which the work was given.

    Parameters
    ----------
    done
        Is given each result, in the thread that gives the work.
    pool, ahead
        Whose threads do it, and how many results may be in the making; without a pool all is done at once.
    """

    def __init__(self, done: Callable[[R], object], pool: Executor | None, ahead: int) -> None:
        self._done, self._pool, self._ahead = done, pool, ahead
        self._waiting: deque[Future[R]] = deque()

    def give(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have something done; waits, and hands results on, while too much is in the making."""
        if self._pool is None:
            self._done(work(*args, **kwargs))
            return
        self._waiting.append(self._pool.submit(work, *args, **kwargs))
        while len(self._waiting) > self._ahead:
            self._done(self._waiting.popleft().result())

    def finish(self) -> None:
        """Hand on all results."""
        while self._waiting:
            self._done(self._waiting.popleft().result())


class Behind(Generic[T]):
    """Does something to one item after another in a thread of its own, while the caller makes the next.

    Parameters
    ----------
    work
        What to do; called in the order of the items.
    waiting
        Items that may wait; who gives more waits too.
    """

    def __init__(self, work: Callable[[T], object], waiting: int) -> None:
        self._items: queue.Queue[T | object] = queue.Queue(maxsize=waiting)
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._go, args=(work,), daemon=True)
        self._thread.start()

    def give(self, item: T) -> None:
        """Hand over an item; an error that an earlier one made is raised."""
        if self._failures:
            raise self._failures[0]
        self._items.put(item)

    def finish(self) -> None:
        """Wait until all is done; an error that an item made is raised."""
        self.stop()
        if self._failures:
            raise self._failures[0]

    def stop(self) -> None:
        """Wait until all that was given is done, or given up after an error."""
        if self._thread.is_alive():
            self._items.put(_END)
        self._thread.join()

    def _go(self, work: Callable[[T], object]) -> None:
        while (item := self._items.get()) is not _END:
            if self._failures:
                continue
            try:
                work(item)  # type: ignore[arg-type]
            except BaseException as error:  # noqa: BLE001 - it is raised to the caller, whatever it is
                self._failures.append(error)
