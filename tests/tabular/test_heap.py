"""The priority queue against Python's heapq, through thousands of random insertions, rises and withdrawals."""

import heapq

import numpy as np
import pytest

from rlkit.tabular.heap import ABSENT, empty_heap, pop, raise_to


def check(heap):
    size = heap.size[0]
    for i in range(size):
        item = heap.items[i]
        assert heap.position[item] == i
        above = heap.items[(i - 1) // 2] if i else item
        assert (-heap.priority[above], above) <= (-heap.priority[item], item)
    assert np.count_nonzero(heap.position != ABSENT) == size


@pytest.mark.parametrize("levels", [4, 10**9])  # few priorities: ties decide
@pytest.mark.parametrize("n", [1, 2, 37])
def test_it_is_a_heapq_whose_priorities_can_rise(n, levels):
    rng = np.random.default_rng(n)
    heap, queued, plain = empty_heap(n), {}, []
    for _ in range(3000):
        if queued and rng.random() < 0.4:
            while queued.get(plain[0][1]) != -plain[0][0]:  # what has risen left its old entry behind
                heapq.heappop(plain)
            wanted = heapq.heappop(plain)[1]
            del queued[wanted]
            assert pop(heap) == wanted
        else:
            item, priority = int(rng.integers(n)), float(rng.integers(levels))
            raise_to(heap, item, priority)
            if priority > queued.get(item, -1.0):
                queued[item] = priority
                heapq.heappush(plain, (-priority, item))
        check(heap)
        assert {int(item): heap.priority[item] for item in heap.items[: heap.size[0]]} == queued


def test_equal_priorities_leave_in_the_order_of_their_numbers():
    heap = empty_heap(8)
    for item in (5, 2, 7, 0, 3):
        raise_to(heap, item, 1.0)
    raise_to(heap, 7, 2.0)
    raise_to(heap, 7, 0.5)  # lower: let pass
    assert [pop(heap) for _ in range(5)] == [7, 0, 2, 3, 5]
    assert heap.size[0] == 0
