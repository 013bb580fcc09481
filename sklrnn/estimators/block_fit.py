"""``fit_blocks``: training on data that are larger than memory."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self

import numpy as np

from sklrnn._hyperparameters import validate_parameters
from sklrnn.estimators.block_samples import Block, BlockSamples
from sklrnn.estimators.estimator_parameters import UPDATES
from sklrnn.inputs.block_source import BlockSource, InBlock, Key, split_block, split_target
from sklrnn.inputs.user_warnings import each_warning_once, warn_user
from sklrnn.inputs.validation import check_int
from sklrnn.preprocessing.sliding_window import SlidingWindow
from sklrnn.preprocessing.window_blocks import WindowBlocks
from sklrnn.training.auto_epochs import resolve_epochs
from sklrnn.training.block_batches import BlockBatches
from sklrnn.training.devices import choose_device

# Memory of a buffer with buffer_size="auto".
_BUFFER_BYTES = 2**27

# Parameters that need all samples at once, or more of their order than blocks keep, and what to set them to.
_REFUSED: dict[str, tuple[Any, Any]] = {
    "stateful": (True, False),
    "return_sequences": (True, False),
    "normalize_X": ("window", True),
    "normalize_y": ("window", True),
}


class BlockFitting:
    """Adds ``fit_blocks`` to an estimator."""

    def fit_blocks(
        self,
        source: Any,
        *,
        target: Any = None,
        window: SlidingWindow | None = None,
        buffer_size: int | Literal["auto"] = "auto",
    ) -> Self:
        """Train on data that are larger than memory, block by block.

        All blocks are read once to count the samples, once for the statistics of the training samples, and once in each
        epoch. The result is that of `fit` on all blocks together, except for the order of the samples in an epoch, and
        the same where the buffer holds all of them. The newest samples are held out as in `fit`, but never more than
        `buffer_size` (or `batch_size`, if that is more), as they stay in memory.

        Parameters
        ----------
        source : iterable, callable, pyarrow.dataset.Dataset, or path
            The blocks, the oldest first: an iterable that can be read several times, such as a list or a DataLoader of
            torch; a function that returns an iterator; a dataset of PyArrow; a folder of Parquet files, or one file. A
            block is a pair ``(X, y)`` or triple ``(X, y, sample_weight)`` as `fit` takes them, or a table (pandas,
            polars or PyArrow) or an array with the column that `target` names.
        target : str, int, or list of these, default=None
            Column or columns to predict: names in a table, numbers in an array. None: blocks are pairs or triples.
        window : SlidingWindow, default=None
            Blocks hold rows, of which it makes windows, as in a ``Pipeline``. The last rows of each series are carried
            to its next block, so that windows and targets reach across blocks, and never from one series of `groups`
            to another. With `target` each row is to predict it ``window.horizon`` steps ahead; the column is a
            feature too. The window is fitted: ``make_pipeline(window, estimator)`` predicts for rows.
        buffer_size : int or "auto", default="auto"
            Samples that the buffer holds of which batches are drawn at random. "auto" takes 128 MB. Of a list and of
            Parquet files without a `window` the order of the parts is shuffled too.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Examples
        --------
        >>> import numpy as np
        >>> from sklrnn import GRURegressor
        >>> def blocks():  # in practice each is read from a file
        ...     for seed in range(3):
        ...         X = np.random.default_rng(seed).normal(size=(40, 5, 2))
        ...         yield X, X.sum(axis=(1, 2))
        >>> model = GRURegressor(units=4, max_epochs=2, random_state=0).fit_blocks(blocks)
        >>> model.predict(next(blocks())[0]).shape
        (40,)
        """
        estimator: Any = self
        validate_parameters(estimator)
        _check_options(estimator, buffer_size)
        continues = estimator.warm_start and hasattr(estimator, "model_")
        blocks = _Blocks(source, target, window)
        with estimator._draft(continues=continues) as draft, each_warning_once():
            _fit(draft, blocks, buffer_size, continues=continues)
            blocks.fit_window()
        return self


class _Blocks:
    """The blocks of a source as X, y and weights; windows are made of rows."""

    def __init__(self, source: Any, target: Any, window: SlidingWindow | None) -> None:
        self._source, self._target, self._window = BlockSource(source), target, window
        self._windows = None if window is None else WindowBlocks(window, self._source.read, target)
        # Windows need the blocks in their order.
        self.n_parts = len(self._source) if window is None else 1

    def read(self, order: Iterable[int] | None = None) -> Iterator[tuple[Key, Block]]:
        if self._windows is not None:
            yield from self._windows
            return
        for key, block in self._source.read(order):
            with InBlock(key):
                X, y, weights = split_block(block, self._target)
                if self._target is not None:
                    X, y = split_target(X, self._target)
            if len(X):
                yield key, (X, y, weights)

    def warn_of_missing_targets(self, n_samples: int) -> None:
        n = 0 if self._windows is None else self._windows.n_left_out
        if n:
            warn_user(
                f"{n} of {n + n_samples} rows are left out, as their target is missing: target={self._target!r} is NaN "
                "there, or there is no row so many steps ahead. Fill the gaps if they are not to be left out."
            )

    def fit_window(self) -> None:
        """Make the user's window the fitted one."""
        if self._window is not None and self._windows is not None:
            vars(self._window).update(vars(self._windows.window))


