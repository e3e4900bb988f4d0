"""Lets a failing assertion say what was compared: ``assert ctx.get(dut.count) == 3`` fails with ``2 == 3``."""

import ast

__all__ = ("tell_what_is_compared",)

_WORDS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
#: What an assertion's sides are kept in. One underscore: two would be another name inside of a class.
_SIDES = ("_compared_left", "_compared_right")


def tell_what_is_compared(tree: ast.Module) -> None:
    """Give each assertion that is one comparison, and says nothing itself, a message of both sides' values.

    Each side is evaluated once, as before.
    """
    _Assertions().visit(tree)
    ast.fix_missing_locations(tree)


class _Assertions(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        test = node.test
        if node.msg is not None or not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return node
        left, right = _SIDES
        kept = ast.Compare(_kept(left, test.left), test.ops, [_kept(right, test.comparators[0])])
        words: list[ast.expr] = [_shown(left), ast.Constant(f" {_WORDS[type(test.ops[0])]} "), _shown(right)]
        return ast.copy_location(ast.Assert(ast.copy_location(kept, test), ast.JoinedStr(words)), node)


def _kept(name: str, value: ast.expr) -> ast.expr:
    return ast.copy_location(ast.NamedExpr(ast.Name(name, ast.Store()), value), value)


def _shown(name: str) -> ast.FormattedValue:
    return ast.FormattedValue(ast.Name(name, ast.Load()), ord("r"))
