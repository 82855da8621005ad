"""Values of a swept keyword: a list as it is, or a range { from, to, step | count | factor }."""

from decimal import Decimal, InvalidOperation

FORMS = "{ from, to, step }, { from, to, count } or { from, to, factor }"
MOST_VALUES = 1_000_000


def is_range(value) -> bool:
    return isinstance(value, dict) and "from" in value


def values_of(given) -> list:
    """The values; raises ValueError that says why there are none."""
    if isinstance(given, list):
        if not given:
            raise ValueError("the list is empty")
        return given
    if not is_range(given):
        raise ValueError("neither a list nor a range")
    return _range(given)


def _range(given: dict) -> list:
    ways = set(given) - {"from", "to"}
    if "to" not in given or len(ways) != 1 or not ways <= {"step", "count", "factor"}:
        raise ValueError("a range has from, to and one of step, count, factor")
    way = ways.pop()
    first, last, by = (_decimal(given[name]) for name in ("from", "to", way))
    numbers = {"step": _steps, "count": _counted, "factor": _factors}[way](first, last, by)
    is_whole = all(isinstance(given[name], int) for name in ("from", "to")) and all(one == one.to_integral() for one in numbers)
    return [int(one) if is_whole else float(one) for one in numbers]


def _decimal(value) -> Decimal:
    """As it is written, so that 3 steps of 0.1 are 0.3."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    try:
        number = Decimal(repr(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no number") from error
    if not number.is_finite():
        raise ValueError(f"{value!r} is not finite")
    return number


def _steps(first: Decimal, last: Decimal, step: Decimal) -> list[Decimal]:
    if step == 0 or (last - first) / step < 0:
        raise ValueError("the step does not lead from the first value to the last")
    n_steps = int((last - first) / step * (1 + Decimal("1e-9")))
    _check_number(n_steps)
    return [first + step * k for k in range(n_steps + 1)]


def _counted(first: Decimal, last: Decimal, count: Decimal) -> list[Decimal]:
    if count != count.to_integral() or count < 2:
        raise ValueError("a count is a whole number of at least 2")
    _check_number(count)
    return [first + (last - first) * k / (count - 1) for k in range(int(count))]


def _factors(first: Decimal, last: Decimal, factor: Decimal) -> list[Decimal]:
    if factor <= 0 or factor == 1 or first * last <= 0 or (abs(last) - abs(first)) * (factor - 1) < 0:
        raise ValueError("the factor does not lead from the first value to the last")
    numbers = [first]
    while len(numbers) <= MOST_VALUES:
        following = numbers[-1] * factor
        excess = (abs(following) - abs(last)) * (1 if factor > 1 else -1)
        if excess > abs(last) * Decimal("1e-9"):
            return numbers
        numbers.append(following)
    raise ValueError(f"more than {MOST_VALUES} values")


def _check_number(count) -> None:
    if count > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values")
