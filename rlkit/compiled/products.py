"""Matrix products of flat arrays, tile by tile."""

from typing import Any

from rlkit.compiled.jit import kernel
from rlkit.compiled.tiles import BYTES, ROWS, VECTORS, tile

_TALL, _WIDE, _ONE = (0,) * ROWS, (0,) * VECTORS, (0,)


@kernel
def product(
    c: Any, c_at: int, c_row: int, a: Any, a_at: int, a_row: int, a_step: int,
    b: Any, b_at: int, b_step: int, m: int, n: int, k: int, add: bool,
) -> None:  # fmt: skip
    """C [m, n] = A [m, k] B [k, n], or C += A B; n is a multiple of the numbers in a vector.

    Args:
        c: flat array; C[i, j] is c[c_at + i c_row + j].
        c_at: see there.
        c_row: see there.
        a: flat array; A[i, j] is a[a_at + i a_row + j a_step], so that a transposed matrix costs nothing.
        a_at: see there.
        a_row: see there.
        a_step: see there.
        b: flat array; B[i, j] is b[b_at + i b_step + j].
        b_at: see there.
        b_step: see there.
        m: rows of A and C.
        n: columns of B and C.
        k: columns of A, rows of B.
        add: whether to add to C.
    """
    lanes = BYTES // c.itemsize
    j = 0
    while j + lanes <= n:
        wide = j + VECTORS * lanes <= n
        i = 0
        while i < m:
            tall = i + ROWS <= m or (m >= ROWS and not add)
            top = min(i, m - ROWS) if tall else i  # what the last tile computes once more comes out the same
            to, of = c_at + top * c_row + j, a_at + top * a_row
            if tall:
                if wide:
                    tile(c, to, c_row, a, of, a_row, a_step, b, b_at + j, b_step, k, add, _TALL, _WIDE)
                else:
                    tile(c, to, c_row, a, of, a_row, a_step, b, b_at + j, b_step, k, add, _TALL, _ONE)
                i += ROWS
            else:
                if wide:
                    tile(c, to, c_row, a, of, a_row, a_step, b, b_at + j, b_step, k, add, _ONE, _WIDE)
                else:
                    tile(c, to, c_row, a, of, a_row, a_step, b, b_at + j, b_step, k, add, _ONE, _ONE)
                i += 1
        j += VECTORS * lanes if wide else lanes
