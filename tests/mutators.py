"""Small changes of a source file that a test should notice: its mutants.

Each mutant replaces one expression or statement: another operator, a boundary moved by one, a condition that always
holds, a value that is not returned, a statement that is left out. Left alone are annotations, docstrings and other
strings, assertions (``strict=True`` of ``zip`` is one), and what an error says; that it is raised is not.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
# The boundary, and the opposite.
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
# Functions whose arguments are not swapped: it would make no difference, or always an error.
ARGUMENTS_STAY = ("getattr", "hasattr", "indexable", "isinstance", "issubclass")
ARGUMENTS_STAY += ("add", "array_equal", "max", "maximum", "min", "minimum", "result_type")


@dataclass(frozen=True)
class Mutant:
    """One change: the bytes from ``start`` to ``end`` are replaced.

    ``lines`` are those of the statement that is changed, by which the tests that reach it are found; None if it runs
    when the module is imported.
    """

    start: int
    end: int
    replacement: str
    lines: tuple[int, int] | None

    def apply(self, source: bytes) -> bytes:
        """Give the changed source."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        """Show the change as lines removed and added."""
        removed, added = self.changed_lines(source)
        return "\n".join([*(f"- {line}" for line in removed), *(f"+ {line}" for line in added)])

    def changed_lines(self, source: bytes) -> tuple[list[str], list[str]]:
        """The lines that are no longer there, and those in their place, stripped."""
        first = source.rfind(b"\n", 0, self.start) + 1
        last = (source.find(b"\n", self.end) + 1 or len(source) + 1) - 1
        after = source[first : self.start] + self.replacement.encode() + source[self.end : last]
        removed, added = ([line.strip() for line in text.decode().splitlines()] for text in (source[first:last], after))
        return removed, added

    def line_number(self, source: bytes) -> int:
        """The line at which it begins."""
        return source[: self.start].count(b"\n") + 1


def find_mutants(source: bytes) -> list[Mutant]:
    """All mutants of a source file, in the order of its lines."""
    return list(dict.fromkeys(sorted(_Finder(source).find(), key=lambda mutant: (mutant.start, mutant.end))))


def with_marks(source: bytes) -> ast.Module:
    """A source that calls ``__mark__(line)`` before each statement of a function."""
    tree = ast.parse(source)
    _mark(tree, is_run=False)
    return ast.fix_missing_locations(tree)


def _mark(node: ast.AST, *, is_run: bool) -> None:
    is_run = is_run or isinstance(node, ast.FunctionDef)
    for name, parts in ast.iter_fields(node):
        inner = [part for part in parts if isinstance(part, ast.AST)] if isinstance(parts, list) else []
        for part in inner:
            _mark(part, is_run=is_run)
        if is_run and inner and isinstance(inner[0], ast.stmt):
            setattr(node, name, [each for part in inner for each in (_call_of_mark(part), part)])


def _call_of_mark(statement: Any) -> ast.stmt:
    call = ast.Call(ast.Name("__mark__", ast.Load()), [ast.Constant(statement.lineno)], [])
    return ast.copy_location(ast.Expr(call), statement)


class _Finder:
    """Walks through a module and knows which statement it is in."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def find(self) -> Iterator[Mutant]:
        yield from self._of_statements(ast.parse(self._source).body, is_run=False)

    def _of_statements(self, body: list[ast.stmt], *, is_run: bool) -> Iterator[Mutant]:
        """``is_run``: the statements are in a function, and not run at import."""
        for statement in body:
            if _is_left_alone(statement):
                continue
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                if isinstance(statement, ast.FunctionDef):
                    yield from self._of_expressions(statement.args, None)
                yield from self._of_statements(statement.body, is_run=isinstance(statement, ast.FunctionDef))
                continue
            inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(statement, name, [])]
            inner += [part for handler in getattr(statement, "handlers", []) for part in handler.body]
            last = inner[0].lineno - 1 if inner else statement.end_lineno
            lines = (statement.lineno, max(statement.lineno, last or 0)) if is_run else None
            if is_run and not inner:
                yield from self._of_whole(statement, lines)
            if not isinstance(statement, ast.Raise):
                for child in ast.iter_child_nodes(statement):
                    is_annotation = child is getattr(statement, "annotation", None)
                    if not is_annotation and not isinstance(child, ast.stmt | ast.ExceptHandler):
                        yield from self._of_expressions(child, lines)
            if isinstance(statement, ast.If | ast.While):
                yield from self._replace(statement.test, ["False"] + ["True"] * isinstance(statement, ast.If), lines)
            yield from self._of_statements(inner, is_run=is_run)

    def _of_whole(self, statement: ast.stmt, lines: Any) -> Iterator[Mutant]:
        """The statement left out, or its value."""
        if isinstance(statement, ast.Return):
            is_value = statement.value is not None and ast.unparse(statement.value) != "None"
            yield from self._replace(statement, ["return None"] if is_value else [], lines)
        elif isinstance(statement, ast.Continue | ast.Break):
            yield from self._replace(statement, ["break" if isinstance(statement, ast.Continue) else "continue"], lines)
        elif not (isinstance(statement, ast.AnnAssign) and statement.value is None):
            yield from self._replace(statement, ["pass"], lines)

    def _of_expressions(self, node: ast.AST, lines: Any) -> Iterator[Mutant]:
        if isinstance(node, ast.JoinedStr):
            return
        if isinstance(node, ast.expr):
            yield from self._replace(node, [_as_part(change) for change in _changes(node)], lines)
            if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
                return
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns") and not (isinstance(node, ast.keyword) and node.arg == "strict"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from self._of_expressions(child, lines)

    def _replace(self, node: Any, replacements: list[str], lines: Any) -> Iterator[Mutant]:
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        if self._source[start - 1 : start] + self._source[end : end + 1] == b"()":
            replacements = [each[1:-1] if each[0] == "(" else each for each in replacements]
        for replacement in replacements:
            if self._source[start:end].decode() != replacement:
                yield Mutant(start, end, replacement, lines)


def _as_part(expression: ast.expr) -> str:
    """Its source, which may stand inside another expression."""
    text = ast.unparse(expression)
    return text if isinstance(expression, ast.Constant | ast.Call | ast.Name) else f"({text})"


def _is_left_alone(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert | ast.Pass | ast.Global | ast.Nonlocal):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)  # a docstring, or the dots of an overload
    if isinstance(statement, ast.FunctionDef):
        return "overload" in map(ast.unparse, statement.decorator_list)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id.startswith("__") for target in targets)


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    """Other expressions in the place of this one."""
    match node:
        case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(operator)](), right)
        case ast.Compare(left, [operator], [right]):
            for other in COMPARISONS[type(operator)]:
                yield ast.Compare(left, [other()], [right])
        case ast.Compare(left, operators, comparators):
            for (low, high), operator in zip(pairwise([left, *comparators]), operators, strict=True):
                yield ast.Compare(low, [operator], [high])
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.USub(), ast.Constant(int(value) | float(value))):
            yield from (ast.Constant(1 - value), ast.Constant(value))
        case ast.UnaryOp(ast.Not() | ast.USub() | ast.Invert(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(float(value)):
            yield ast.Constant(2 * value if value else 1.0)
        case ast.Call(function, [first, second, *rest], keywords) if not isinstance(first, ast.Starred):
            if ast.unparse(function).split(".")[-1] not in ARGUMENTS_STAY:
                yield ast.Call(function, [second, first, *rest], keywords)
