"""A hyperparameter is declared once, on one line of the class body.

``hyper(default=..., constraint=..., sentence=...)`` gives a field its default, its validation and its documentation;
``fitted(sentence)`` documents an attribute that ``fit`` sets. The ``hyperparameters`` decorator derives from them
``__init__``, scikit-learn's parameter validation and the sections of the docstring, so that none of these can drift.

This is the only file that imports private names of scikit-learn.
"""

import dataclasses
import inspect
import re
import textwrap
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, TypeVar, dataclass_transform, get_args, get_origin

from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

__all__ = [
    "FRACTION",
    "NON_NEGATIVE",
    "POSITIVE",
    "POSITIVE_INT",
    "POSITIVE_INTS",
    "UNIT_INTERVAL",
    "DeviceName",
    "HasMethods",
    "IncreasingLevels",
    "Integral",
    "Interval",
    "Options",
    "PositiveInts",
    "Real",
    "StrOptions",
    "SubclassOf",
    "fitted",
    "hyper",
    "hyperparameters",
    "validate_parameters",
]

Class = TypeVar("Class", bound=type)


class PositiveInts(Options):
    """A tuple or list of at least one int, each at least 1.

    scikit-learn takes no constraint of a kind that it does not know, hence the parent.
    """

    def __init__(self) -> None:
        super().__init__(tuple, set())

    def is_satisfied_by(self, value: Any) -> bool:
        if not isinstance(value, tuple | list) or not value:
            return False
        return all(POSITIVE_INT.is_satisfied_by(item) for item in value)

    def __str__(self) -> str:
        return "a non-empty tuple of ints, each at least 1"


class IncreasingLevels(Options):
    """A tuple or list of strictly increasing numbers between 0 and 1, both ends excluded."""

    def __init__(self) -> None:
        super().__init__(tuple, set())

    def is_satisfied_by(self, value: Any) -> bool:
        if not isinstance(value, tuple | list) or not value or not all(isinstance(item, Real) for item in value):
            return False
        levels = [float(item) for item in value]
        inside = all(0.0 < level < 1.0 for level in levels)
        return inside and all(low < high for low, high in pairwise(levels))

    def __str__(self) -> str:
        return "a non-empty tuple of strictly increasing numbers between 0 and 1, both excluded"


class SubclassOf(Options):
    """A class, not an instance, below a given one."""

    def __init__(self, parent: type, article: str) -> None:
        super().__init__(type, set())
        self.parent = parent
        self.article = article

    def is_satisfied_by(self, value: Any) -> bool:
        return isinstance(value, type) and issubclass(value, self.parent)

    def __str__(self) -> str:
        return f"{self.article} class"


class DeviceName(Options):
    """The name of a device of torch, with or without a number."""

    def __init__(self) -> None:
        super().__init__(str, set())

    def is_satisfied_by(self, value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch(r"cpu|auto|mps|cuda(:\d+)?", value) is not None

    def __str__(self) -> str:
        return "'cpu', 'cuda' (or 'cuda:0', 'cuda:1', ...), 'mps' or 'auto'"


POSITIVE_INT = Interval(Integral, 1, None, closed="left")
POSITIVE_INTS = [POSITIVE_INT, PositiveInts()]
POSITIVE = Interval(Real, 0, None, closed="neither")
NON_NEGATIVE = Interval(Real, 0, None, closed="left")
FRACTION = Interval(Real, 0, 1, closed="neither")
UNIT_INTERVAL = Interval(Real, 0, 1, closed="left")


def hyper(
    *, default: Any, constraint: Any, sentence: str, only_with: dict[str, str] | None = None, kw_only: bool = True
) -> Any:
    """Declare a hyperparameter: its default, scikit-learn constraint (or list of them) and description.

    Type checkers see a default only where it has its name.

    ``only_with={"cell": "gru"}`` makes it an option of one value of another hyperparameter: it must keep its default
    beside other values, and a subclass that fixes the other hyperparameter to such a value does not have it at all.
    """
    constraints = constraint if isinstance(constraint, list) else [constraint]
    metadata = {"constraints": constraints, "sentence": sentence, "only_with": only_with or {}}
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


def fitted(sentence: str, *, init: Literal[False] = False) -> Any:
    """Declare an attribute that ``fit`` sets: only documentation, no part of ``__init__``."""
    return dataclasses.field(init=init, metadata={"sentence": sentence})


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(hyper, fitted))
def hyperparameters(cls: Class) -> Class:
    """Turn the declarations of a class body into ``__init__``, validation and documentation.

    A subclass may give an inherited hyperparameter another default by plain assignment (``filters = 32``), or take it
    out of the signature by fixing it as a class variable (``cell: ClassVar[str] = "gru"``).
    """
    _adopt_new_defaults(cls)
    _drop_options_of_other_values(cls)
    cls = dataclasses.dataclass(kw_only=True, repr=False, eq=False)(cls)  # type: ignore[assignment]
    declared = [field for field in dataclasses.fields(cls) if "sentence" in field.metadata]
    settable = [field for field in declared if field.init]
    cls._parameter_constraints = {field.name: field.metadata["constraints"] for field in settable}  # type: ignore[attr-defined]
    cls.__doc__ = _with_sections(
        cls.__doc__ or "",
        {
            "Parameters": [
                (f.name, f"{_spell(f.type)}, default={f.default!r}", _describe(f, settable)) for f in settable
            ],
            "Attributes": [(f.name, _spell(f.type), f.metadata["sentence"]) for f in declared if not f.init],
        },
    )
    return cls


