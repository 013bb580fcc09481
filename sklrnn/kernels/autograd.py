"""A recurrent layer as one function of torch's autograd, and the layers that it can replace.

These are layers of torch, and layers of this package whose class names its ``_kernel``.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from sklrnn.kernels._backward_call import ForwardCall, run_backward
from sklrnn.kernels._forward_call import SavedForward, run_forward
from sklrnn.kernels._library import Kernel
from sklrnn.kernels._registry import load_kernel
from sklrnn.kernels._runtime import Weights


class _Cell(NamedTuple):
    """The layer that a kernel can replace."""

    kernel: str
    in_torch: Callable[..., Any] | None
    n_gates: int
    n_states: int
    max_units: int  # torch is as fast beyond
    n_peepholes: int = 0


_CELLS = {
    "RNN_TANH": _Cell("simple_rnn", torch.rnn_tanh, 1, 1, max_units=384),
    "RNN_RELU": _Cell("relu_rnn", torch.rnn_relu, 1, 1, max_units=384),
    "GRU": _Cell("gru", torch.gru, 3, 1, max_units=640),
    "LSTM": _Cell("lstm", torch.lstm, 4, 2, max_units=224),
    "textbook_gru": _Cell("textbook_gru", None, 3, 1, max_units=640),
    "minimal_gru": _Cell("minimal_gru", None, 2, 1, max_units=384),
    "peephole_lstm": _Cell("peephole_lstm", None, 4, 2, max_units=224, n_peepholes=3),
}
_WEIGHT_NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "peephole_l0")
# Each call packs the weights anew, which is not worth it for a few steps of many units.
_MAX_WEIGHTS_PER_STEP = 2**13


def run_kernel(
    layer: Any, x: Tensor, initial_state: Any = None, state_mask: Tensor | None = None
) -> tuple[Tensor, Any] | None:
    """Do what ``layer(x, initial_state, state_mask)`` does, only faster; None where torch has to do it.

    torch is needed without numba, on other devices than the CPU, in other precisions than float32, with more
    than one layer or direction, for very wide layers, for a step or two of wide ones, while torch traces, compiles or
    transforms, and with ``SKLRNN_KERNELS=0`` in the environment.

    Outputs of a row, and gradients of its x and initial state, are equal to the bit in any batch and for any number of
    threads. This holds for kernels, not for torch's layers, nor for products that a network computes from the outputs.
    """
    initial = () if initial_state is None else initial_state if isinstance(initial_state, tuple) else (initial_state,)
    if (found := kernel_for(layer, x, initial, state_mask)) is None:
        return None
    cell, kernel, weights = found
    x = contiguous_features(x)
    initial = tuple(state.contiguous() for state in initial)
    tensors = (x, *weights, *initial)
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors):
        states, *final = Recurrence.apply(layer, cell, kernel, state_mask, *tensors)
    else:
        _, (states, *final) = run_forward(kernel, x, state_mask, initial, weights, save=False)
    return states, final[0] if len(final) == 1 else tuple(final)


def has_kernel(layer: Any) -> bool:
    """Whether there is a kernel for layers of this kind; torch runs those that are too wide for it."""
    cell = _cell_of(layer)
    if cell is None or layer.weight_ih_l0.dtype is not torch.float32 or os.environ.get("SKLRNN_KERNELS") == "0":
        return False
    return load_kernel(cell.kernel) is not None


def kernel_for(
    layer: Any, x: Tensor, initial_states: tuple[Tensor, ...] = (), state_mask: Tensor | None = None
) -> tuple[_Cell, Kernel, Weights] | None:
    """The kernel that can replace a layer for such an input, and the layer's weights."""
    cell = _cell_of(layer)
    if cell is None or os.environ.get("SKLRNN_KERNELS") == "0" or _is_traced():
        return None
    of_some_cells = (getattr(layer, name, None) for name in _WEIGHT_NAMES[3:])
    weights = Weights(layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, *of_some_cells)
    if not _are_plain(x, *initial_states, *weights) or not _have_right_sizes(cell, layer, x, initial_states, weights):
        return None
    if state_mask is not None and not _is_mask(state_mask, x.shape[1], layer.hidden_size):
        return None
    if x.shape[0] < fewest_steps(layer.hidden_size) or (kernel := load_kernel(cell.kernel)) is None:
        return None
    return cell, kernel, weights


