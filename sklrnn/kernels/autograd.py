"""A recurrent layer as one function of torch's autograd, and the layers that it can stand for."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from sklrnn.kernels._backward_call import Read, go_back
from sklrnn.kernels._forward_call import Trace, read
from sklrnn.kernels._registry import load_kernel
from sklrnn.kernels._runtime import Kernel, Weights


class _Cell(NamedTuple):
    """What a layer of torch must be like for a kernel to stand for it."""

    kernel: str
    in_torch: Callable[..., Any]
    n_gates: int
    n_states: int
    most_units: int  # beyond, torch is as fast


_CELLS = {
    "RNN_TANH": _Cell("simple_rnn", torch.rnn_tanh, 1, 1, most_units=384),
    "RNN_RELU": _Cell("relu_rnn", torch.rnn_relu, 1, 1, most_units=384),
    "GRU": _Cell("gru", torch.gru, 3, 1, most_units=384),
    "LSTM": _Cell("lstm", torch.lstm, 4, 2, most_units=224),
}
# Each call lays the weights out anew, which a few steps of many units don't repay.
_MOST_WEIGHTS_A_STEP = 2**13


def run_kernel(layer: Any, x: Tensor, first: Any = None) -> tuple[Tensor, Any] | None:
    """Do what ``layer(x, first)`` does, only faster; None where that is torch's work.

    That is: without numba, on other devices than the CPU, in other precisions than float32, with more than one layer or
    direction, for very wide layers, for a step or two of wide ones, while torch traces, compiles or transforms, and with
    ``SKLRNN_KERNELS=0`` in the environment.
    """
    begin = () if first is None else first if isinstance(first, tuple) else (first,)
    if (found := kernel_for(layer, x, begin)) is None:
        return None
    cell, kernel, weights = found
    x = _with_features_side_by_side(x)
    begin = tuple(state.contiguous() for state in begin)
    tensors = (x, *weights, *begin)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        states, *last = Recurrence.apply(cell, kernel, *tensors)
    else:
        _, (states, *last) = read(kernel, x, begin, weights, keep=False)
    return states, last[0] if len(last) == 1 else tuple(last)


def kernel_for(layer: Any, x: Tensor, begin: tuple[Tensor, ...] = ()) -> tuple[_Cell, Kernel, Weights] | None:
    """The kernel that can stand for a layer of torch on such an input, and the weights that it reads."""
    cell = _cell_of(layer)
    if cell is None or os.environ.get("SKLRNN_KERNELS") == "0" or _is_watched():
        return None
    weights = Weights(layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    if not _can_be_read(x, *begin, *weights) or not _fit(cell, layer, x, begin, weights):
        return None
    if layer.hidden_size**2 > _MOST_WEIGHTS_A_STEP * x.shape[0] or (kernel := load_kernel(cell.kernel)) is None:
        return None
    return cell, kernel, weights


def _cell_of(layer: Any) -> _Cell | None:
    if layer.num_layers > 1 or layer.bidirectional or layer.batch_first or layer.proj_size or not layer.bias:
        return None
    return _CELLS.get(layer.mode)


def _can_be_read(*tensors: Any) -> bool:
    """Whether these are numbers at an address, as a kernel reads them; whatever else they are, torch knows what to say."""
    return all(
        (type(tensor) is Tensor or type(tensor) is nn.Parameter)
        and tensor.dtype is torch.float32
        and tensor.is_cpu
        and tensor.layout is torch.strided
        and not tensor.is_neg()
        for tensor in tensors
    )


def _fit(cell: _Cell, layer: Any, x: Tensor, begin: tuple[Tensor, ...], weights: Weights) -> bool:
    """Whether the kernel covers these sizes, and they are those of the layer: no kernel would notice if not."""
    units, rows = layer.hidden_size, cell.n_gates * layer.hidden_size
    if x.ndim != 3 or x.numel() == 0 or units > cell.most_units or len(begin) not in (0, cell.n_states):
        return False
    shapes = ((rows, x.shape[2]), (rows, units), (rows,), (rows,))
    return all(state.shape == (1, x.shape[1], units) for state in begin) and all(
        weight.shape == shape and weight.is_contiguous() for weight, shape in zip(weights, shapes, strict=True)
    )


def _is_watched() -> bool:
    """Whether torch wants to see each operation, or more of a function than its gradient."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined]
        or torch.is_autocast_enabled("cpu")
        or _is_transforming()
        or getattr(forward_ad, "_current_level", -1) >= 0
    )


# torch asks the same of itself.
_is_transforming = getattr(torch._C, "_are_functorch_transforms_active", lambda: False)


def _with_features_side_by_side(x: Tensor) -> Tensor:
    return x if x.stride(2) == 1 or x.shape[2] == 1 else x.contiguous()


class Recurrence(torch.autograd.Function):
    """All states, the last one and, where a cell has one, the last memory, with their gradients."""

    @staticmethod
    def forward(ctx: Any, cell: _Cell, kernel: Kernel, x: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        """Parameters are the four weights of the layer, then the states before the first step, if they are given."""
        trace, outputs = read(kernel, x, parameters[4:], Weights(*parameters[:4]), keep=True)
        ctx.cell, ctx.kernel, ctx.layout = cell, kernel, trace.layout
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, trace.states, trace.buffer, *parameters)
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *saved = ctx.saved_tensors
        # Whoever saved them (torch has hooks for that) may have laid them out in another way.
        x, (states, buffer, *parameters) = _with_features_side_by_side(x), [tensor.contiguous() for tensor in saved]
        wanted = ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():  # somebody wants the gradient of the gradient
            return None, None, *_differentiable_gradients(ctx.cell, x, parameters, grads, wanted)
        trace = Trace(states, buffer, ctx.layout)
        was = Read(ctx.kernel, x, tuple(parameters[4:]), Weights(*parameters[:4]), trace)
        return None, None, *go_back(was, grads[0], grads[1:], wanted)


def _differentiable_gradients(
    cell: _Cell, x: Tensor, parameters: list[Tensor], grads: tuple[Tensor | None, ...], wanted: tuple[bool, ...]
) -> list[Tensor | None]:
    """The same gradients by way of torch's own layer, which can be differentiated again."""
    weights, first = parameters[:4], parameters[4:]
    if not first:
        first = [x.new_zeros(1, x.shape[1], weights[1].shape[1]) for _ in grads[1:]]
    begin = first[0] if len(first) == 1 else first
    outputs = cell.in_torch(x, begin, weights, True, 1, 0.0, False, False, False)
    known = [(output, grad) for output, grad in zip(outputs, grads, strict=True) if grad is not None]
    ends, grads_of_ends = zip(*known, strict=True)
    asked = [tensor for tensor, is_asked in zip((x, *parameters), wanted, strict=True) if is_asked]
    found = iter(torch.autograd.grad(ends, asked, grads_of_ends, create_graph=True, allow_unused=True))
    return [next(found) if is_asked else None for is_asked in wanted]
