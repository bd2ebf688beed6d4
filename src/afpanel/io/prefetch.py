"""Work done ahead in a thread, so that reading, scanning and compressing overlap."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_WAIT = 0.1
_END = object()


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
