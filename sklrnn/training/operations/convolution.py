"""Causal convolutions along time, with batch normalisation, ReLU and max pooling.

With V_s the weights of the step s steps ago, and x^ the normalised x::

    convolve    y_t = b + sum_s V_s x_{t-s}      dx_t = sum_s V_s' dy_{t+s},  dV_s = sum_t dy_t x_{t-s}',  db = sum dy_t
    normalise   y = w x^ + b                     dx = w (dy - mean(dy) - x^ mean(dy x^)) / deviation(x)
    relu        y = max(x, 0)                    dx = dy where y > 0, else 0
    pool        y_n = max of x in block n        dx_t = dy_n where x_t is the maximum, the first one, else 0

So a convolution is one product of matrices for each step of its kernel, and its input is not copied.
"""

from typing import Any

import torch
from torch import Tensor

from sklrnn.nn.batch_norm import SharedMoments
from sklrnn.nn.convolution import BatchNorm, CausalConvolution
from sklrnn.training.operations.recurrent import make_signal
from sklrnn.training.operations.signal import LeftToAutograd, Operation, Signal, refuse_frozen


class Convolve:
    def __init__(self, layer: Any, source: Signal) -> None:
        refuse_frozen("a convolution", layer.parameters())
        n_steps, n_rows, _ = source.values.shape
        size = layer.weight.shape[2]
        self.output = make_signal(n_steps, n_rows, layer.weight.shape[0])
        self._bias = None if layer.bias is None else (layer.bias.detach(), layer.bias.grad)
        self._weight, self._grad_weight = (w.permute(2, 1, 0) for w in (layer.weight.detach(), layer.weight.grad))
        self._packed = torch.empty(self._weight.shape)  # (step, feature, filter)
        self._grad_packed = torch.zeros_like(self._packed)
        x, y, dy = (one.flatten(0, 1) for one in (source.values, self.output.values, self.output.gradient))
        dx = None if source.gradient is None else source.gradient.flatten(0, 1)
        self._dy = dy
        # For each step of the kernel: its weights and their gradient, the inputs that it reads, the outputs it adds to.
        self._shifts = []
        for ago in range(min(size, n_steps)):
            inputs, outputs = slice(0, len(x) - ago * n_rows), slice(ago * n_rows, len(x))
            weight, grad_weight = self._packed[size - 1 - ago], self._grad_packed[size - 1 - ago]
            grad_x = None if dx is None else dx[inputs]
            self._shifts.append((weight, grad_weight, x[inputs], y[outputs], grad_x, dy[outputs]))

    def forward(self, batch: dict[str, Tensor]) -> None:
        self._packed.copy_(self._weight)
        weight, _, x, y, *_ = self._shifts[0]
        if self._bias is None:
            torch.mm(x, weight, out=y)
        else:
            torch.addmm(self._bias[0], x, weight, out=y)
        for weight, _, x, y, *_ in self._shifts[1:]:
            y.addmm_(x, weight)

    def backward(self) -> None:
        if self._bias is not None:
            torch.sum(self._dy, dim=0, out=self._bias[1])
        for ago, (weight, grad_weight, x, _, dx, dy) in enumerate(self._shifts):
            torch.mm(x.t(), dy, out=grad_weight)
            if dx is not None:
                dx.addmm_(dy, weight.t(), beta=1 if ago else 0)
        self._grad_weight.copy_(self._grad_packed)


class NormaliseBatch:
    """Batch normalisation over all steps of all rows, by torch's operator."""

    def __init__(self, layer: BatchNorm, source: Signal) -> None:
        refuse_frozen("a batch normalisation", layer.parameters())
        if source.values[:, :, 0].numel() == 1:
            raise LeftToAutograd("one value has no spread to normalise")
        self._layer = layer
        self._x, self._dx = source.values.flatten(0, 1), source.gradient.flatten(0, 1)
        self.output = make_signal(*source.values.shape)
        self._y, self._dy = self.output.values.flatten(0, 1), self.output.gradient.flatten(0, 1)
        self._weights = layer.weight.detach(), layer.bias.detach()
        self._grads = layer.weight.grad, layer.bias.grad
        self._moments = torch.empty_like(layer.mean), torch.empty_like(layer.mean)  # mean, and one over the deviation

    def forward(self, batch: dict[str, Tensor]) -> None:
        layer, (mean, deviation) = self._layer, self._moments
        torch.native_batch_norm(
            self._x,
            *self._weights,
            layer.mean,
            layer.variance,
            True,
            layer.count_batch(),
            layer.EPSILON,
            out=(self._y, mean, deviation),
        )

    def backward(self) -> None:
        layer = self._layer
        torch.ops.aten.native_batch_norm_backward.out(
            self._dy,
            self._x,
            self._weights[0],
            layer.mean,
            layer.variance,
            *self._moments,
            True,
            layer.EPSILON,
            [True, True, True],
            out0=self._dx,
            out1=self._grads[0],
            out2=self._grads[1],
        )


