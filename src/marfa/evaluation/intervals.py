"""How far chance alone could have moved a count: intervals and a test, in plain arithmetic."""

from __future__ import annotations

import math

_Z = 1.959963984540054
"""95 % of a normal distribution lie within this many standard deviations."""


def wilson(right: int, n: int) -> list[float]:
    """Return the 95 % interval of a share, after Wilson.

    Args:
        right: how many of them.
        n: how many in all, at least 1.

    Returns:
        Its lower and upper end, 0 to 1.

    >>> wilson(1, 1), wilson(9000, 10000)
    ([0.206549, 1.0], [0.893966, 0.905727])
    """
    share, z2 = right / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # rounding errors must not push an end past the share itself
    return [
        _kept(max(0.0, min(share, middle - reach))),
        _kept(min(1.0, max(share, middle + reach))),
    ]


def paired(first: int, second: int, n: int) -> list[float]:
    """Return the 95 % interval of the difference of two shares of the same texts.

    After Agresti and Min: half a text is added to each cell of the two by two table.

    Args:
        first: texts that only the first has right.
        second: texts that only the second has right.
        n: texts in all, at least 1.

    Returns:
        Its lower and upper end, -1 to 1.

    >>> paired(60, 40, 1000)
    [0.000341, 0.039579]
    """
    b, c, total = first + 0.5, second + 0.5, n + 2.0
    difference, middle = (first - second) / n, (b - c) / total
    reach = _Z * math.sqrt(b + c - (b - c) ** 2 / total) / total
    # the added texts must not push an end past the difference itself
    low, high = min(difference, middle - reach), max(difference, middle + reach)
    return [_kept(max(-1.0, low)), _kept(min(1.0, high))]


def mid_p(first: int, second: int) -> float:
    """Return McNemar's two-sided mid-p value, exact: of a fair coin's heads and tails.

    Args:
        first: texts that only the first has right.
        second: texts that only the second has right.

    Returns:
        How often chance makes a difference as large, 0 to 1, to six significant digits.

    >>> mid_p(6, 0), mid_p(3, 3)
    (0.015625, 1.0)
    """
    n, fewer = first + second, min(first, second)
    # in whole numbers: 2 ** -n is no float any more from n = 1075 on
    ways = total = 1
    for k in range(fewer):
        ways = ways * (n - k) // (k + 1)
        total += ways
    return float(f"{(2 * total - ways) / (1 << n):.6g}")


def _kept(value: float) -> float:
    return round(value, 6)