def validate_parameters(estimator: Any) -> None:
    """Raise scikit-learn's ``InvalidParameterError`` where a parameter breaks its constraint."""
    name = type(estimator).__name__
    validate_parameter_constraints(estimator._parameter_constraints, estimator.get_params(deep=False), caller_name=name)
    for field in dataclasses.fields(estimator):
        value = getattr(estimator, field.name) if field.init else None
        for other, needed in field.metadata.get("only_with", {}).items():
            if value != field.default and getattr(estimator, other) != needed:
                raise InvalidParameterError(
                    f"{field.name}={value!r} of {name} is an option of {other}={needed!r}, got "
                    f"{other}={getattr(estimator, other)!r}. Set {other}={needed!r}, or leave {field.name} at its "
                    f"default, {field.default!r}."
                )


def _adopt_new_defaults(cls: type) -> None:
    inherited = getattr(cls, "__dataclass_fields__", {})
    for name, value in list(vars(cls).items()):
        field = inherited.get(name)
        if field is None or name in inspect.get_annotations(cls) or "constraints" not in field.metadata:
            continue
        cls.__annotations__ = {**inspect.get_annotations(cls), name: field.type}
        setattr(cls, name, dataclasses.field(default=value, kw_only=field.kw_only, metadata=field.metadata))


def _drop_options_of_other_values(cls: type) -> None:
    annotations = inspect.get_annotations(cls)
    for field in list(getattr(cls, "__dataclass_fields__", {}).values()):
        for other, needed in field.metadata.get("only_with", {}).items():
            fixed = get_origin(annotations.get(other)) is ClassVar
            if fixed and vars(cls)[other] != needed and field.name not in annotations:
                cls.__annotations__ = {**inspect.get_annotations(cls), field.name: ClassVar[field.type]}
                setattr(cls, field.name, field.default)


def _describe(field: "dataclasses.Field[Any]", settable: "list[dataclasses.Field[Any]]") -> str:
    conditions = [
        f'``{other}="{needed}"``'
        for other, needed in field.metadata["only_with"].items()
        if other in {each.name for each in settable}
    ]
    return " ".join([field.metadata["sentence"], *(f"Only with {condition}." for condition in conditions)])


def _spell(annotation: Any) -> str:
    """Write a type as numpydoc does: ``int | tuple[int, ...]`` becomes ``int or tuple of int``."""
    if get_origin(annotation) is Literal:
        return "{" + ", ".join(repr(value) for value in get_args(annotation)) + "}"
    if get_origin(annotation) is tuple:
        return f"tuple of {_spell(get_args(annotation)[0])}"
    if get_origin(annotation) is list:
        return f"list of {_spell(get_args(annotation)[0])}"
    if get_origin(annotation) not in (None, ClassVar) and get_args(annotation) and get_origin(annotation) is not type:
        alternatives = [_spell(item) for item in get_args(annotation)]
        if "Union" in str(get_origin(annotation)):
            return " or ".join(alternatives)
    if annotation in (None, type(None)):
        return "None"
    if annotation is Any:
        return "object"
    return getattr(annotation, "__name__", str(annotation))


_SECTION = re.compile(r"^(Attributes|Methods|See Also|Notes|References|Examples)\n-{3,}$", re.MULTILINE)


def _with_sections(doc: str, sections: dict[str, list[tuple[str, str, str]]]) -> str:
    """Insert the generated sections between the description and the first hand-written section."""
    doc = inspect.cleandoc(doc)
    first = _SECTION.search(doc)
    head, tail = (doc[: first.start()], doc[first.start() :]) if first else (doc, "")
    parts = [head.rstrip()]
    for title, entries in sections.items():
        if entries:
            lines = [
                f"{name} : {kind}\n{textwrap.fill(text, 100, initial_indent='    ', subsequent_indent='    ')}"
                for name, kind, text in entries
            ]
            parts.append(f"{title}\n{'-' * len(title)}\n" + "\n\n".join(lines))
    return "\n\n".join([*parts, tail]).rstrip() + "\n"
