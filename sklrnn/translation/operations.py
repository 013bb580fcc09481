"""A step of training of an encoder-decoder: the operations between the encoder, the decoder and the head.

With f_t what the decoder is fed in step t, e the final state of the encoder, k_u its states of width E, and h_t those
of the decoder::

    product     y = W x + b                     dW = sum dy x',  db = sum dy,  dx = W' dy
    numbers     v_t = W f_t + b
    beside      x_t = [v_t, e]                  dv_t = first part of dx_t,  de = sum over t of the second part
    attention   q_t = Wq h_t + bq
                s_tu = q_t k_u / sqrt(E)        dq_t = sum over u of ds_tu k_u / sqrt(E)
                a_t = softmax(s_t)              ds_tu = a_tu (da_tu - sum over v of a_tv da_tv)
                c_t = sum over u of a_tu k_u    da_tu = dc_t k_u,  dk_u = sum over t of a_tu dc_t + ds_tu q_t / sqrt(E)
                z_t = W [h_t, c_t] + b
                y_t = tanh(z_t)                 dz_t = (1 - y_t^2) dy_t
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from sklrnn.nn.layers import real_steps
from sklrnn.training.operations.front import Embed, front_operations
from sklrnn.training.operations.head import Head
from sklrnn.training.operations.readout import LastState
from sklrnn.training.operations.recurrent import make_signal, recurrent_operations
from sklrnn.training.operations.signal import Operation, Signal, refuse_frozen


class FeedBack:
    """What the decoder is fed: the true steps, of which some are predictions where teacher forcing is partial."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def forward(self, batch: dict[str, Tensor]) -> None:
        self.fed = self._network.fed_in_training(batch["x"], batch["fed"], batch.get("lengths"))

    def backward(self) -> None:
        """Nothing to do: no gradient flows through predictions."""


class Product:
    """A linear layer on all rows of a batch; ``name`` is that of what can't be frozen."""

    def __init__(self, layer: Any, name: str) -> None:
        refuse_frozen(name, layer.parameters())
        self._weight, self._bias = layer.weight.detach(), layer.bias.detach()
        self._grad_weight, self._grad_bias = layer.weight.grad, layer.bias.grad

    def forward(self, x: Tensor, out: Tensor) -> None:
        torch.addmm(self._bias, x, self._weight.t(), out=out)

    def backward(self, x: Tensor, gradient: Tensor) -> None:
        """Leave the gradients of the weights."""
        torch.mm(gradient.t(), x, out=self._grad_weight)
        torch.sum(gradient, dim=0, out=self._grad_bias)

    def to_input(self, gradient: Tensor) -> Tensor:
        """The gradient of the input."""
        return torch.mm(gradient, self._weight)


class FeedNumbers:
    """The product of the numbers that the decoder is fed."""

    def __init__(self, layer: Any, feedback: FeedBack, n_steps: int, n_rows: int) -> None:
        self._product, self._feedback = Product(layer, "the input of the decoder"), feedback
        self.output = make_signal(n_steps, n_rows, layer.out_features)

    def forward(self, batch: dict[str, Tensor]) -> None:
        values = self.output.values.flatten(0, 1)
        self._fed = self._feedback.fed.transpose(0, 1).to(values.dtype).flatten(0, 1)
        self._product.forward(self._fed, values)

    def backward(self) -> None:
        self._product.backward(self._fed, self.output.gradient.flatten(0, 1))


class BesideEachStep:
    """The steps (time, sample, feature), and beside each of them the same state (sample, unit)."""

    def __init__(self, steps: Signal, state: Signal) -> None:
        self._steps, self._state = steps, state
        n_steps, n_rows, self._width = steps.values.shape
        self.output = make_signal(n_steps, n_rows, self._width + state.values.shape[1])

    def forward(self, batch: dict[str, Tensor]) -> None:
        self.output.values[:, :, : self._width] = self._steps.values
        self.output.values[:, :, self._width :] = self._state.values

    def backward(self) -> None:
        gradient = self.output.gradient
        self._steps.gradient.copy_(gradient[:, :, : self._width])
        torch.sum(gradient[:, :, self._width :], dim=0, out=self._state.gradient)