def _check_options(estimator: Any, buffer_size: Any) -> None:
    if buffer_size != "auto":
        check_int("buffer_size", buffer_size, 1)
    for name, (value, instead) in _REFUSED.items():
        if getattr(estimator, name, None) == value:
            raise ValueError(f"fit_blocks can't be combined with {name}={value!r}. Set {name}={instead!r}, or use fit.")
    if getattr(estimator, "calibration_cv", None) is not None:
        raise ValueError(
            f"fit_blocks can't be combined with calibration_cv={estimator.calibration_cv!r}. Set calibration_cv=None: "
            "intervals then come from the held-out samples, or from the loss."
        )


def _fit(draft: Any, blocks: _Blocks, buffer_size: Any, *, continues: bool) -> None:
    draft._loss_parameters = draft._current_loss_parameters()
    samples = BlockSamples(draft, blocks.read, continues=continues)
    samples.count()
    blocks.warn_of_missing_targets(samples.n_samples)
    if buffer_size == "auto":
        buffer_size = max(1, _BUFFER_BYTES // (int(np.prod(samples.shape)) * samples.dtype.itemsize))
    measured = samples.measure(most_held_out=max(buffer_size, draft.batch_size))
    if measured.targets is not None and not continues:
        draft._y_windows = None
        draft._set_target_scale(measured.targets.mean, measured.targets.spread)
    if not continues:
        draft._segment_length = samples.shape[0]
    network, seed = measured.first.build_network(draft, samples.shape, continues=continues)

    def read(rng: np.random.Generator | None) -> Iterator[tuple[Any, ...]]:
        order = None if rng is None or blocks.n_parts == 1 else rng.permutation(blocks.n_parts)
        return samples.training_arrays(order)

    batches = BlockBatches(
        read,
        n_samples=samples.n_train,
        batch_size=draft.batch_size,
        buffer_size=buffer_size,
        device=choose_device(draft.device),
        seed=seed if draft.shuffle else None,
        identity=measured.identity,
    )
    held_out = measured.held_out
    validation = None if held_out is None else draft._batches(held_out, max(draft.batch_size, 512), n_streams=1)
    draft._train(
        network,
        batches,
        validation,
        seed=seed,
        max_epochs=resolve_epochs(draft.max_epochs, UPDATES, n_batches=len(batches)),
        patience=draft.n_iter_no_change,
    )
    draft._calibrate_after_training(None, held_out)
