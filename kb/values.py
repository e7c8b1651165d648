"""Frozen, slotted dataclasses at a tenth of the price of import.

The standard decorator writes and compiles six methods a class and makes the class twice: 0.6 ms
each, which for the values of this house was a third of a search's start. Here the methods are
shared by all classes, and the one that cannot be, `__init__`, is written when the first value of
a class is made; most classes make none in a given process.

To type checkers, `copy`, `pickle` and `dataclasses.replace`, `fields` and `is_dataclass` these are
ordinary dataclasses. What the house does not use (inheritance, mutable values, `init=False`,
keyword-only fields, `__post_init__`) is refused when the class is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    from operator import attrgetter

    class _Factory:
        """A default that is made anew for each value."""

        __slots__ = ("make",)

        def __init__(self, make: Any) -> None:
            self.make = make

    def replace(value: Any, /, **changes: Any) -> Any:
        """As `dataclasses.replace`, at a third of its price for values of this house."""
        kind = type(value)
        if not hasattr(kind, "_kb_values"):
            import dataclasses  # 7 ms, for the few that are no values of ours

            return dataclasses.replace(value, **changes)
        fields = list(kind._kb_values(value))
        places = kind._kb_places
        if not changes.keys() <= places.keys():
            raise TypeError(f"{kind.__name__} has no {', '.join(changes.keys() - places.keys())}")
        for name, change in changes.items():
            fields[places[name]] = change
        return kind(*fields)

    def field(*, default_factory: Any) -> Any:
        """A default made anew for each value, as `dataclasses.field` does; nothing else of it."""
        return _Factory(default_factory)

    def dataclass(*, frozen: bool, slots: bool, order: bool = False) -> Any:
        """As `dataclasses.dataclass(frozen=True, slots=True)`; see the module for what differs."""
        if not (frozen and slots):
            raise TypeError("values here are frozen and slotted")
        return lambda cls: _made(cls, order=order)

    def _made(cls: type, *, order: bool) -> type:
        contents = dict(cls.__dict__)
        if cls.__bases__ != (object,) or "__post_init__" in contents:
            raise TypeError(f"{cls.__name__}: a value has no base and no __post_init__")
        names = tuple(cls.__annotations__)
        defaults = {name: contents.pop(name) for name in names if name in contents}
        if names[len(names) - len(defaults) :] != tuple(defaults):
            raise TypeError(f"{cls.__name__}: a field without a default follows one with a default")
        for unwanted in ("__dict__", "__weakref__"):
            contents.pop(unwanted, None)
        shared = {
            "__init__": _first_init,
            "__repr__": _repr,
            "__eq__": _eq,
            "__hash__": _hash,
            "__setattr__": _frozen,
            "__delattr__": _frozen,
            "__reduce__": _reduce,
        }
        if order:
            shared |= {"__lt__": _lt, "__le__": _le, "__gt__": _gt, "__ge__": _ge}
        made = type(cls)(
            cls.__name__,
            (),
            {
                **shared,
                **contents,  # what the class writes itself goes before what it would be given
                "__slots__": names,
                "__match_args__": names,
                "_kb_defaults": defaults,
                "_kb_values": _values_of(names),
                "_kb_places": {name: place for place, name in enumerate(names)},
                "__dataclass_fields__": _Fields(),
            },
        )
        made.__qualname__ = cls.__qualname__
        return made

    def _values_of(names: tuple[str, ...]) -> Any:
        """Takes a value to the tuple of its fields; attrgetter does, but bare for a single one."""
        if len(names) > 1:
            return staticmethod(attrgetter(*names))
        return staticmethod(lambda value: tuple(getattr(value, name) for name in names))

    def _first_init(self: Any, /, *args: Any, **named: Any) -> None:
        """Write the class its own `__init__`, then make this first value with it."""
        cls = type(self)
        names, defaults = cls.__slots__, cls._kb_defaults
        space = {"_defaults": defaults, "_missing": _MISSING}
        head, body = [], []
        for name in names:
            value = name
            if name not in defaults:
                head.append(name)
            elif isinstance(defaults[name], _Factory):
                head.append(f"{name}=_missing")
                value = f"_defaults[{name!r}].make() if {name} is _missing else {name}"
            else:
                head.append(f"{name}=_defaults[{name!r}]")
            space[f"_set_{name}"] = cls.__dict__[name].__set__  # the slot itself: a fifth less than setattr
            body.append(f"    _set_{name}(_self, {value})\n")
        source = f"def __init__(_self, {', '.join(head)}):\n{''.join(body) or '    pass'}"
        exec(source, space)  # noqa: S102  # names of fields alone, which Python's grammar has checked
        init = space["__init__"]
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        cls.__init__ = init
        init(self, *args, **named)

    _MISSING = object()

    class _Fields:
        """`__dataclass_fields__`, made when somebody asks (`dataclasses.replace` does)."""

        def __get__(self, _: object, cls: type) -> dict[str, Any]:
            import dataclasses

            made = {}
            for name in cls.__slots__:
                default = cls._kb_defaults.get(name, dataclasses.MISSING)
                kind = "default_factory" if isinstance(default, _Factory) else "default"
                one = dataclasses.field(**{kind: getattr(default, "make", default)})
                one.name, one.type, one._field_type = name, cls.__annotations__[name], dataclasses._FIELD
                one.kw_only = False
                made[name] = one
            type.__setattr__(cls, "__dataclass_fields__", made)
            return made

    def _repr(self: Any) -> str:
        cls = type(self)
        pairs = zip(cls.__slots__, cls._kb_values(self), strict=True)
        return f"{cls.__qualname__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def _eq(self: Any, other: object) -> Any:
        cls = type(self)
        if cls is not type(other):
            return NotImplemented
        return cls._kb_values(self) == cls._kb_values(other)

    def _hash(self: Any) -> int:
        return hash(type(self)._kb_values(self))

    def _frozen(self: Any, name: str, *_: object) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"{type(self).__name__} is a value; {name!r} cannot be changed")

    def _reduce(self: Any) -> Any:
        return type(self), type(self)._kb_values(self)

    def _lt(self: Any, other: object) -> Any:
        cls = type(self)
        return cls._kb_values(self) < cls._kb_values(other) if cls is type(other) else NotImplemented

    def _le(self: Any, other: object) -> Any:
        cls = type(self)
        return cls._kb_values(self) <= cls._kb_values(other) if cls is type(other) else NotImplemented

    def _gt(self: Any, other: object) -> Any:
        cls = type(self)
        return cls._kb_values(self) > cls._kb_values(other) if cls is type(other) else NotImplemented

    def _ge(self: Any, other: object) -> Any:
        cls = type(self)
        return cls._kb_values(self) >= cls._kb_values(other) if cls is type(other) else NotImplemented
