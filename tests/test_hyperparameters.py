"""What the decorator makes of declarations: the signature, the validation, the documentation."""

import inspect
import pickle
import re
from collections.abc import Callable
from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import (
    InvalidParameterError,
    generate_invalid_param_val,
    make_constraint,
    validate_parameter_constraints,
)

import sklrnn
import sklrnn.forecasting
from sklrnn._hyperparameters import (
    Choices,
    Doc,
    Ge,
    Group,
    Gt,
    HasMethods,
    Interval,
    OnlyWith,
    add_sections,
    fitted,
    hyperparameters,
    validate_parameters,
)
from sklrnn.estimators.parameters import OPTIMIZER_MEANINGS, SCHEDULE_MEANINGS, OptimizerName
from sklrnn.nn.cells import CELLS, CellName
from sklrnn.nn.losses import LOSS_MEANINGS, LossName, regression_loss
from sklrnn.training.optimizers import OPTIMIZERS

PUBLIC = {
    name: getattr(module, name)
    for module in (sklrnn, sklrnn.forecasting)
    for name in module.__all__
    if hasattr(getattr(module, name), "_parameter_constraints")
}
NAMED = {name: kind for name, kind in PUBLIC.items() if re.fullmatch(r"\w+(Regressor|Classifier|Forecaster)", name)}


@hyperparameters
class Table:
    """Two of the parameters."""

    width: Annotated[int, Ge(1), Doc("How wide.")] = 3
    rate: Annotated[float, Gt(0), Doc("How fast.")] = 0.1


@hyperparameters
class Shape:
    """An option of one kind only."""

    corners: Annotated[int, Ge(3), OnlyWith(kind="polygon"), Doc("How many.")] = 4


@hyperparameters
class Model(Shape, Table, BaseEstimator):
    """A model.

    Examples
    --------
    None.
    """

    kind: Annotated[
        Literal["circle", "polygon"], Choices({"circle": "round.", "star": "never shown."}), Doc("The shape.")
    ] = "circle"
    first: Annotated[int, Doc("Positional.")] = field(default=0, kw_only=False)

    sum_: float = fitted("What comes out.")

    @property
    def mean_(self) -> float:
        """The mean."""
        return self.sum_ / 2


@hyperparameters
class Wide(Model):
    """Another default."""

    width = 30


def accepts(annotation, value):
    @hyperparameters
    class Estimator(BaseEstimator):
        """One parameter."""

        parameter: annotation = object()  # a default is not checked

    try:
        validate_parameters(Estimator(parameter=value))
    except InvalidParameterError:
        return False
    return True


@pytest.mark.parametrize("kind", PUBLIC.values(), ids=PUBLIC)
def test_all_defaults_are_allowed_as_they_are_not_checked_again(kind):
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    validate_parameter_constraints(kind._parameter_constraints, defaults, caller_name=kind.__name__)


DOC = Doc("A parameter.")


# -- constraints -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (Annotated[int, Ge(1), DOC], [1, 7, np.int64(3)], [0, 1.5, "1", None, (1,)]),
        (Annotated[int, DOC], [-1, 0], [1.5, "1", None]),
        (Annotated[float, Gt(0), DOC], [0.1, 1], [0.0, -1, "1", np.nan, None]),
        (Annotated[float, Interval(ge=0, lt=1), DOC], [0, 0.99], [1, -0.1]),
        (Annotated[float, Interval(gt=0, lt=1), DOC], [0.5], [0, 1]),
        (Annotated[float, Interval(ge=0, le=1), DOC], [0, 1], [1.1, -0.1]),
        (Annotated[float, Interval(), DOC], [-5.0, 3], [np.inf, -np.inf, np.nan, "1"]),
        (Annotated[float, DOC], [np.nan, np.inf, 3], ["1", None]),
        (Annotated[bool, DOC], [True, False, np.True_], ["yes", 2, None]),
        (Annotated[Literal["a", "b"], DOC], ["a", "b"], ["c", 1, None]),
        (Annotated[int | Literal[-1] | None, Ge(1), DOC], [1, -1, None], [0, -2, "1"]),
        (Annotated[int | Literal["auto"], Ge(1), DOC], [1, "auto"], [0, "often", None]),
        (Annotated[float | None, Gt(0), DOC], [0.1, None], [0.0, "1"]),
        (Annotated[int | tuple[int, ...], Ge(1), DOC], [1, (1, 2), [3]], [0, (), (1, 0), (1.5,), "1", None]),
        (Annotated[dict[Any, float] | Literal["balanced"], DOC], [{1: 2.0}, "balanced"], [[1], "equal", None]),
        (Annotated[list[Any] | None, DOC], [[], [1], None], [(1,), "1"]),
        (Annotated[str | int | None, DOC], ["a", 1, None], [1.5, ("a",)]),
        (Annotated[Callable[[int], int], DOC], [len, lambda x: x], [3, "len", None]),
        (Annotated[type[torch.nn.Module], DOC], [torch.nn.GRU], [torch.nn.GRU(1, 1), dict, "GRU", None]),
        (Annotated[Any, HasMethods(["get_params"]), None, DOC], [Wide, None], [3, "fit"]),
        (Annotated[int | np.random.RandomState | None, "random_state", DOC], [0, None, np.random.RandomState()], ["0"]),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", str(value)),  # workers of pytest-xdist need equal names
)
def test_the_constraint_follows_from_the_type_and_the_range(annotation, good, bad):
    assert [value for value in good if not accepts(annotation, value)] == []
    assert [value for value in bad if accepts(annotation, value)] == []


