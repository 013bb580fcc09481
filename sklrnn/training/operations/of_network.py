"""The list of operations of a network."""

from torch import Tensor

from sklrnn.nn.network import Network
from sklrnn.nn.readout import AttentionState
from sklrnn.training.operations.convolution import convolution_operations
from sklrnn.training.operations.front import NewestInput, front_operations
from sklrnn.training.operations.head import Head
from sklrnn.training.operations.readout import AttendedState, LastState, MaxState, MeanState
from sklrnn.training.operations.recurrent import Dropout, recurrent_operations
from sklrnn.training.operations.segments import JoinSegments, SplitSegments
from sklrnn.training.operations.signal import LeftToAutograd, Operation, Signal


def network_operations(network: Network, batch: dict[str, Tensor]) -> tuple[list[Operation], Head]:
    """All operations from a batch of this shape to raw outputs, with the head, which is the last of them."""
    a, x = network.architecture, batch["x"]
    operations, source = front_operations(network, batch)
    beside: list[Signal] = []  # what the head reads beside the states
    if network.n_direct_steps:
        newest = NewestInput(source, network.n_direct_steps)
        operations.append(newest)
        beside.append(newest.output)
    if network.convolution.layers:
        if "lengths" in batch:
            raise LeftToAutograd("convolutions read sequences of different lengths")
        convolutions, source = convolution_operations(network.convolution, source)
        operations += convolutions
    if network.skip is not None:
        skip = MeanState(source, adds=True)
        operations.append(skip)
        beside.insert(0, skip.output)
    n_streams = getattr(batch, "n_streams", None)
    n_segments = len(x) // (n_streams or len(x))
    if n_segments > 1:
        segments = JoinSegments(source, len(x) // n_segments)
        operations.append(segments)
        source = segments.output
    gives_final = a.pooling == "last" and not a.return_sequences and "lengths" not in batch and n_segments == 1
    if network.dropout is not None and network.dropout.rate:
        dropout = Dropout(network.dropout, source)
        operations.append(dropout)
        source = dropout.output
    for layer in network.recurrent:
        of_layer, source = recurrent_operations(
            layer,
            source,
            gives_final=gives_final and layer is network.recurrent[-1],
            passes_state=n_streams is not None,
        )
        operations += of_layer
    if n_segments > 1:
        split = SplitSegments(source, n_segments)
        operations.append(split)
        source = split.output
    if not a.return_sequences and source.values.ndim == 3:
        readout = _readout(network, source)
        operations.append(readout)
        source = readout.output
    head = Head(network.head, [source, *beside])
    return [*operations, head], head


def _readout(network: Network, states: Signal) -> LastState | MeanState | MaxState | AttendedState:
    if isinstance(network.readout, AttentionState):
        return AttendedState(network.readout, states)
    if network.architecture.pooling == "last":
        if not len(network.recurrent):  # the states are those of the convolutions, which a skip connection reads too
            return LastState(states, n_forwards=states.values.shape[2], others_add=network.skip is not None)
        return LastState(states, n_forwards=network.recurrent[-1].units)
    return MeanState(states) if network.architecture.pooling == "mean" else MaxState(states)