def fewest_steps(units: int) -> int:
    """Steps of a sequence from which on a kernel is faster than torch."""
    return -(-(units**2) // _MAX_WEIGHTS_PER_STEP)


def n_states_of(layer: Any) -> int:
    """States of a layer that has a kernel: 2 with a cell state."""
    cell = _cell_of(layer)
    assert cell is not None
    return cell.n_states


def _cell_of(layer: Any) -> _Cell | None:
    if not isinstance(layer, nn.RNNBase):
        # Of the class itself: a subclass may have other equations.
        return _CELLS.get(vars(type(layer)).get("_kernel", ""))
    if layer.num_layers > 1 or layer.bidirectional or layer.batch_first or layer.proj_size or not layer.bias:
        return None
    return _CELLS.get(layer.mode)


def _are_plain(*tensors: Any) -> bool:
    """Whether these are float32 values at an address of the CPU. If not, torch's layer runs, or says what is wrong."""
    return all(
        (type(tensor) is Tensor or type(tensor) is nn.Parameter)
        and tensor.dtype is torch.float32
        and tensor.is_cpu
        and tensor.layout is torch.strided
        and not tensor.is_neg()
        for tensor in tensors
        if tensor is not None
    )


def _have_right_sizes(cell: _Cell, layer: Any, x: Tensor, initial_states: tuple[Tensor, ...], weights: Weights) -> bool:
    """Whether the kernel covers these sizes, and they are those of the layer: the kernel itself checks nothing."""
    units, gate_rows = layer.hidden_size, cell.n_gates * layer.hidden_size
    if x.ndim != 3 or x.numel() == 0 or units > cell.max_units or len(initial_states) not in (0, cell.n_states):
        return False
    shapes = ((gate_rows, x.shape[2]), (gate_rows, units), (gate_rows,), (gate_rows,), (cell.n_peepholes, units))
    return all(state.shape == (1, x.shape[1], units) for state in initial_states) and all(
        weight is None or (weight.shape == shape and weight.is_contiguous())
        for weight, shape in zip(weights, shapes, strict=True)
    )


def _is_mask(mask: Tensor, n_rows: int, units: int) -> bool:
    is_constant = not mask.requires_grad and mask.is_contiguous()
    return is_constant and mask.shape == (n_rows, units) and _are_plain(mask)


def _is_traced() -> bool:
    """Whether torch has to see each operation, or needs more of a function than its gradient."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined]
        or torch.is_autocast_enabled("cpu")
        or _is_transforming()
        or getattr(forward_ad, "_current_level", -1) >= 0
    )


# torch's own code calls the same function.
_is_transforming = getattr(torch._C, "_are_functorch_transforms_active", lambda: False)


def contiguous_features(x: Tensor) -> Tensor:
    """The same values, of which a kernel can read a step of a row at once."""
    return x if x.stride(2) == 1 or x.shape[2] == 1 else x.contiguous()


class Recurrence(torch.autograd.Function):
    """All states, the final one and, where a cell has one, the final cell state, with their gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        layer: Any,
        cell: _Cell,
        kernel: Kernel,
        state_mask: Tensor | None,
        x: Tensor,
        *parameters: Any,
    ) -> tuple[Tensor, ...]:
        """Parameters are the weights of the layer, then the initial states, if they are given."""
        weights, initial_states = _split(parameters)
        saved, outputs = run_forward(kernel, x, state_mask, initial_states, weights, save=True)
        ctx.layer, ctx.cell, ctx.kernel, ctx.layout = layer, cell, kernel, saved.layout
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, state_mask, saved.states, saved.buffer, *parameters)
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *tensors = ctx.saved_tensors
        # Hooks on saved tensors may have changed their strides.
        x, tensors = contiguous_features(x), [each if each is None else each.contiguous() for each in tensors]
        state_mask, states, buffer, *parameters = tensors
        needs_grad = ctx.needs_input_grad[4:]
        if torch.is_grad_enabled():  # the gradient of the gradient is wanted
            all_outputs = _in_torch(ctx.layer, ctx.cell, x, state_mask, parameters)
            return *[None] * 4, *_differentiable_gradients(all_outputs, (x, *parameters), grads, needs_grad)
        weights, initial_states = _split(parameters)
        saved = SavedForward(states, buffer, ctx.layout)
        forward = ForwardCall(ctx.kernel, x, state_mask, initial_states, weights, saved)
        return *[None] * 4, *run_backward(forward, grads[0], grads[1:], needs_grad)


def _split(parameters: Sequence[Any]) -> tuple[Weights, tuple[Tensor, ...]]:
    n_weights = len(Weights._fields)
    return Weights(*parameters[:n_weights]), tuple(parameters[n_weights:])


def _in_torch(layer: Any, cell: _Cell, x: Tensor, state_mask: Tensor | None, parameters: Sequence[Any]) -> Any:
    """The same outputs from torch's own layer or, if it has none, from the layer's equations, step by step."""
    weights, initial_states = _split(parameters)
    if not initial_states:
        initial_states = tuple(x.new_zeros(1, x.shape[1], layer.hidden_size) for _ in range(cell.n_states))
    initial = initial_states[0] if cell.n_states == 1 else initial_states
    if cell.in_torch is not None and state_mask is None:
        return cell.in_torch(x, initial, weights[:4], True, 1, 0.0, False, False, False)
    named = {f"layer.{name}": w for name, w in zip(_WEIGHT_NAMES, weights, strict=True) if w is not None}
    states, last = torch.func.functional_call(_Unrolled(layer), named, (x, initial, state_mask))
    return states, *(last if isinstance(last, tuple) else (last,))


class _Unrolled(nn.Module):
    """A layer without its kernel."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, first: Any, state_mask: Tensor | None) -> Any:
        return self.layer.unroll(x, first, state_mask)


def _differentiable_gradients(
    all_outputs: tuple[Tensor, ...],
    all_inputs: tuple[Any, ...],
    grads: tuple[Tensor | None, ...],
    needs_grad: tuple[bool, ...],
) -> list[Tensor | None]:
    """The gradients of a layer's inputs, which can be differentiated again."""
    used = [(output, grad) for output, grad in zip(all_outputs, grads, strict=True) if grad is not None]
    outputs, grad_outputs = zip(*used, strict=True)
    inputs = [tensor for tensor, is_needed in zip(all_inputs, needs_grad, strict=True) if is_needed]
    found = iter(torch.autograd.grad(outputs, inputs, grad_outputs, create_graph=True, allow_unused=True))
    return [next(found) if is_needed else None for is_needed in needs_grad]
