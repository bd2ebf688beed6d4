"""Work in the threads of a pool: the order of its results, its errors, and how many threads there are."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from afpanel.io.prefetch import InOrder, cores


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_results_come_in_the_order_of_the_work_whoever_is_done_first(threads):
    done: list[int] = []

    def work(i: int) -> int:
        time.sleep(0.002 * (3 - i % 4))
        return i

    with ThreadPoolExecutor(threads or 1) as pool:
        results = InOrder(done.append, pool if threads else None, 2)
        for i in range(12):
            results.give(work, i)
            assert len(done) >= i + 1 - 2
        results.finish()
    assert done == list(range(12))


def test_an_error_comes_where_its_result_would_have_come():
    done: list[float] = []
    with ThreadPoolExecutor(2) as pool:
        results = InOrder(done.append, pool, 8)
        for divisor in (1, 2, 0, 4):
            results.give(lambda by: 1 / by, divisor)
        with pytest.raises(ZeroDivisionError):
            results.finish()
    assert done == [1.0, 0.5]


def test_threads_are_as_many_as_the_rule_has_and_no_more_than_cores(monkeypatch):
    mine = len(os.sched_getaffinity(0))
    for given, expected in (("1", 1), ("0", 1), ("100000", mine), ("many", mine)):
        monkeypatch.setenv("OMP_NUM_THREADS", given)
        assert cores() == expected
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert cores() == mine
