"""The hyperparameters of generators."""

from typing import Annotated, Literal

from sklrnn._hyperparameters import Doc, Ge, Group, Interval, hyperparameters
from sklrnn.estimators.parameters import AutoEarlyStopping, NetworkParameters


@hyperparameters
class GeneratorParameters(NetworkParameters):
    """How texts are read, and how a generator learns from them."""

    units = 128
    embedding_dim: Annotated[int, Ge(1), Group.INPUT, Doc("Numbers that stand for a token.")] = 32
    analyzer: Annotated[
        Literal["char", "word"],
        Group.INPUT,
        Doc("What a string is split into. Texts that are lists of tokens stay as they are."),
    ] = "char"
    lowercase: Annotated[bool, Group.INPUT, Doc("Turn capitals into small letters first.")] = False
    min_count: Annotated[int, Ge(1), Group.INPUT, Doc("How often a token must occur to be known.")] = 1
    max_tokens: Annotated[
        int | None, Ge(1), Group.INPUT, Doc("Know so many tokens at most, the most frequent ones.")
    ] = None
    segment_length: Annotated[
        int,
        Ge(1),
        Group.TRAINING,
        Doc("Tokens of each text that a step of training reads: gradients reach no further back."),
    ] = 64
    batch_size: Annotated[
        int, Ge(1), Group.TRAINING, Doc("Texts, or strands of one long text, that are read side by side.")
    ] = 32
    max_epochs: Annotated[int, Ge(1), Group.STOPPING, Doc("Most passes over the texts.")] = 100
    shuffle: Annotated[bool, Group.TRAINING, Doc("Draw separate texts in a new order in each epoch.")] = True
    early_stopping: Annotated[
        AutoEarlyStopping,
        Group.STOPPING,
        Doc(
            "Hold out the last texts, or the last part of a single one, stop when their loss no longer falls, and keep "
            'the best weights; "auto" does so above 10,000 texts, or tokens of a single one. When off, training stops '
            "when the training loss no longer falls."
        ),
    ] = "auto"
    validation_fraction: Annotated[
        float,
        Interval(gt=0, lt=1),
        Group.STOPPING,
        Doc("Share of the texts, or of a single one, that early stopping holds out."),
    ] = 0.1
