"""The address that unsubscribes a person: every value in it is encoded, and what is made stands safely in a header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer

from segctl.content import filters

ENCODED = "\x00encoded"
_CATALOGUES = ("values", "offers")
"""Texts that the project itself declares: they stand as they are written."""
_WHOLE = re.compile(r"https?://[^/?#]+([/?#].*)?\Z", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\s<>\",]")


class Encoding(NodeTransformer):
    """Encodes every expression that stands in an address, unless `urlencode` is the last thing done to it."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - name of a node
        """A piece of text, or an expression."""
        node.nodes = [self._encoded(one) for one in node.nodes]
        return node

    def _encoded(self, node: nodes.Expr) -> nodes.Expr:
        if isinstance(node, nodes.TemplateData | nodes.Const) or _is_declared(node):
            return node
        if isinstance(node, nodes.Filter) and node.name == "urlencode":
            return node
        if isinstance(node, nodes.CondExpr):
            node.expr1 = self._encoded(node.expr1)
            node.expr2 = None if node.expr2 is None else self._encoded(node.expr2)
            return node
        made = nodes.Filter(node, ENCODED, [], [], None, None)
        made.set_lineno(node.lineno).set_environment(self._environment)
        return made


def encoded(value: object) -> str:
    """A value as it can stand anywhere in an address."""
    return quote(filters.written(value), safe="")


def why_no_address(text: str) -> str | None:
    """What keeps a text from being an address in a header; None when nothing does."""
    found = _FORBIDDEN.search(text)
    if found:
        return f"the address that unsubscribes holds {_NAMES.get(found[0], 'a space')}, which ends it in a header"
    return None if _WHOLE.match(text) else "the address that unsubscribes does not begin with `https://` and a host"


_NAMES = {"<": "`<`", ">": "`>`", '"': "a quotation mark", ",": "a comma"}


def sketched(tree: nodes.Template) -> str:
    """The address with a word in place of each value, for a look at it before anybody is there."""
    return "".join(_pieces(tree))


def _pieces(tree: nodes.Template) -> Iterator[str]:
    for output in tree.find_all(nodes.Output):
        for number, node in enumerate(output.nodes):
            if isinstance(node, nodes.TemplateData):
                yield node.data
            elif isinstance(node, nodes.Const):
                yield str(node.value)
            else:
                # A declared text may be the whole beginning.
                yield "https://x" if _is_declared(node) and number == 0 else "x"


def _is_declared(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Getattr):
        node = node.node
        if isinstance(node, nodes.Name):
            return node.name in _CATALOGUES
    return False