class NormaliseSharedBatch(NormaliseBatch):
    """The same where several processes share the batch."""

    def forward(self, batch: dict[str, Tensor]) -> None:
        layer, (weight, bias) = self._layer, self._weights
        assert layer.share is not None
        self._shared = SharedMoments(self._x, layer.share)
        self._shared.update(layer.mean, layer.variance, layer.count_batch())
        self._z, self._inverse = self._shared.standardise(self._x, layer.EPSILON)
        torch.addcmul(bias, self._z, weight, out=self._y)

    def backward(self) -> None:
        gradients = self._shared.backward(self._dy, self._z, self._weights[0], self._inverse)
        for target, gradient in zip((self._dx, *self._grads), gradients, strict=True):
            target.copy_(gradient)


class Relu:
    """In place."""

    def __init__(self, source: Signal) -> None:
        self.output = source

    def forward(self, batch: dict[str, Tensor]) -> None:
        self.output.values.relu_()

    def backward(self) -> None:
        _where_positive(self.output.gradient, self.output.values, out=self.output.gradient)


class MaxPool:
    """The maximum of each block of steps. The last block ends at the newest step, so the first may be shorter."""

    def __init__(self, source: Signal, size: int) -> None:
        n_steps, n_rows, n_features = source.values.shape
        self.output = make_signal(-(-n_steps // size), n_rows, n_features)
        x, dx, y, dy = source.values, source.gradient, self.output.values, self.output.gradient
        n_first = n_steps % size
        self._blocks = [_Blocks(x[:n_first], dx[:n_first], y[:1], dy[:1], n_first)] if n_first else []
        if n_steps >= size:
            of_y = slice(-(n_steps // size), None)
            self._blocks.append(_Blocks(x[n_first:], dx[n_first:], y[of_y], dy[of_y], size))

    def forward(self, batch: dict[str, Tensor]) -> None:
        for blocks in self._blocks:
            blocks.forward()

    def backward(self) -> None:
        for blocks in self._blocks:
            blocks.backward()


class _Blocks:
    """Blocks of one length: x and its gradient as (place in the block, block, sample, filter), y and its gradient.

    ``largest`` holds the maximum of the places up to each.
    """

    def __init__(self, x: Tensor, dx: Tensor, y: Tensor, dy: Tensor, length: int) -> None:
        self._x, self._dx = (part.unflatten(0, (-1, length)).unbind(1) for part in (x, dx))
        self._y, self._dy = y, dy
        self._largest = [self._x[0], *(torch.empty_like(y) for _ in range(length - 2)), y]
        self._difference, self._left = torch.empty_like(y), torch.empty_like(y)

    def forward(self) -> None:
        if len(self._x) == 1:
            self._y.copy_(self._x[0])
        for place in range(1, len(self._x)):
            torch.maximum(self._largest[place - 1], self._x[place], out=self._largest[place])

    def backward(self) -> None:
        """From the last place on: where it is larger than all before it, it gets what is left of the gradient."""
        left = self._dy
        for place in range(len(self._x) - 1, 0, -1):
            torch.sub(self._x[place], self._largest[place - 1], out=self._difference)
            _where_positive(left, self._difference, out=self._dx[place])
            left = torch.sub(left, self._dx[place], out=self._left if place > 1 else self._dx[0])
        if len(self._x) == 1:
            self._dx[0].copy_(left)


def _where_positive(gradient: Tensor, x: Tensor, *, out: Tensor) -> None:
    """The gradient where x is positive, else 0."""
    torch.ops.aten.threshold_backward.grad_input(gradient, x, 0.0, grad_input=out)


def convolution_operations(convolution: CausalConvolution, source: Signal) -> tuple[list[Operation], Signal]:
    """The operations of all convolutions, and what the last of them gives."""
    operations: list[Operation] = []
    for layer, norm, pool_size in zip(convolution.layers, convolution.norms, convolution.pool_sizes, strict=True):
        convolve = Convolve(layer, source)
        operations.append(convolve)
        source = convolve.output
        if isinstance(norm, BatchNorm):
            normalise = (NormaliseBatch if norm.share is None else NormaliseSharedBatch)(norm, source)
            operations.append(normalise)
            source = normalise.output
        if pool_size > 1:
            pool = MaxPool(source, pool_size)
            operations.append(pool)
            source = pool.output
        operations.append(Relu(source))  # behind the pooling, where there are fewer steps and the result is the same
    return operations, source
