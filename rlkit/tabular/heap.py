"""A priority queue of whole numbers 0 .. n-1: a binary heap in arrays that knows where each of them stands in it."""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.jit import kernel

ABSENT = -1  # the position of what is not in the queue


class Heap(NamedTuple):
    """The queue: highest priority first, of equal ones the lowest number, so that the order depends on nothing else."""

    items: Ints  # [n]  the heap: none goes before the one at (i - 1) // 2
    position: Ints  # [n]  where in `items` each stands
    priority: Floats  # [n]
    size: Ints  # [1]


def empty_heap(n: int) -> Heap:
    """Return an empty queue for the numbers 0 .. n-1."""
    return Heap(np.zeros(n, np.int64), np.full(n, ABSENT), np.zeros(n), np.zeros(1, np.int64))


@kernel
def raise_to(heap: Any, item: int, priority: float) -> None:
    """Insert an item, or give it a higher priority; a lower one is let pass."""
    row = np.uintp(item)
    i = heap.position[row]
    if i == ABSENT:
        i = heap.size[0]
        heap.size[0] = i + 1
    elif priority <= heap.priority[row]:
        return
    heap.priority[row] = priority
    while i > 0:
        above = (i - 1) >> 1
        other = heap.items[np.uintp(above)]
        if _goes_before(heap, other, item):
            break
        heap.items[np.uintp(i)] = other
        heap.position[np.uintp(other)] = i
        i = above
    heap.items[np.uintp(i)] = item
    heap.position[row] = i


@kernel
def pop(heap: Any) -> int:
    """Take out the first item; the queue must not be empty."""
    first = heap.items[0]
    heap.position[np.uintp(first)] = ABSENT
    size = heap.size[0] - 1
    heap.size[0] = size
    if size == 0:
        return int(first)
    item = heap.items[np.uintp(size)]  # the last fills the gap, and sinks from there
    i = 0
    while 2 * i + 1 < size:
        below = 2 * i + 1
        if below + 1 < size and _goes_before(heap, heap.items[np.uintp(below + 1)], heap.items[np.uintp(below)]):
            below += 1
        other = heap.items[np.uintp(below)]
        if _goes_before(heap, item, other):
            break
        heap.items[np.uintp(i)] = other
        heap.position[np.uintp(other)] = i
        i = below
    heap.items[np.uintp(i)] = item
    heap.position[np.uintp(item)] = i
    return int(first)


@kernel
def _goes_before(heap: Any, one: int, other: int) -> bool:
    p, p_other = heap.priority[np.uintp(one)], heap.priority[np.uintp(other)]
    return bool(p > p_other or (p == p_other and one < other))
