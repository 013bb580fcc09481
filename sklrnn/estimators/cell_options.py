"""The cell and its options, as hyperparameters."""

import inspect
from dataclasses import fields
from typing import Annotated, Any, Literal

from sklrnn._hyperparameters import Choices, Doc, Group, Interval, OnlyWith, hyperparameters
from sklrnn.estimators.cell_notes import cell_summary
from sklrnn.nn.cells import CELLS, Cell, CellName


@hyperparameters
class SimpleRNNOptions:
    """The options of a simple recurrent network."""

    activation: Annotated[
        Literal["tanh", "relu"],
        OnlyWith(cell="simple_rnn"),
        Group.NETWORK,
        Doc("Activation of the hidden state."),
    ] = "tanh"


@hyperparameters
class GRUOptions:
    """The options of gated recurrent units."""

    reset_after: Annotated[
        bool,
        OnlyWith(cell="gru"),
        Group.NETWORK,
        Doc(
            "Apply the reset gate after the recurrent product, as torch and cuDNN do; False applies it before, as in "
            "the original GRU."
        ),
    ] = True


@hyperparameters
class LSTMOptions:
    """The options of a long short-term memory."""

    forget_bias: Annotated[
        float,
        Interval(),
        OnlyWith(cell="lstm"),
        Group.NETWORK,
        Doc(
            "Initial bias of the forget gate: the higher, the longer an untrained network remembers [Jozefowicz2015]_."
            '\n\n.. [Jozefowicz2015] Jozefowicz, R., Zaremba, W. and Sutskever, I.: "An empirical exploration of '
            'recurrent network architectures", ICML, 2015.'
        ),
    ] = 1.0
    peephole: Annotated[
        bool, OnlyWith(cell="lstm"), Group.NETWORK, Doc("Peephole connections: the gates read the cell state.")
    ] = False


_CELL = (
    "The recurrent layer: a name, or a callable ``(input_size, hidden_size)`` that returns a module with the calling "
    "convention of torch's recurrent layers."
)


@hyperparameters
class CellOptions(LSTMOptions, GRUOptions, SimpleRNNOptions):
    """The cell and the options of all cells, for classes that take the cell as a parameter."""

    cell: Annotated[
        CellName | Cell,
        Choices({name: cell_summary(name) for name in CELLS}),
        Group.NETWORK,
        Doc(_CELL),
    ] = "gru"


@hyperparameters
class OptionalCellOptions(LSTMOptions, GRUOptions, SimpleRNNOptions):
    """The same for networks that need no recurrent layer, as they may have convolutions."""

    cell: Annotated[
        CellName | Cell | None,
        Choices({name: cell_summary(name) for name in CELLS}),
        Group.NETWORK,
        Doc(
            f"{_CELL} None leaves it out: a network of convolutions (CNN), which needs `filters`. `units` then has no "
            "effect, `dropout` acts on what the last convolution gives, `l1` and `l2` on the convolutions, and "
            "`pooling` joins the steps."
        ),
    ] = "gru"


# The table of each option of a single cell.
TABLE_OF_OPTION = {
    field.name: table for table in (SimpleRNNOptions, GRUOptions, LSTMOptions) for field in fields(table)
}


def refuse_option(cls: type, option: str) -> str:
    """Say which classes have an option that a named class does not have."""
    needed = TABLE_OF_OPTION[option]
    cell = next(field for field in fields(needed) if field.name == option).metadata["only_with"]["cell"]
    named = next(parent for parent in cls.__mro__ if "cell" in vars(parent))
    own = next(table for table in CellOptions.__bases__ if issubclass(named, table))
    task = named.__name__.partition(own.__name__.removesuffix("Options"))[2]
    return (
        f"{cls.__name__} has no parameter {option!r}, which is an option of another cell. Use "
        f"{needed.__name__.removesuffix('Options')}{task}, or Recurrent{task}(cell={cell!r})."
    )


def cell_and_options(estimator: Any) -> dict[str, Any]:
    """The cell of an estimator and the options of that cell, as an architecture takes them."""
    options = inspect.signature(CELLS[estimator.cell]).parameters if isinstance(estimator.cell, str) else {}
    return {
        "cell": estimator.cell,
        "cell_options": {
            option.name: type(option.default)(getattr(estimator, option.name))
            for option in options.values()
            if option.kind is option.KEYWORD_ONLY
        },
    }