@pytest.mark.parametrize(
    ("model", "meant"),
    [
        *[
            (sklrnn.GRURegressor(loss=loss), "squared_error")
            for loss in ("mse", "MSE", "mean_squared_error", "MSELoss", "squared")
        ],
        *[(sklrnn.LSTMRegressor(loss=loss), "absolute_error") for loss in ("mae", "L1Loss", "absolute error")],
        *[(sklrnn.GRURegressor(loss=loss), "huber") for loss in ("Huber", "HuberLoss", "SmoothL1Loss")],
        *[
            (sklrnn.GRUClassifier(loss=loss), "log_loss")
            for loss in ("categorical_crossentropy", "CrossEntropyLoss", "NLLLoss")
        ],
        *[(sklrnn.GRURegressor(optimizer=name), name.lower()) for name in ("Adam", "AdamW", "RMSprop", "SGD", "NAdam")],
        *[(sklrnn.RecurrentRegressor(cell=cell), cell.lower()) for cell in ("GRU", "LSTM", "sLSTM")],
        *[(sklrnn.RecurrentClassifier(cell=cell), "simple_rnn") for cell in ("RNN", "SimpleRNN", "simplernn")],
        (sklrnn.RecurrentRegressor(cell="ltsm"), "lstm"),
        (sklrnn.GRURegressor(schedule="OneCycleLR"), "one_cycle"),
        (sklrnn.SlidingWindow(padding="zeros"), "zero"),
    ],
    ids=lambda value: str(value).replace("\n", " "),
)
def test_the_name_that_was_meant_is_suggested(model, meant):
    with pytest.raises(InvalidParameterError, match=rf"^The '\w+' parameter of .* Did you mean '{meant}'\?$"):
        validate_parameters(model)


@pytest.mark.parametrize("value", ["logistic", 3, None, ("mse",)])
def test_nothing_is_suggested_where_no_name_is_close(value):
    with pytest.raises(InvalidParameterError, match=r"Got .* instead\.$"):
        validate_parameters(sklrnn.GRURegressor(loss=value))


def test_the_names_in_a_message_are_sorted():
    names = r"\{'absolute_error', 'gaussian', 'huber', 'poisson', 'quantile', 'squared_error'\}"
    with pytest.raises(InvalidParameterError, match=f"must be a str among {names} or a subclass"):
        validate_parameters(sklrnn.GRURegressor(loss="mse"))


def test_messages_say_what_is_needed():
    with pytest.raises(
        InvalidParameterError, match=r"'width' parameter of Model must be an int in the range \[1, inf\)"
    ):
        validate_parameters(Model(width=0))
    words = dict.fromkeys(_words_of("GRURegressor", "units") + _words_of("GRURegressor", "loss"))
    assert "a non-empty tuple of ints, each at least 1" in words
    assert "a subclass of torch.nn.Module" in words


def _words_of(name, parameter):
    return [str(make_constraint(item)) for item in PUBLIC[name]._parameter_constraints[parameter]]


