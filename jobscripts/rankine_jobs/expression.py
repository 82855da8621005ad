"""Arithmetic over keywords: "circuit.steps * 10", "pi / 8 * state.max_bond_dimension". Nothing else is evaluated."""

import ast
import math
import operator
import re
from collections.abc import Callable

OPERATIONS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
FUNCTIONS = {"abs": abs, "min": min, "max": max, "round": round, "int": int, "float": float,
             "sqrt": math.sqrt, "exp": math.exp, "log": math.log}  # fmt: skip
LARGEST_EXPONENT = 1000
PLACE = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")


def evaluate(text: str, value_of: Callable[[str], object]):
    """The value of an expression; `value_of` gives that of a keyword. Raises ValueError that says why there is none."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
        value = _value(tree.body, value_of)
    except SyntaxError as error:
        raise ValueError("it is no arithmetic expression") from error
    except (ArithmeticError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"it cannot be computed: {error}") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"its value is {value}")
    return value


def fill(text: str, value_of: Callable[[str], object]) -> str:
    """A text with the values of its places, "{section.key}" or "{section.key:.3f}". Raises ValueError likewise."""

    def shown(place: re.Match) -> str:
        value = value_of(place[1].strip())
        try:
            return format(value, place[2] or "")
        except (TypeError, ValueError) as error:
            raise ValueError(f"{place[0]} cannot be written: {error}") from error

    return PLACE.sub(shown, text)


def _value(node: ast.expr, value_of):
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id="pi"):
            return math.pi
        case ast.Name() | ast.Attribute():
            return _number(_dotted(node), value_of)
        case ast.UnaryOp(op=operation, operand=operand) if type(operation) in OPERATIONS:
            return OPERATIONS[type(operation)](_value(operand, value_of))
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            return _apply(type(operation), _value(left, value_of), _value(right, value_of))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(one, value_of) for one in arguments))
    raise ValueError(f"{ast.unparse(node)} is no arithmetic over keywords")


def _apply(operation: type, left, right):
    if operation is ast.Pow and (abs(right) > LARGEST_EXPONENT or abs(left) > 1e100):
        raise ValueError("a power is too large")
    return OPERATIONS[operation](left, right)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    raise ValueError(f"{ast.unparse(node)} is no keyword")


def _number(key: str, value_of):
    value = value_of(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} = {value!r} is no number")
    return value
