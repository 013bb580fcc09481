"""A recurrent layer as one function of torch's autograd, and the layers of torch that it can replace."""

import os
from collections.abc import Callable
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
    """The layer of torch that a kernel can replace."""

    kernel: str
    in_torch: Callable[..., Any]
    n_gates: int
    n_states: int
    max_units: int  # torch is as fast beyond


_CELLS = {
    "RNN_TANH": _Cell("simple_rnn", torch.rnn_tanh, 1, 1, max_units=384),
    "RNN_RELU": _Cell("relu_rnn", torch.rnn_relu, 1, 1, max_units=384),
    "GRU": _Cell("gru", torch.gru, 3, 1, max_units=384),
    "LSTM": _Cell("lstm", torch.lstm, 4, 2, max_units=224),
}
# Each call packs the weights anew, which is not worth it for a few steps of many units.
_MAX_WEIGHTS_PER_STEP = 2**13


def run_kernel(layer: Any, x: Tensor, initial_state: Any = None) -> tuple[Tensor, Any] | None:
    """Do what ``layer(x, initial_state)`` does, only faster; None where torch's own layer has to do it.

    torch's layer is needed without numba, on other devices than the CPU, in other precisions than float32, with more
    than one layer or direction, for very wide layers, for a step or two of wide ones, while torch traces, compiles or
    transforms, and with ``SKLRNN_KERNELS=0`` in the environment.

    Outputs of a row, and gradients of its x and initial state, are equal to the bit in any batch and for any number of
    threads. This holds for kernels, not for torch's layers, nor for products that a network computes from the outputs.
    """
    initial = () if initial_state is None else initial_state if isinstance(initial_state, tuple) else (initial_state,)
    if (found := kernel_for(layer, x, initial)) is None:
        return None
    cell, kernel, weights = found
    x = contiguous_features(x)
    initial = tuple(state.contiguous() for state in initial)
    tensors = (x, *weights, *initial)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        states, *final = Recurrence.apply(cell, kernel, *tensors)
    else:
        _, (states, *final) = run_forward(kernel, x, initial, weights, save=False)
    return states, final[0] if len(final) == 1 else tuple(final)


def has_kernel(layer: Any) -> bool:
    """Whether there is a kernel for layers of this kind; torch runs those that are too wide for it."""
    cell = _cell_of(layer)
    if cell is None or layer.weight_ih_l0.dtype is not torch.float32 or os.environ.get("SKLRNN_KERNELS") == "0":
        return False
    return load_kernel(cell.kernel) is not None


def kernel_for(layer: Any, x: Tensor, initial_states: tuple[Tensor, ...] = ()) -> tuple[_Cell, Kernel, Weights] | None:
    """The kernel that can replace a layer of torch for such an input, and the layer's weights."""
    cell = _cell_of(layer)
    if cell is None or os.environ.get("SKLRNN_KERNELS") == "0" or _is_traced():
        return None
    weights = Weights(layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    if not _are_plain(x, *initial_states, *weights) or not _have_right_sizes(cell, layer, x, initial_states, weights):
        return None
    if x.shape[0] < fewest_steps(layer.hidden_size) or (kernel := load_kernel(cell.kernel)) is None:
        return None
    return cell, kernel, weights


def fewest_steps(units: int) -> int:
    """Steps of a sequence from which on a kernel is faster than torch."""
    return -(-(units**2) // _MAX_WEIGHTS_PER_STEP)


def _cell_of(layer: Any) -> _Cell | None:
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
    )


def _have_right_sizes(cell: _Cell, layer: Any, x: Tensor, initial_states: tuple[Tensor, ...], weights: Weights) -> bool:
    """Whether the kernel covers these sizes, and they are those of the layer: the kernel itself checks nothing."""
    units, gate_rows = layer.hidden_size, cell.n_gates * layer.hidden_size
    if x.ndim != 3 or x.numel() == 0 or units > cell.max_units or len(initial_states) not in (0, cell.n_states):
        return False
    shapes = ((gate_rows, x.shape[2]), (gate_rows, units), (gate_rows,), (gate_rows,))
    return all(state.shape == (1, x.shape[1], units) for state in initial_states) and all(
        weight.shape == shape and weight.is_contiguous() for weight, shape in zip(weights, shapes, strict=True)
    )


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
    def forward(ctx: Any, cell: _Cell, kernel: Kernel, x: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        """Parameters are the four weights of the layer, then the initial states, if they are given."""
        saved, outputs = run_forward(kernel, x, parameters[4:], Weights(*parameters[:4]), save=True)
        ctx.cell, ctx.kernel, ctx.layout = cell, kernel, saved.layout
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, saved.states, saved.buffer, *parameters)
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *tensors = ctx.saved_tensors
        # Hooks on saved tensors may have changed their strides.
        x, (states, buffer, *parameters) = contiguous_features(x), [tensor.contiguous() for tensor in tensors]
        needs_grad = ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():  # the gradient of the gradient is wanted
            return None, None, *_differentiable_gradients(ctx.cell, x, parameters, grads, needs_grad)
        saved = SavedForward(states, buffer, ctx.layout)
        forward = ForwardCall(ctx.kernel, x, tuple(parameters[4:]), Weights(*parameters[:4]), saved)
        return None, None, *run_backward(forward, grads[0], grads[1:], needs_grad)


def _differentiable_gradients(
    cell: _Cell, x: Tensor, parameters: list[Tensor], grads: tuple[Tensor | None, ...], needs_grad: tuple[bool, ...]
) -> list[Tensor | None]:
    """The same gradients from torch's own layer, which can be differentiated again."""
    weights, initial_states = parameters[:4], parameters[4:]
    if not initial_states:
        initial_states = [x.new_zeros(1, x.shape[1], weights[1].shape[1]) for _ in grads[1:]]
    initial = initial_states[0] if len(initial_states) == 1 else initial_states
    all_outputs = cell.in_torch(x, initial, weights, True, 1, 0.0, False, False, False)
    used = [(output, grad) for output, grad in zip(all_outputs, grads, strict=True) if grad is not None]
    outputs, grad_outputs = zip(*used, strict=True)
    inputs = [tensor for tensor, is_needed in zip((x, *parameters), needs_grad, strict=True) if is_needed]
    found = iter(torch.autograd.grad(outputs, inputs, grad_outputs, create_graph=True, allow_unused=True))
    return [next(found) if is_needed else None for is_needed in needs_grad]
