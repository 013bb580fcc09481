"""Causal convolutions with normalisation and pooling as ONNX operators; tensors are (sample, time, feature)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.export.graph import Graph
from sklrnn.nn.convolution import BatchNorm, CausalConvolution

Array = NDArray[Any]


def convolve(graph: Graph, convolution: CausalConvolution, x: str) -> str:
    """The outputs of the last convolution, (sample, time, filter)."""
    for layer, norm, pool_size in zip(convolution.layers, convolution.norms, convolution.pool_sizes, strict=True):
        n_earlier = convolution.kernel_size - 1
        padded = graph.add("Pad", x, np.array([0, n_earlier, 0, 0, 0, 0]), graph.value(0.0))
        x = read_windows(graph, layer, norm, padded, graph.length(x, 1))
        x = _pool(graph, x, pool_size) if pool_size > 1 else x
    return x


def read_windows(graph: Graph, layer: Any, norm: Any, padded: str, n_steps: str) -> str:
    """The outputs of a convolution for so many steps, which are padded in front: one product of matrices for all."""
    weight = layer.weight.detach().double().cpu().numpy()
    if isinstance(norm, BatchNorm):
        scale, bias = norm.scale_and_shift()
        weight = weight * scale.reshape(-1, 1, 1)
    else:
        bias = layer.bias.detach().double().cpu().numpy()
    n_filters, n_features, kernel_size = weight.shape
    windows = graph.gather_windows(padded, n_steps, np.arange(kernel_size), axis=1)
    windows = graph.reshape(windows, 0, 0, kernel_size * n_features)
    by_step = weight.transpose(0, 2, 1).reshape(n_filters, -1)  # (filter, step and feature)
    return graph.add("Relu", graph.linear(windows, by_step, bias))


def _pool(graph: Graph, x: str, pool_size: int) -> str:
    """The largest value of each block of steps; blocks end at the newest step, so zeros fill the oldest one."""
    n_steps, size = graph.length(x, 1), np.array([pool_size])
    n_blocks = graph.add("Div", graph.add("Add", n_steps, size - 1), size)
    n_missing = graph.add("Sub", graph.add("Mul", n_blocks, size), n_steps)
    zero = np.array([0])
    padded = graph.add("Pad", x, graph.concat([zero, n_missing, zero, zero, zero, zero], axis=0), graph.value(0.0))
    n_filters = graph.length(x, 2)
    shape = graph.concat([zero, n_blocks, size, n_filters], axis=0)
    return graph.add("ReduceMax", graph.add("Reshape", padded, shape), np.array([2]), keepdims=0)