def test_an_option_keeps_its_default_beside_other_values():
    validate_parameters(Model(kind="polygon", corners=5))
    with pytest.raises(
        InvalidParameterError, match="corners=5 of Model is an option of kind='polygon', got kind='circle'"
    ):
        validate_parameters(Model(corners=5))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_of_every_class_is_validated(name):
    estimator = PUBLIC[name]()
    assert set(estimator._parameter_constraints) == set(estimator.get_params(deep=False))
    validate_parameters(estimator)
    for parameter, constraints in estimator._parameter_constraints.items():
        for constraint in map(make_constraint, constraints):
            try:
                wrong = generate_invalid_param_val(constraint)
            except NotImplementedError:
                continue
            if not any(make_constraint(other).is_satisfied_by(wrong) for other in constraints):
                with pytest.raises(InvalidParameterError, match=f"'{parameter}' parameter of {name}"):
                    validate_parameters(PUBLIC[name](**{parameter: wrong}))


# -- the signature -----------------------------------------------------------------------------------------------------


def test_the_signature_has_plain_types_and_defaults():
    parameters = inspect.signature(Model).parameters
    assert parameters["width"].annotation is int
    assert parameters["width"].default == 3
    assert parameters["first"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert {p.kind for name, p in parameters.items() if name != "first"} == {inspect.Parameter.KEYWORD_ONLY}
    assert Model(7).first == 7
    assert "sum_" not in parameters


def test_a_subclass_may_change_a_default_and_nothing_else():
    assert Wide().width == 30
    assert Model().width == 3
    assert Wide._parameter_constraints["width"] == Model._parameter_constraints["width"]
    assert "width : int, default=30\n    How wide." in Wide.__doc__
    assert clone(Wide(rate=0.5)).get_params() == Wide(rate=0.5).get_params()
    assert repr(Wide(width=5)) == "Wide(width=5)"


def test_a_default_may_be_changed_that_is_of_any_of_several_tables():
    @hyperparameters
    class Fast(Shape, Table, BaseEstimator):
        """Defaults of two tables at once."""

        rate = 1.0
        corners = 3

    assert Fast().get_params() == {"corners": 3, "rate": 1.0, "width": 3}


def test_a_class_may_fix_what_an_option_belongs_to():
    @hyperparameters
    class Polygon(Shape, Table, BaseEstimator):
        """Only one kind."""

        kind: ClassVar[str] = "polygon"

    assert set(Polygon().get_params()) == {"corners", "rate", "width"}
    validate_parameters(Polygon(corners=5))
    assert "Only with" not in Polygon.__doc__


def test_fitted_attributes_are_no_attributes_yet():
    assert not hasattr(Model(), "sum_")


@pytest.mark.parametrize("name", PUBLIC)
def test_parameters_survive_cloning_and_pickling(name):
    estimator = PUBLIC[name]()
    for other in (clone(estimator), pickle.loads(pickle.dumps(estimator))):
        assert str(other.get_params()) == str(estimator.get_params())
    assert repr(estimator) == f"{name}()"


# -- options of other cells --------------------------------------------------------------------------------------------

OPTIONS = {"activation": "SimpleRNN", "reset_after": "GRU", "forget_bias": "LSTM", "peephole": "LSTM"}


@pytest.mark.parametrize("name", NAMED)
def test_a_named_class_has_no_options_of_other_cells(name):
    estimator = NAMED[name]()
    for option, cell in OPTIONS.items():
        if cell in name or name.startswith("Recurrent"):
            assert option in dir(estimator)
            setattr(estimator, option, getattr(estimator, option))
            continue
        assert option not in dir(estimator)
        task = re.search("Regressor|Classifier|Forecaster", name)[0]
        with pytest.raises(
            AttributeError, match=rf"{name} has no parameter '{option}'.* Use {cell}{task}, or Recurrent"
        ):
            setattr(estimator, option, 1)
        with pytest.raises(ValueError, match=f"Invalid parameter.*'{option}'"):
            estimator.set_params(**{option: 1})


def test_other_attributes_may_be_set():
    model = sklrnn.GRURegressor()
    model.units, model._private, model.fitted_ = 3, 1, 2
    assert (model.units, model._private, model.fitted_) == (3, 1, 2)

    class Mine(sklrnn.GRURegressor):
        peephole: ClassVar[bool] = True

    mine = Mine()
    mine.peephole = False
    assert not mine.peephole


# -- documentation -----------------------------------------------------------------------------------------------------


def test_the_docstring_has_what_was_declared():
    assert Model.__doc__ == inspect.cleandoc("""
        A model.

        Parameters
        ----------
        width : int, default=3
            How wide.

        rate : float, default=0.1
            How fast.

        kind : {'circle', 'polygon'}, default='circle'
            The shape.

            * ``"circle"``: round.

        first : int, default=0
            Positional.

        corners : int, default=4
            How many. Only with ``kind="polygon"``.

        Attributes
        ----------
        sum_ : float
            What comes out.

        mean_ : float
            The mean.

        Examples
        --------
        None.
        """) + "\n"  # fmt: skip


def test_parameters_stand_in_the_order_of_their_groups():
    @hyperparameters
    class Grouped:
        """Groups."""

        seed: Annotated[int, Group.RUNNING, Doc("Seed.")] = 0
        units: Annotated[int, Group.NETWORK, Doc("Units.")] = 1
        layers: Annotated[int, Group.NETWORK, Doc("Layers.")] = 1

    @hyperparameters
    class Below(Grouped):
        """Groups are inherited."""

        units: Annotated[int, Doc("Other units.")] = 2

    for kind in (Grouped, Below):
        assert "Parameters by group:\n\n* network: `units`, `layers`\n* running: `seed`\n\nParameters\n" in kind.__doc__
        assert re.findall(r"^(\w+) : ", kind.__doc__, re.MULTILINE) == ["units", "layers", "seed"]


def test_references_are_gathered_and_those_that_nobody_cites_left_out():
    doc = add_sections(
        "About it.\n\nNotes\n-----\nAs known [B]_.\n\n.. [B] A book,\n   1999.\n\nExamples\n--------\nNone.",
        {"Notes": "And [A]_.\n\n.. [A] An article.\n.. [C] Not cited.", "See Also": "Other : Another."},
    )
    assert doc == (
        "About it.\n\nSee Also\n--------\nOther : Another.\n\nNotes\n-----\nAs known [B]_.\n\nAnd [A]_.\n\n"
        "References\n----------\n.. [A] An article.\n\n.. [B] A book, 1999.\n\nExamples\n--------\nNone.\n"
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_all_that_is_cited_is_listed(name):
    doc = PUBLIC[name].__doc__
    assert set(re.findall(r"\[(\w+)\]_", doc)) == set(re.findall(r"^\.\. \[(\w+)\]", doc, re.MULTILINE))


@pytest.mark.parametrize("name", NAMED)
def test_named_classes_have_groups_equations_and_neighbours(name):
    doc = NAMED[name].__doc__
    titles = re.findall(r"^([A-Z][A-Za-z ]+)\n-{3,}$", doc, re.MULTILINE)
    assert titles == ["Parameters", "Attributes", "See Also", "Notes", "References", "Examples"]
    assert re.findall(r"^\* (\w+): `", doc, re.MULTILINE) == [group.value for group in Group]
    assert ("h_t = o_t * tanh(c_t)" in doc) == ("LSTM" in name or name.startswith("Recurrent"))
    assert ("h_t = z_t * h_{t-1} + (1 - z_t) * c_t" in doc) == ("GRU" in name or name.startswith("Recurrent"))
    assert ("relu(V_0" in doc) == name.startswith("CNN")


@pytest.mark.parametrize("name", PUBLIC)
def test_allowed_names_are_explained(name):
    for parameter in {"loss", "optimizer", "cell", "schedule"} & set(PUBLIC[name]().get_params()):
        _, kinds, text = re.search(
            rf"^({parameter}) : (.*?)\n(.*?)(?=^\S)", PUBLIC[name].__doc__, re.DOTALL | re.MULTILINE
        ).groups()
        allowed = re.search(r"\{(.*)\}", kinds)[1].replace("'", "").split(", ")
        assert re.findall(r'^    \* ``"(\w+)"``: \S', text, re.MULTILINE) == allowed


# -- names that are written twice, as types can't be computed ----------------------------------------------------------


def test_the_names_in_types_are_those_that_there_are():
    assert get_args(CellName) == tuple(CELLS)
    assert get_args(OptimizerName) == tuple(OPTIMIZERS) == tuple(OPTIMIZER_MEANINGS)
    assert {*get_args(LossName), "log_loss"} == set(LOSS_MEANINGS)
    for name in get_args(LossName):
        regression_loss(name, (0.5,))
    assert sorted(SCHEDULE_MEANINGS) == sorted(
        name for item in PUBLIC["GRURegressor"]._parameter_constraints["schedule"] for name in item.options
    )
