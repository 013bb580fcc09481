"""The hyperparameters of generators."""

from typing import Annotated, Literal

from sklrnn._hyperparameters import Doc, Ge, Group, Interval, hyperparameters
from sklrnn.estimators.parameters import AutoEarlyStopping, NetworkParameters


@hyperparameters
class GeneratorParameters(NetworkParameters):
    """How texts are read, and how a generator learns from them."""

    units = 128
    embedding_dim: Annotated[int, Ge(1), Group.INPUT, Doc("Width of the embedding of a token.")] = 32
    analyzer: Annotated[
        Literal["char", "word"],
        Group.INPUT,
        Doc("How strings are split into tokens: characters or words. Texts that are lists of tokens are not split."),
    ] = "char"
    lowercase: Annotated[bool, Group.INPUT, Doc("Convert strings to lower case.")] = False
    min_count: Annotated[int, Ge(1), Group.INPUT, Doc("Tokens that occur less often are unknown.")] = 1
    max_tokens: Annotated[
        int | None, Ge(1), Group.INPUT, Doc("Size of the vocabulary, the most frequent tokens; None keeps all.")
    ] = None
    segment_length: Annotated[
        int,
        Ge(1),
        Group.TRAINING,
        Doc("Tokens of each text in a step of training; gradients reach no further back (truncated backpropagation)."),
    ] = 64
    batch_size: Annotated[
        int, Ge(1), Group.TRAINING, Doc("Texts, or parallel streams of one long text, in each batch.")
    ] = 32
    max_epochs: Annotated[int, Ge(1), Group.STOPPING, Doc("Maximum number of epochs.")] = 100
    shuffle: Annotated[bool, Group.TRAINING, Doc("Shuffle separate texts in each epoch.")] = True
    early_stopping: Annotated[
        AutoEarlyStopping,
        Group.STOPPING,
        Doc(
            "Hold out the last texts, or the last part of a single one, stop when their loss no longer "
            'decreases, and keep the best weights; "auto" does so above 10,000 texts, or tokens of a single '
            "one. If off, training stops when the training loss no longer decreases."
        ),
    ] = "auto"
    validation_fraction: Annotated[
        float,
        Interval(gt=0, lt=1),
        Group.STOPPING,
        Doc("Share of the texts, or of the tokens of a single one, that early stopping holds out."),
    ] = 0.1
