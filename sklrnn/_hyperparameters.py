"""A hyperparameter is declared once, in the body of its class: ``name: Annotated[type, ..., Doc("...")] = default``.

The ``hyperparameters`` decorator derives from the declarations ``__init__``, scikit-learn's parameter validation and
the sections of the docstring, so that none of these can drift, and type checkers see what it makes.

The constraint of a ``Literal``, a ``bool``, a class, a callable or None follows from the type. Beside the type stand

* a range: ``Ge(1)``, ``Gt(0)`` or ``Interval(ge=0, lt=1)``, which also holds for the items of a tuple;
* anything that scikit-learn takes as a constraint: it then takes the place of all that would follow from the type;
* ``OnlyWith(cell="gru")`` for an option of one value of another hyperparameter, which keeps its default with others;
* ``Choices({name: meaning})`` and a ``Group``, for the docstring.

``fitted("...")`` documents an attribute that ``fit`` sets. A subclass may give an inherited hyperparameter another
default by plain assignment: ``filters = 32``.

This is the only file that imports private names of scikit-learn.
"""

import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from enum import Enum
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from numpy.typing import ArrayLike
from sklearn.utils import _param_validation as checks
from sklearn.utils._param_validation import HasMethods, InvalidParameterError
from typing_extensions import Doc

from sklrnn._suggestions import explain_invalid_name

__all__ = [
    "Choices",
    "Doc",
    "Ge",
    "Group",
    "Gt",
    "HasMethods",
    "Interval",
    "OnlyWith",
    "Satisfies",
    "add_sections",
    "fitted",
    "hyperparameters",
    "validate_parameters",
]

Class = TypeVar("Class", bound=type)


# -- what stands beside a type -----------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Interval:
    """The bounds of a number, or of each item of a tuple; without any the number must be finite."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def over(self, kind: type) -> Any:
        """scikit-learn's constraint for a kind of number."""
        closed = {(True, True): "both", (True, False): "left", (False, True): "right", (False, False): "neither"}
        low = self.gt if self.ge is None else self.ge
        high = self.lt if self.le is None else self.le
        return checks.Interval(kind, low, high, closed=closed[self.ge is not None, self.le is not None])


def Ge(bound: float) -> Interval:
    """At least."""
    return Interval(ge=bound)


def Gt(bound: float) -> Interval:
    """More than."""
    return Interval(gt=bound)


class OnlyWith(dict[str, Any]):
    """The value of another hyperparameter that an option belongs to."""


class Choices(dict[str, str]):
    """What each allowed name means; names that the type does not allow are left out."""


class Group(Enum):
    """Hyperparameters of a group stand together in the docstring, the groups in this order."""

    NETWORK = "network"
    INPUT = "input"
    LOSS = "loss"
    TRAINING = "training"
    STOPPING = "stopping"
    RUNNING = "running"


# -- constraints that scikit-learn does not have -----------------------------------------------------------------------


class Satisfies(checks.Options):
    """Values that pass a test, in words; scikit-learn takes no constraint of a kind that it does not know."""

    def __init__(self, test: Callable[[Any], bool], words: str) -> None:
        super().__init__(object, set())
        self.test = test
        self.words = words

    def is_satisfied_by(self, value: Any) -> bool:
        return self.test(value)

    def __str__(self) -> str:
        return self.words


# -- the decorator -----------------------------------------------------------------------------------------------------


def fitted(sentence: str, *, init: Literal[False] = False) -> Any:
    """Declare an attribute that ``fit`` sets: only documentation, no part of ``__init__``."""
    return dataclasses.field(init=init, metadata={"sentence": sentence})


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(fitted, dataclasses.field))
def hyperparameters(cls: Class) -> Class:
    """Turn the declarations of a class body into ``__init__``, validation and documentation."""
    inherited: dict[str, dataclasses.Field[Any]] = {}
    for parent in reversed(cls.__mro__):
        inherited |= vars(parent).get("__dataclass_fields__", {})
    annotations = inspect.get_annotations(cls)
    for name, annotation in annotations.items():
        origin: Any = get_origin(annotation)
        if origin is Annotated:
            annotations[name], *beside = get_args(annotation)
            setattr(cls, name, _read_declaration(annotations[name], beside, vars(cls)[name], inherited.get(name)))
    for name in vars(cls).keys() & inherited.keys() - annotations.keys():
        field = inherited[name]
        annotations[name] = field.type
        setattr(cls, name, dataclasses.field(default=vars(cls)[name], kw_only=field.kw_only, metadata=field.metadata))
    cls.__annotations__ = annotations
    cls = dataclasses.dataclass(kw_only=True, repr=False, eq=False)(cls)  # type: ignore[assignment]
    declared = [field for field in dataclasses.fields(cls) if "sentence" in field.metadata]
    constraints = {field.name: field.metadata["constraints"] for field in declared if field.init}
    cls._parameter_constraints, cls.__doc__ = constraints, _document(cls, declared)  # type: ignore[attr-defined]
    return cls


