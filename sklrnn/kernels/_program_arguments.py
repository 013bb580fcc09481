"""The instructions of a compiled training step, as the machine code reads them.

An instruction is a row of ints: its number, then the fields of one of these classes. Addresses are those of arrays that
stay in place, strides are counted in numbers, and a row is one sequence of the batch. What changes from batch to batch
(masks, learning rates, losses) lies in tables with one entry for each batch of a call.
"""

from typing import Any, NamedTuple


class Call(NamedTuple):
    """A compiled function of a kernel, with its arguments."""

    function: int
    args: int
    first: int
    second: int
    scratch: int
    n_ints: int  # 3, or 2 without a scratch


class Standardise(NamedTuple):
    """``target = (x[chosen] - mean) / spread``, in the precision of x."""

    x: int
    x_sample: int  # strides in numbers of x
    x_step: int
    x_feature: int
    is_double: int
    order: int  # the samples of an epoch
    batch_size: int
    mean: int
    spread: int
    target: int  # (step, row, feature)
    n_steps: int
    n_rows: int
    n_features: int


class Move(NamedTuple):
    """``target = source / divisor``, or added to it; both (step, row, feature) with contiguous features."""

    target: int
    target_step: int
    target_row: int
    source: int
    source_step: int
    source_row: int
    n_steps: int
    n_rows: int
    n_features: int
    adds: int
    divisor: int


class Multiply(NamedTuple):
    """``target = source * factors``, with the same factors (row, feature) at all steps."""

    target: int
    target_step: int
    target_row: int
    source: int
    source_step: int
    source_row: int
    n_steps: int
    n_rows: int
    n_features: int
    factors: int


class Take(NamedTuple):
    """``target = table[batch]``."""

    target: int
    table: int
    n: int


class Fill(NamedTuple):
    """Zeros."""

    target: int
    n: int


class HeadPart(NamedTuple):
    """One part of the input of the head: ``raw = bias + part W'``, the sum over all parts."""

    weight: int  # (output, feature of all parts), from the first feature of the part on
    weight_row: int
    grad_weight: int
    bias: int
    grad_bias: int
    part: int  # (row, feature)
    part_row: int
    grad_part: int  # or 0
    grad_part_row: int
    raw: int  # (row, output)
    grad_raw: int
    n_rows: int
    n_outputs: int
    n_features: int
    is_first: int


class Loss(NamedTuple):
    """The mean loss of a batch, and its gradient with respect to the raw outputs."""

    kind: int
    raw: int  # (step, row, number)
    grad_raw: int
    n_steps: int
    n_rows: int
    n_outputs: int  # targets of a row
    width: int  # raw numbers for each of them
    order: int
    batch_size: int
    y: int  # (sample, step, target); classes are int64
    has_target_weights: int  # whether a weight for each target follows on the targets
    weights: int  # (sample, step)
    levels: int  # of quantiles, doubles
    losses: int  # a table of doubles


class Penalty(NamedTuple):
    """Add the gradient of ``l1 |w| + l2 w^2``, and the penalty to the loss."""

    weight: int
    gradient: int
    n: int
    factors: int  # l1 and l2, doubles
    losses: int


class Clip(NamedTuple):
    """Scale the gradient down to a norm, if its own is larger."""

    gradient: int
    n: int
    norm: int  # a double


class Update(NamedTuple):
    """The step of an optimizer; `StepConstants` are its numbers."""

    weights: int
    gradients: int
    mean: int  # or 0
    mean_of_squares: int  # or 0
    n: int
    constants: int  # a table
    is_decoupled: int  # weight decay acts on the weights, not on the gradient


class StepConstants(NamedTuple):
    """What an optimizer needs at one step, with gradient g, its means m and v, and weights w.

    ::

        g = g + decay w                       or, decoupled, w = w - decay w
        m = m + new_share (g - m)
        v = v + new_square_share (g^2 - v)
        w = w - (mean_rate m + gradient_rate g) / (sqrt(v) / correction + epsilon)
    """

    decay: Any
    new_share: Any
    new_square_share: Any
    correction: Any
    epsilon: Any
    mean_rate: Any
    gradient_rate: Any


class Average(NamedTuple):
    """``mean = mean + share (weights - mean)``."""

    mean: int
    weights: int
    n: int
    shares: int  # a table of doubles


INSTRUCTIONS: tuple[Any, ...] = (
    Call,
    Standardise,
    Move,
    Multiply,
    Take,
    Fill,
    HeadPart,
    Loss,
    Penalty,
    Clip,
    Update,
    Average,
)
# The backward pass of the head reads the same fields as its forward pass.
HEAD_BACKWARD = len(INSTRUCTIONS)
INSTRUCTION_INTS = 16
LOSSES = ("squared_error", "absolute_error", "huber", "log_loss", "quantile", "gaussian", "poisson")
# Keeps the likelihood finite where the mean equals the target.
LEAST_DEVIATION = 1e-3
