"""Threads wait for memory, and none waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tellapart.images.budget import Budget
from tellapart.images.decode import decode
from tellapart.settings import Decoding


def test_never_more_than_the_limit():
    budget, lock = Budget(100), threading.Lock()
    now, most = 0, 0

    def work(size: int) -> None:
        nonlocal now, most
        with budget.hold(size):
            with lock:
                now += size
                most = max(most, now)
            with lock:
                now -= size

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [30, 50, 60, 10] * 100))
    assert most <= 100


def test_the_second_waits_for_the_first():
    budget, entered = Budget(100), threading.Event()

    def second() -> None:
        with budget.hold(60):
            entered.set()

    with budget.hold(60):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    thread.join()


def test_what_is_larger_than_the_budget_goes_alone():
    budget = Budget(100)
    with budget.hold(1000):
        pass
    with budget.hold(100):
        pass


def test_given_back_after_a_problem(make):
    """A damaged picture keeps nothing of the budget; otherwise the next would wait for ever."""
    budget = Budget(1000)
    data = make.encoded(make.photo(), "GIF")
    for _ in range(3):
        try:
            decode(data[:-200], short_side=10, decoding=Decoding(), budget=budget)
        except Exception as problem:
            assert "cut off" in str(problem)
    decode(data, short_side=10, decoding=Decoding(), budget=budget)
