"""A decorator of frozen, slotted dataclasses that compiles nothing until a class's first value is made.

The standard one compiles six functions for every such class: half a millisecond each, whenever a module is imported. A
command makes values of few of the classes that it imports; for those one function, `__init__`, is compiled here. To
type checkers, `fields` and `replace` the classes are standard dataclasses.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

_LOCK = RLock()


def _decorator(**options: bool) -> Any:  # noqa: ANN401 - type checkers see the standard decorator
    """Ours for frozen classes with slots, whose fields must all be their own; else the standard one."""
    return _awaiting if options == {"frozen": True, "slots": True} else dataclasses.dataclass(**options)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _decorator


def _awaiting(plain: type) -> type:
    """The class with slots, whose first `__init__` completes it."""
    names = tuple(vars(plain).get("__annotations__", ()))
    namespace = {name: value for name, value in vars(plain).items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: namespace.pop(name) for name in names if name in namespace}
    methods = {"__slots__": names, "__setattr__": _refuse, "__delattr__": _refuse, "__reduce__": _reduced}
    made: Any = type(plain)(plain.__name__, plain.__bases__, {**namespace, **methods})
    made.__qualname__ = plain.__qualname__

    def first(self: object, *args: object, **kwargs: object) -> None:
        with _LOCK:
            if made.__init__ is first:
                _complete(made, defaults)
        made.__init__(self, *args, **kwargs)

    made.__init__ = first
    cls: type = made
    return cls


def _refuse(self: object, name: str, *_: object) -> NoReturn:
    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


def _reduced(self: object) -> tuple[Any, ...]:
    """How another process makes the same value."""
    cls: Any = type(self)
    return cls, tuple(getattr(self, name) for name in cls.__slots__)


def _complete(cls: Any, defaults: dict[str, Any]) -> None:  # noqa: ANN401 - its attributes are set
    """Fields as the standard library describes them, and the methods of a value."""
    slots = {name: vars(cls)[name] for name in cls.__slots__}
    for name, default in defaults.items():
        setattr(cls, name, default)  # where the standard decorator looks for it
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    for name in defaults:
        setattr(cls, name, slots[name])
    fields = dataclasses.fields(cls)
    compared = [field.name for field in fields if field.compare]
    # One name alone would give its value, and not a tuple, which compares what is identical as equal.
    key = attrgetter(*(compared * 2 if len(compared) == 1 else compared)) if compared else lambda _: ()
    shown = [field.name for field in fields if field.repr]

    def equal(self: object, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    cls.__eq__ = equal
    cls.__hash__ = lambda self: hash(key(self))
    cls.__repr__ = lambda self: f"{cls.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"
    cls.__init__ = _initializer(fields, slots)


def _initializer(fields: tuple[dataclasses.Field[Any], ...], slots: dict[str, Any]) -> Any:  # noqa: ANN401 - compiled
    """`__init__` with the fields as parameters."""
    scope: dict[str, Any] = {"MISSING": MISSING}
    parameters, lines = [], []
    for field in fields:
        name, value = field.name, field.name
        scope[f"set_{name}"] = slots[name].__set__
        if field.default_factory is not MISSING:
            scope[f"make_{name}"] = field.default_factory
            value = f"make_{name}() if {name} is MISSING else {name}"
        scope[f"default_{name}"] = field.default
        has_default = value != name or field.default is not MISSING
        parameters.append(f"{name}=default_{name}" if has_default else name)
        lines.append(f" set_{name}(self, {value})")
    text = "\n".join([f"def __init__({', '.join(['self', *parameters])}):", *(lines or [" pass"])])
    exec(text, scope)
    return scope["__init__"]
