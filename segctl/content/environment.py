"""Jinja2 in a closed room: data by name, a few filters and macros, and a price on everything that runs.

Jinja's own sandbox lets methods of values be called and knows no limits. Here attributes of objects are out of reach
altogether, and every body and call, every character written and every text that a filter makes counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined, TemplateNotFound, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.loaders import BaseLoader
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from segctl.content import filters
from segctl.content.addresses import ENCODED, Encoding, encoded
from segctl.content.needs import taking_in
from segctl.content.rendering import LimitError, current
from segctl.content.values import Memberships

LONGEST_SOURCE = 200_000
MOST_RANGE = 1_000
_LOOP = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "cycle", "changed", "previtem", "nextitem"}
)
_DATES = frozenset({"year", "month", "day", "hour", "minute"})
_LARGEST = 10**18
_CLOSED = (nodes.ScopedEvalContextModifier, nodes.EvalContextModifier, nodes.InternalName)
_Body = nodes.Template | nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block
_PAY, _JOINED = "pay for this body", "join these parts"

Read = Callable[[str], tuple[str, str] | None]
"""Name of a file → its path and text; None when there is none."""


class Room(ImmutableSandboxedEnvironment):
    """The environment of all templates of one part: HTML, where values are escaped, or text.

    Args:
        read: Gives what `include`, `extends` and `import` ask for.
        is_html: Values are escaped.
        is_address: Values are encoded as parts of an address.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, read: Read, *, is_html: bool, is_address: bool = False) -> None:
        self._is_address = is_address
        super().__init__(
            undefined=StrictUndefined,
            autoescape=is_html,
            finalize=_finalize,
            loader=_Files(read),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.filters = {**filters.table(), _PAY: _pay, _JOINED: filters.concatenated}
        if is_address:
            self.filters[ENCODED] = encoded
        self.globals = {"range": _range}

    # --- Compiling -------------------------------------------------------------------------------------------
    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - as in Jinja
        refuse(source)
        if self._is_address:
            Encoding(self).visit(source)
        _Priced(self).visit(source)
        return super()._generate(source, *args, **kwargs)

    # --- Reaching into values ----------------------------------------------------------------------------------
    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - as in Jinja
        """As `getitem`: nothing but data has names."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - as in Jinja
        """What a mapping, a list, a date, a loop or an imported file has under that name."""
        if isinstance(obj, Undefined):
            str(obj)
            return obj
        is_name = isinstance(argument, str)
        if isinstance(obj, Mapping) and is_name and argument in obj:
            return obj[argument]
        if isinstance(obj, Memberships) and obj.asked(argument) is not None:
            return obj.asked(argument)
        if isinstance(obj, list | tuple) and isinstance(argument, int) and not isinstance(argument, bool):
            return obj[argument] if -len(obj) <= argument < len(obj) else self.undefined(name=str(argument))
        if is_name and (
            (isinstance(obj, LoopContext) and argument in _LOOP)
            or (isinstance(obj, datetime | date) and argument in _DATES)
        ):
            return getattr(obj, argument, self.undefined(name=argument))
        if isinstance(obj, TemplateModule) and is_name and not argument.startswith("_"):
            found = obj.__dict__.get(argument)
            return found if isinstance(found, Macro | str) else self.undefined(name=argument)
        return self.undefined(f"there is no `{str(argument)[:60]}` here", name=str(argument)[:60])

    def join_path(self, template: str, parent: str) -> str:
        """A file that another asks for, in the language of that one."""
        return f"{parent.partition(':')[0]}:{template}"

    # --- Calling and reckoning -----------------------------------------------------------------------------
    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401 - as in Jinja
        """Macros, blocks, `range` and `loop.cycle`."""
        owner = getattr(obj, "self__", None)
        return isinstance(obj, Macro | BlockReference) or obj is _range or isinstance(owner, LoopContext)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as in Jinja
        """Calls what may be called, as a step."""
        if isinstance(obj, Undefined):
            raise UndefinedError(f"`{obj._undefined_name}` cannot be called")
        if not self.is_safe_callable(obj):
            raise SecurityError("only macros, blocks, `range` and `loop.cycle` can be called")
        rendering = current()
        if rendering is not None:
            rendering.step()
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - as in Jinja
        """Reckons with numbers; joins texts and lists of a sensible length."""
        for value in (left, right):
            if isinstance(value, Undefined):
                value._fail_with_undefined_error()
        if operator == "+" and isinstance(left, str | list) and isinstance(right, str | list):
            filters.check_length(len(left) + len(right))
            return super().call_binop(context, operator, left, right)
        if not (_is_number(left) and _is_number(right)):
            raise ValueError(f"`{operator}` is for numbers")
        if operator == "**":
            raise ValueError("there is no `**`")
        if isinstance(left, Decimal) != isinstance(right, Decimal):
            left, right = Decimal(str(left)), Decimal(str(right))
        made = super().call_binop(context, operator, left, right)
        if abs(made) >= _LARGEST:
            raise LimitError("a number gets too large")
        return made


def refuse(source: nodes.Template) -> None:
    """Refuses what no message needs and what would open the room.

    Raises:
        TemplateSyntaxError: With the line.
    """
    for node in source.find_all(nodes.For):
        if node.recursive:
            raise TemplateSyntaxError("loops cannot be `recursive`", node.lineno)
    for closed in source.find_all(_CLOSED):
        raise TemplateSyntaxError("escaping cannot be switched off", closed.lineno)
    for asked in taking_in(source):
        if not (isinstance(asked.template, nodes.Const) and isinstance(asked.template.value, str)):
            raise TemplateSyntaxError("write the name of the file itself, in quotes", asked.lineno)


class _Priced(NodeTransformer):
    """Every body pays, when it runs, for its text; `~` becomes a filter that looks at lengths."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def _body(self, node: _Body) -> nodes.Node:
        self.generic_visit(node)
        size = sum(len(data.data) for data in _own_text(node))
        paying = nodes.Filter(nodes.Const(size), _PAY, [], [], None, None)
        output = nodes.Output([paying]).set_lineno(node.lineno).set_environment(self._room)
        node.body.insert(0, output)
        return node

    visit_Template = visit_For = visit_Macro = visit_CallBlock = visit_Block = _body  # noqa: N815 - names of nodes

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - name of a node
        """The filter instead of the operator."""
        self.generic_visit(node)
        parts = nodes.List(node.nodes)
        joined = nodes.Filter(parts, _JOINED, [], [], None, None)
        return joined.set_lineno(node.lineno).set_environment(self._room)


def _own_text(node: nodes.Node) -> list[nodes.TemplateData]:
    """Texts below a body that are not in another body below it."""
    found: list[nodes.TemplateData] = []
    waiting = list(node.iter_child_nodes())
    while waiting:
        one = waiting.pop()
        if isinstance(one, nodes.TemplateData):
            found.append(one)
        elif not isinstance(one, nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block):
            waiting.extend(one.iter_child_nodes())
    return found


# The context keeps both from being worked out when a template is compiled.
@pass_context
def _pay(_context: Context, size: int) -> str:
    rendering = current()
    if rendering is not None:
        rendering.step()
        rendering.write(size)
    return ""


@pass_context
def _finalize(_context: Context, value: object) -> str:
    text = filters.written(value)
    rendering = current()
    if rendering is not None:
        rendering.write(len(text))
    return text


def _range(*bounds: int) -> range:
    if not all(isinstance(bound, int) for bound in bounds):
        raise ValueError("`range` takes whole numbers")
    made = range(*bounds)
    if len(made) > MOST_RANGE:
        raise LimitError(f"`range` has more than {MOST_RANGE:,} numbers")
    return made


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


class _Files(BaseLoader):
    """Files of the same part, in the language of the template that asks."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def get_source(self, environment: object, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The text of a file of that name.

        Raises:
            TemplateNotFound: There is none.
        """
        del environment
        found = self._read(template)
        if found is None:
            raise TemplateNotFound(template)
        path, text = found
        return text, path, lambda: True
