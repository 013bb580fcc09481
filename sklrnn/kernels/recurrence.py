"""A recurrent layer as one function of torch's autograd, and the layers that it can stand for."""

import os
from typing import Any

import torch
from torch import Tensor, nn

from sklrnn.kernels._going_back import Read, go_back
from sklrnn.kernels._layer import Kernel, Weights
from sklrnn.kernels._loading import load_kernel
from sklrnn.kernels._reading import Trace, read

_IN_TORCH: dict[str, Any] = {
    "simple_rnn": torch.rnn_tanh,
    "relu_rnn": torch.rnn_relu,
    "gru": torch.gru,
    "lstm": torch.lstm,
}


def run_kernel(layer: Any, x: Tensor, first: Any = None) -> tuple[Tensor, Any] | None:
    """Do what ``layer(x, first)`` does, only faster; None where that is torch's work.

    That is: without numba, on other devices than the CPU, in other precisions than float32, with more than one layer or
    direction, for very wide layers, while torch traces or compiles, and with ``SKLRNN_KERNELS=0`` in the environment.
    """
    cell = _cell_of(layer)
    if cell is None or os.environ.get("SKLRNN_KERNELS") == "0":
        return None
    begin = () if first is None else first if isinstance(first, tuple) else (first,)
    weights = Weights(layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    if not _covers(layer, x, begin, weights) or (kernel := load_kernel(cell)) is None:
        return None
    if layer.hidden_size > kernel.shape.most_units or len(begin) not in (0, kernel.shape.n_states):
        return None
    if x.stride(2) != 1 and x.shape[2] != 1:
        x = x.contiguous()
    begin = tuple(state.contiguous() for state in begin)
    tensors = (x, *weights, *begin)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        states, *last = Recurrence.apply(cell, kernel, *tensors)
    else:
        _, (states, *last) = read(kernel, x, begin, weights, keep=False)
    return states, last[0] if len(last) == 1 else tuple(last)


def _cell_of(layer: Any) -> str | None:
    if layer.num_layers > 1 or layer.bidirectional or layer.batch_first or layer.proj_size or not layer.bias:
        return None
    return {"RNN_TANH": "simple_rnn", "RNN_RELU": "relu_rnn", "GRU": "gru", "LSTM": "lstm"}.get(layer.mode)


def _covers(layer: Any, x: Any, begin: tuple[Any, ...], weights: Weights) -> bool:
    """Whether these are tensors that a kernel can read; whatever else they are, torch knows what to say."""
    for tensor in (x, *begin, *weights):
        kind = type(tensor)
        if (kind is not Tensor and kind is not nn.Parameter) or tensor.dtype is not torch.float32 or not tensor.is_cpu:
            return False
    if x.ndim != 3 or x.shape[2] != layer.input_size or x.numel() == 0:
        return False
    if any(state.shape != (1, x.shape[1], layer.hidden_size) for state in begin):
        return False
    return all(weight.is_contiguous() for weight in weights) and not (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined]
        or torch.is_autocast_enabled("cpu")
        or _is_transforming()
    )


# torch.func's transforms need more of a function than its gradient. torch asks the same of itself.
_is_transforming = getattr(torch._C, "_are_functorch_transforms_active", lambda: False)


class Recurrence(torch.autograd.Function):
    """All states, the last one and, where a cell has one, the last memory, with their gradients."""

    @staticmethod
    def forward(ctx: Any, cell: str, kernel: Kernel, x: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        """Parameters are the four weights of the layer, then the states before the first step, if they are given."""
        trace, outputs = read(kernel, x, parameters[4:], Weights(*parameters[:4]), keep=True)
        ctx.cell, ctx.kernel, ctx.layout = cell, kernel, trace.layout
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(trace.states, trace.buffer, x, *parameters)
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        states, buffer, x, *parameters = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():  # somebody wants the gradient of the gradient
            return None, None, *_differentiable_gradients(ctx.cell, x, parameters, grads, wanted)
        trace = Trace(states, buffer, ctx.layout)
        was = Read(ctx.kernel, x, tuple(parameters[4:]), Weights(*parameters[:4]), trace)
        return None, None, *go_back(was, grads[0], grads[1:], wanted)


def _differentiable_gradients(
    cell: str, x: Tensor, parameters: list[Tensor], grads: tuple[Tensor | None, ...], wanted: tuple[bool, ...]
) -> list[Tensor | None]:
    """The same gradients by way of torch's own layer, which can be differentiated again."""
    weights, first = parameters[:4], parameters[4:]
    if not first:
        first = [x.new_zeros(1, x.shape[1], weights[1].shape[1]) for _ in grads[1:]]
    begin = first[0] if len(first) == 1 else first
    outputs = _IN_TORCH[cell](x, begin, weights, True, 1, 0.0, False, False, False)
    known = [(output, grad) for output, grad in zip(outputs, grads, strict=True) if grad is not None]
    ends, grads_of_ends = zip(*known, strict=True)
    asked = [tensor for tensor, is_asked in zip((x, *parameters), wanted, strict=True) if is_asked]
    found = iter(torch.autograd.grad(ends, asked, grads_of_ends, create_graph=True))
    return [next(found) if is_asked else None for is_asked in wanted]