def validate_parameters(estimator: Any) -> None:
    """Raise scikit-learn's ``InvalidParameterError`` where a parameter, unless it is the default, is not allowed."""
    cls, constraints = type(estimator), estimator._parameter_constraints
    given = {name: value for name in constraints if (value := getattr(estimator, name)) is not getattr(cls, name, cls)}
    try:
        checks.validate_parameter_constraints(constraints, given, caller_name=cls.__name__)
    except InvalidParameterError as error:
        raise InvalidParameterError(explain_invalid_name(str(error), given, constraints)) from None
    for name, value in given.items():
        field = cls.__dataclass_fields__[name]
        for other, needed in field.metadata.get("only_with", {}).items():
            if value != field.default and getattr(estimator, other) != needed:
                raise InvalidParameterError(
                    f"{name}={value!r} of {cls.__name__} is an option of {other}={needed!r}, got "
                    f"{other}={getattr(estimator, other)!r}. Set {other}={needed!r}, or leave {name} at its "
                    f"default, {field.default!r}."
                )


def _read_declaration(kind: Any, beside: list[Any], default: Any, overridden: Any) -> Any:
    def find(wanted: type, otherwise: Any) -> Any:
        return next((item for item in beside if isinstance(item, wanted)), otherwise)

    explicit = [item for item in beside if not isinstance(item, Doc | Interval | OnlyWith | Choices | Group)]
    metadata = {
        "constraints": explicit or [_constraint(part, find(Interval, None)) for part in _alternatives(kind)],
        "sentence": find(Doc, None).documentation,
        "only_with": find(OnlyWith, {}),
        "choices": find(Choices, {}),
        "group": find(Group, overridden.metadata["group"] if overridden else None),
    }
    given = default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default, kw_only=True)
    return dataclasses.field(default=given.default, kw_only=given.kw_only, metadata=metadata)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _constraint(kind: Any, bounds: Interval | None) -> Any:
    """The constraint of scikit-learn that follows from a type."""
    origin, items = get_origin(kind) or kind, get_args(kind)
    if origin is Literal:
        return checks.StrOptions(set(items)) if isinstance(items[0], str) else checks.Options(Integral, set(items))
    if origin in (bool, NoneType, Callable):
        return {bool: "boolean", NoneType: None, Callable: callable}[origin]
    if origin is type:
        words = f"a subclass of {_public_name(items[0])}"
        return Satisfies(lambda value: isinstance(value, type) and issubclass(value, items[0]), words)
    if bounds is None:
        return Real if origin is float else origin
    number = {int: Integral, float: Real}[items[0] if origin is tuple else origin]
    if origin is not tuple:
        return bounds.over(number)
    each = bounds.over(number).is_satisfied_by
    words = f"a non-empty tuple of {items[0].__name__}s, each at least {bounds.ge}"
    return Satisfies(lambda value: isinstance(value, tuple | list) and bool(value) and all(map(each, value)), words)


# -- documentation -----------------------------------------------------------------------------------------------------

_TITLES = ("Parameters", "Attributes", "Methods", "See Also", "Notes", "References", "Examples")
_TITLE = re.compile(rf"^({'|'.join(_TITLES)})\n-{{3,}}\n", re.MULTILINE)
_REFERENCE = re.compile(r"^ *\.\. \[(\w+)\] (.+?)\s*(?:^ *$|(?=^ *\.\. )|\Z)", re.MULTILINE | re.DOTALL)


