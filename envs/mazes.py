"""Random grids that can always be solved: walls and forbidden cells by chance, opened where they cut the way."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.cells import FLOOR, FORBIDDEN, TARGET, WALL


def random_kinds(rows: int, cols: int, density: float, forbidden: float, seed: int) -> NDArray[np.uint8]:
    """Draw the kinds [rows, cols] of a random grid; `envs.layouts.random_layout` states what it guarantees."""
    rng = np.random.default_rng(seed)
    draw = rng.random((rows, cols))
    kinds = np.where(draw < density, WALL, np.where(draw < density + forbidden, FORBIDDEN, FLOOR)).astype(np.uint8)
    kinds[0, 0] = FLOOR
    kinds[-1, -1] = TARGET
    cells = kinds.ravel()
    _open_way(cells, rows, cols)
    _join_pockets(cells, rows, cols, rng.permutation(np.flatnonzero(cells == WALL)))
    over_floor = _connected(cells, rows, cols, through_forbidden=False)
    cells[(cells == FLOOR) & ~over_floor] = WALL
    cells[~_connected(cells, rows, cols, through_forbidden=True)] = WALL
    return kinds


@njit(cache=True, nogil=True)
def _neighbour(cell: int, way: int, rows: int, cols: int) -> int:
    row, col = cell // cols, cell % cols
    if way == 0:
        return cell - cols if row > 0 else -1
    if way == 1:
        return cell + 1 if col < cols - 1 else -1
    if way == 2:
        return cell + cols if row < rows - 1 else -1
    return cell - 1 if col > 0 else -1


@njit(cache=True, nogil=True)
def _open_way(cells: NDArray[np.uint8], rows: int, cols: int) -> None:
    """Turn the fewest blocked cells into floor that join the first cell and the last (0-1 breadth-first search)."""
    n = rows * cols
    cost = np.full(n, n, np.int64)
    back = np.full(n, -1, np.int64)
    now, now_size = np.empty(n + 1, np.int64), 1
    then, then_size = np.empty(n + 1, np.int64), 0
    now[0], cost[0], level = 0, 0, 0
    while now_size > 0:
        while now_size > 0:
            now_size -= 1
            cell = now[now_size]
            if cost[cell] < level:
                continue
            for way in range(4):
                neighbour = _neighbour(cell, way, rows, cols)
                if neighbour < 0:
                    continue
                blocked = cells[neighbour] == WALL or cells[neighbour] == FORBIDDEN
                price = level + 1 if blocked else level
                if price < cost[neighbour]:
                    cost[neighbour], back[neighbour] = price, cell
                    if blocked:
                        then[then_size] = neighbour
                        then_size += 1
                    else:
                        now[now_size] = neighbour
                        now_size += 1
        now, then = then, now
        now_size, then_size = then_size, 0
        level += 1
    cell = n - 1
    while cell >= 0:
        if cells[cell] != TARGET:
            cells[cell] = FLOOR
        cell = back[cell]


@njit(cache=True, nogil=True)
def _join_pockets(cells: NDArray[np.uint8], rows: int, cols: int, walls: NDArray[np.int64]) -> None:
    """Open, in the order given, each wall that separates pockets of floor from each other (Kruskal's algorithm)."""
    parent = np.arange(rows * cols)
    open_cells = np.flatnonzero((cells == FLOOR) | (cells == TARGET))
    for k in range(len(open_cells)):
        cell = int(open_cells[k])
        for way in range(4):
            neighbour = _neighbour(cell, way, rows, cols)
            if neighbour >= 0 and (cells[neighbour] == FLOOR or cells[neighbour] == TARGET):
                parent[_root(parent, cell)] = _root(parent, neighbour)
    for k in range(len(walls)):
        wall = int(walls[k])
        first = -1
        separates = False
        for way in range(4):
            neighbour = _neighbour(wall, way, rows, cols)
            if neighbour >= 0 and (cells[neighbour] == FLOOR or cells[neighbour] == TARGET):
                root = _root(parent, neighbour)
                separates |= first >= 0 and root != first
                first = root
        if separates:
            cells[wall] = FLOOR
            for way in range(4):
                neighbour = _neighbour(wall, way, rows, cols)
                if neighbour >= 0 and (cells[neighbour] == FLOOR or cells[neighbour] == TARGET):
                    parent[_root(parent, neighbour)] = wall


@njit(cache=True, nogil=True)
def _root(parent: NDArray[np.int64], cell: int) -> int:
    while parent[cell] != cell:
        parent[cell] = parent[parent[cell]]
        cell = parent[cell]
    return cell


@njit(cache=True, nogil=True)
def _connected(cells: NDArray[np.uint8], rows: int, cols: int, through_forbidden: bool) -> NDArray[np.bool_]:
    """Mark the cells that are joined to the last cell without crossing a wall."""
    n = rows * cols
    reached = np.zeros(n, np.bool_)
    stack, size = np.empty(n, np.int64), 1
    stack[0] = n - 1
    reached[n - 1] = True
    while size > 0:
        size -= 1
        cell = stack[size]
        for way in range(4):
            neighbour = _neighbour(cell, way, rows, cols)
            if neighbour < 0 or reached[neighbour] or cells[neighbour] == WALL:
                continue
            if cells[neighbour] == FORBIDDEN and not through_forbidden:
                continue
            reached[neighbour] = True
            stack[size] = neighbour
            size += 1
    return reached
