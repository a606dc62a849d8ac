"""Whole đồng and rates in parts per million, in integers only (`domain.md` §2)."""

MAX_AMOUNT = 1_000_000_000_000
"""The largest single amount, in đồng."""

PPM = 1_000_000
"""One whole, in parts per million."""

MAX_MONTHLY_RATE_PPM = 16_666
"""20 % a year, the ceiling of article 468 of the Civil Code (91/2015/QH13), as a monthly rate."""


def half_up(numerator: int, denominator: int) -> int:
    """The quotient of two integers rounded half up to a whole number; both at least zero."""
    return (2 * numerator + denominator) // (2 * denominator)


def share(amount: int, rate_ppm: int, to_nearest: int = 1) -> int:
    """The part `rate_ppm` of an amount of đồng, rounded half up, once, to the nearest multiple of so many đồng."""
    return half_up(amount * rate_ppm, PPM * to_nearest) * to_nearest