class Attend:
    """Luong's attention (general score). It overwrites the gradient of the states of the encoder."""

    def __init__(self, attention: Any, states: Signal, keys: Signal) -> None:
        self._query, self._combine = (Product(layer, "the attention") for layer in (attention.query, attention.combine))
        self._states, self._grad_states = states.values.flatten(0, 1), states.gradient.flatten(0, 1)
        self._keys, self._grad_keys = keys.values.transpose(0, 1), keys.gradient.transpose(0, 1)
        n_steps, n_rows, units = states.values.shape
        width = keys.values.shape[2]
        self._scale = width**-0.5
        self.output = make_signal(n_steps, n_rows, units)
        # All steps as rows, which the products with weights read; those with keys read (sample, time, feature).
        self._queries, self._joined = torch.empty(n_steps * n_rows, width), torch.empty(n_steps * n_rows, units + width)
        self._grad_queries = torch.empty_like(self._queries)
        self._by_sample = partial(_by_sample, n_rows=n_rows)
        self._units = units

    def forward(self, batch: dict[str, Tensor]) -> None:
        keys, lengths, y = self._keys, batch.get("lengths"), self.output.values.flatten(0, 1)
        self._query.forward(self._states, self._queries)
        scores = torch.bmm(self._by_sample(self._queries), keys.transpose(1, 2)).mul_(self._scale)
        if lengths is not None:
            scores.masked_fill_(~real_steps(lengths, keys.shape[1]).unsqueeze(1), -torch.inf)
        self._shares = scores.softmax(dim=2)  # (sample, time, time of the encoder)
        self._joined[:, : self._units] = self._states
        self._by_sample(self._joined[:, self._units :]).copy_(torch.bmm(self._shares, keys))
        self._combine.forward(self._joined, y)
        y.tanh_()

    def backward(self) -> None:
        keys, shares = self._keys, self._shares
        y, grad_y = self.output.values.flatten(0, 1), self.output.gradient.flatten(0, 1)
        grad_sums = torch.ops.aten.tanh_backward(grad_y, y)
        self._combine.backward(self._joined, grad_sums)
        grad_joined = self._combine.to_input(grad_sums)
        grad_context = self._by_sample(grad_joined[:, self._units :])
        grad_shares = torch.bmm(grad_context, keys.transpose(1, 2))
        grad_scores = torch._softmax_backward_data(grad_shares, shares, 2, shares.dtype).mul_(self._scale)
        grad_keys = torch.bmm(shares.transpose(1, 2), grad_context)
        self._grad_keys.copy_(grad_keys.baddbmm_(grad_scores.transpose(1, 2), self._by_sample(self._queries)))
        self._by_sample(self._grad_queries).copy_(torch.bmm(grad_scores, keys))
        self._query.backward(self._states, self._grad_queries)
        of_queries = self._query.to_input(self._grad_queries)
        torch.add(grad_joined[:, : self._units], of_queries, out=self._grad_states)


def _by_sample(rows: Tensor, n_rows: int) -> Tensor:
    """Rows of all steps (time and sample, feature) as (sample, time, feature)."""
    return rows.unflatten(0, (-1, n_rows)).transpose(0, 1)


def translation_operations(network: Any, batch: dict[str, Tensor]) -> tuple[list[Operation], Head]:
    """All operations from a batch of this shape to raw outputs, with the head, which is the last of them."""
    n_rows, n_steps = batch["fed"].shape[:2]
    feedback = FeedBack(network)
    front, source = front_operations(network, batch)
    operations: list[Operation] = [feedback, *front]
    gives_final = network.attention is None and "lengths" not in batch
    for layer in network.encoder:
        is_last = layer is network.encoder[-1]
        of_layer, source = recurrent_operations(layer, source, gives_final=gives_final and is_last)
        operations += of_layer
    encoded = final = source
    if encoded.values.ndim == 3:
        newest = LastState(encoded, n_forwards=network.encoder[-1].units, adds=network.attention is not None)
        operations.append(newest)
        final = newest.output
    feed: FeedNumbers | Embed
    if network.architecture.n_values:
        feed = FeedNumbers(network.feed, feedback, n_steps, n_rows)
    else:
        feed = Embed(network.feed.weight, n_steps, n_rows, lambda _: feedback.fed.t())
    beside = BesideEachStep(feed.output, final)
    operations += [feed, beside]
    source = beside.output
    for layer in network.decoder:
        of_layer, source = recurrent_operations(layer, source)
        operations += of_layer
    if network.attention is not None:
        attend = Attend(network.attention, source, encoded)
        operations.append(attend)
        source = attend.output
    head = Head(network.head, [source])
    return [*operations, head], head