def add_sections(doc: str, sections: dict[str, str], *, description: str = "") -> str:
    """Add to the parts of a docstring, and gather the references that stand in any section in their own."""
    head, *parts = _TITLE.split(inspect.cleandoc(doc))
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    for title, text in sections.items():
        found[title] = f"{found.get(title, '').strip()}\n\n{text}"
    references = dict(pair for text in found.values() for pair in _REFERENCE.findall(text))
    found = {title: re.sub(r"\n{3,}", "\n\n", _REFERENCE.sub("", text)).strip() for title, text in found.items()}
    cited = [label for label in sorted(references) if any(f"[{label}]_" in text for text in (head, *found.values()))]
    found["References"] = "\n\n".join(_wrap(f".. [{label}] {references[label]}") for label in cited)
    written = [f"{title}\n{'-' * len(title)}\n{found[title]}" for title in _TITLES if found.get(title)]
    return "\n\n".join(part for part in (head.strip(), description, *written) if part) + "\n"


def _document(cls: type, declared: "list[dataclasses.Field[Any]]") -> str:
    places = {group: place for place, group in enumerate(Group)}
    settable = sorted(
        (f for f in declared if f.init),
        key=lambda f: (places.get(f.metadata["group"], len(Group)), *f.metadata["only_with"]),
    )
    members = {group: [f"`{f.name}`" for f in settable if f.metadata["group"] is group] for group in Group}
    groups = [_wrap(f"* {group.value}: {', '.join(names)}") for group, names in members.items() if names]
    found = {name: value for parent in reversed(cls.__mro__) for name, value in vars(parent).items()}
    properties = {name: p for name, p in found.items() if isinstance(p, property) and re.fullmatch("[^_].*_", name)}
    attributes = [(f.name, f.type, f.metadata["sentence"]) for f in declared if not f.init]
    attributes += [(name, get_type_hints(p.fget)["return"], p.__doc__) for name, p in properties.items()]
    return add_sections(
        cls.__doc__ or "",
        {
            "Parameters": "\n\n".join(_describe(field, {f.name for f in settable}) for field in settable),
            "Attributes": "\n\n".join(_entry(name, _spell(kind), [_wrap(text, "")]) for name, kind, text in attributes),
        },
        description="\n".join(["Parameters by group:", "", *groups]) if groups else "",
    )


def _describe(field: "dataclasses.Field[Any]", names: set[str]) -> str:
    sentence, *references = field.metadata["sentence"].split("\n\n")
    conditions = field.metadata["only_with"].items()
    sentence += "".join(f' Only with ``{other}="{value}"``.' for other, value in conditions if other in names)
    allowed = [name for part in _alternatives(field.type) if get_origin(part) is Literal for name in get_args(part)]
    meanings = {name: text.split("\n\n") for name in allowed if (text := field.metadata["choices"].get(name))}
    choices = "\n".join(_wrap(f'* ``"{name}"``: {text}') for name, (text, *_) in meanings.items())
    references += [reference for _, *more in meanings.values() for reference in more]
    return _entry(
        field.name, f"{_spell(field.type)}, default={field.default!r}", [_wrap(sentence, ""), choices, *references]
    )


def _entry(name: str, kind: str, texts: list[str]) -> str:
    return f"{name} : {kind}\n" + textwrap.indent("\n\n".join(filter(None, texts)), "    ")


def _wrap(text: str, hang: str = "  ") -> str:
    return textwrap.fill(" ".join(text.split()), 100, subsequent_indent=hang)


def _spell(kind: Any) -> str:
    """Write a type as numpydoc does: ``int | tuple[int, ...]`` becomes ``int or tuple of int``."""
    origin, items = get_origin(kind), get_args(kind)
    if kind == ArrayLike:
        return "array-like"
    if origin in (Union, UnionType):
        return " or ".join(map(_spell, items))
    if origin is Literal:
        return "{" + ", ".join(map(repr, items)) + "}"
    if origin in (tuple, list):
        return f"{origin.__name__} of {_spell(items[0])}"
    if origin is type:
        return f"subclass of {_public_name(items[0])}"
    names = {NoneType: "None", None: "None", Any: "object", Callable: "callable"}
    return str(names.get(origin or kind) or getattr(kind, "__name__", kind))


def _public_name(kind: type) -> str:
    """The shortest name under which a class can be imported: ``torch.nn.Module``."""
    parts = kind.__module__.split(".")
    homes = (".".join(parts[:n]) for n in range(1, len(parts) + 1))
    home = next(home for home in homes if getattr(sys.modules[home], kind.__name__, None) is kind)
    return f"{home}.{kind.__name__}"
