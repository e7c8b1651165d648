"""The house's own dataclasses behave as the standard ones do, for what the house uses of them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import values


@values.dataclass(frozen=True, slots=True, order=True)
class Ours:
    """Three fields, one without a default."""

    name: str
    number: int = 3
    extra: Mapping[str, object] = values.field(default_factory=dict)

    @property
    def shout(self) -> str:
        return self.name.upper()


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Standard:
    name: str
    number: int = 3
    extra: Mapping[str, object] = dataclasses.field(default_factory=dict)


@values.dataclass(frozen=True, slots=True)
class Single:
    only: int


@values.dataclass(frozen=True, slots=True)
class Nothing:
    pass


ARGUMENTS = st.tuples(st.text(max_size=3), st.integers(0, 3))


@given(ARGUMENTS, ARGUMENTS)
def test_they_compare_order_and_hash_as_the_standard_ones(one: Any, other: Any) -> None:
    ours, standard = (Ours(*one), Ours(*other)), (Standard(*one), Standard(*other))
    assert (ours[0] == ours[1]) == (standard[0] == standard[1])
    assert (ours[0] != ours[1]) == (standard[0] != standard[1])
    if one != other:
        assert (ours[0] < ours[1]) == (standard[0] < standard[1])
        assert (ours[0] >= ours[1]) == (standard[0] >= standard[1])
    assert repr(ours[0]) == repr(standard[0]).replace("Standard", "Ours")
    assert hash(Single(one[1])) == hash(Single(one[1]))
    assert Single(1) != Single(2)
    assert len({Single(1), Single(1), Single(2)}) == 2


def test_other_types_are_never_equal_and_never_ordered() -> None:
    others: list[object] = [("a", 3, {}), Single(1), Nothing()]
    assert Ours("a") not in others
    with pytest.raises(TypeError):
        _ = Ours("a") < ("a", 3, {})  # type: ignore[operator]


def test_defaults_are_made_anew_for_each_value() -> None:
    assert Ours("a").extra == {}
    assert Ours("a").extra is not Ours("a").extra
    assert Ours("a", extra={"b": 1}).extra == {"b": 1}


@pytest.mark.parametrize("arguments", [{}, {"name": "a", "other": 1}])
def test_wrong_arguments_are_refused_from_the_first_value_on(arguments: dict[str, Any]) -> None:
    @values.dataclass(frozen=True, slots=True)
    class Fresh:
        name: str

    for _ in range(2):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            Fresh(**arguments)
    assert Fresh("a").name == "a"


def test_nothing_can_be_set_or_deleted_or_added() -> None:
    value = Ours("a")
    changes: list[Callable[[], object]] = [
        lambda: setattr(value, "name", "b"),
        lambda: setattr(value, "other", "b"),
        lambda: delattr(value, "name"),
    ]
    for change in changes:
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()
    assert not hasattr(value, "__dict__")


def test_properties_and_pattern_matching_work() -> None:
    assert Ours("a").shout == "A"
    match Ours("a", 5):
        case Ours(name, number):
            assert (name, number) == ("a", 5)


def test_the_standard_librarys_tools_take_them() -> None:
    value = Ours("a", extra={"k": [1]})
    assert dataclasses.replace(value, number=4) == Ours("a", 4, {"k": [1]})
    assert dataclasses.is_dataclass(value)
    assert [field.name for field in dataclasses.fields(Ours)] == ["name", "number", "extra"]
    assert dataclasses.fields(Ours)[1].default == 3
    assert dataclasses.fields(Ours)[0].default is dataclasses.MISSING
    assert dataclasses.asdict(value) == {"name": "a", "number": 3, "extra": {"k": [1]}}
    assert copy.copy(value) == value
    assert copy.deepcopy(value).extra is not value.extra
    assert pickle.loads(pickle.dumps(value)) == value


def test_what_the_house_does_not_use_is_refused_where_the_class_is_made() -> None:
    def make(**contents: Any) -> None:
        bases: tuple[type, ...] = contents.pop("bases", ())
        decorate: Any = values.dataclass(frozen=True, slots=True)
        decorate(type("Made", bases, {"__annotations__": {"a": "int", "b": "int"}, **contents}))

    wrongs: list[dict[str, Any]] = [{"a": 1}, {"bases": (Single,)}, {"__post_init__": print}]
    for wrong in wrongs:
        with pytest.raises(TypeError):
            make(**wrong)
    with pytest.raises(TypeError):
        values.dataclass(frozen=False, slots=True)(Single)


def test_a_value_is_replaced_as_the_standard_way_does_it() -> None:
    value = Ours("a", 1)
    assert values.replace(value, number=4) == dataclasses.replace(value, number=4) == Ours("a", 4)
    assert value == Ours("a", 1)
    with pytest.raises(TypeError, match="Ours has no colour"):
        values.replace(value, colour="red")  # type: ignore[call-arg]
