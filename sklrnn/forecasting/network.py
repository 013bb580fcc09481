"""The network of a forecaster: windows of series are its inputs, the next steps its outputs."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sklrnn.estimators.options import as_tuple, draw_seed, holds_out, recurrent_options, training_options
from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.forecasting.targets import Targets
from sklrnn.forecasting.windows import Windows
from sklrnn.inputs.samples import Samples, feature_statistics, hold_out_newest, merge_identical
from sklrnn.nn.loss_modules import WeightedTargets
from sklrnn.nn.losses import Loss, regression_loss
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.saved_state import Saved, with_stamp, without_stamp
from sklrnn.training.batches import Batches
from sklrnn.training.devices import choose_device
from sklrnn.training.interrupts import TrainingInterrupted
from sklrnn.training.net import SequenceNet
from sklrnn.training.process import count_threads, thread_limit
from sklrnn.training.trained_network import TrainedNetwork, TrainingOptions, train

Array = NDArray[Any]

ForecastLoss = Literal["absolute_error", "squared_error", "huber", "quantile", "gaussian"]
# Validation batches are at least so large.
_VALIDATION_BATCH = 512
# Windows whose errors are computed at once.
_WINDOWS_AT_ONCE = 2**16


@dataclass(frozen=True)
class NetworkRecipe(Saved):
    """How a network is built and trained: the parameters of a forecaster at that time, and a seed.

    With ``start`` a copy of a trained network is trained on.
    """

    random_state: int
    layers: dict[str, Any]
    options: TrainingOptions
    n_jobs: int | None
    batch_size: int
    loss: str
    quantiles: tuple[float, ...]
    early_stopping: bool | Literal["auto"]
    validation_fraction: float
    start: "ForecastNetwork | None" = None

    @classmethod
    def of(cls, forecaster: NetworkParameters, *, random_state: int, max_epochs: int) -> "NetworkRecipe":
        p: Any = forecaster
        convolution = {
            "filters": as_tuple(p.filters),
            "kernel_size": int(p.kernel_size),
            "pool_size": int(p.pool_size),
        }
        seed = draw_seed(random_state)
        return cls(
            random_state,
            recurrent_options(p) | convolution,
            training_options(p, seed=seed, max_epochs=max_epochs, patience=p.n_iter_no_change),
            p.n_jobs,
            p.batch_size,
            p.loss,
            tuple(p.quantiles),
            p.early_stopping,
            p.validation_fraction,
        )

    def with_most_epochs(self, n_epochs: int) -> "NetworkRecipe":
        """The same for so many epochs at most, but one at least."""
        return replace(self, options=replace(self.options, max_epochs=max(1, min(n_epochs, self.options.max_epochs))))

    def make_loss(self) -> Loss:
        """The loss, for targets that bring a weight for each output."""
        named = regression_loss(self.loss, self.quantiles)
        return replace(named, per_output=WeightedTargets(named.per_output))

    def n_threads(self) -> int:
        return count_threads(self.n_jobs, batch_size=self.batch_size, units=self.layers["units"])

    def fit(self, windows: Windows) -> "ForecastNetwork":
        """Train on windows, the oldest first; after Ctrl-C, `TrainingInterrupted` holds the network.

        A loss that models a distribution weighs all errors alike: weighted by their size, its quantiles would be wrong.
        """
        loss = self.make_loss()
        targets = Targets.of(windows, equal_weights=loss.quantiles is not None).kept_if_small()
        samples, held_out = self._hold_out(Samples(windows, targets))
        if len(samples.nonzero_weight) <= self.batch_size:
            samples = merge_identical(samples)
        options = replace(self.options, n_threads=self.n_threads())
        started = None if self.start is None else self.start.model.copy()
        seed = options.seed if started is None else started.options.seed
        validation, interrupt = None, None
        try:
            with thread_limit(options.n_threads):
                # Before the batches, which take memory for all samples too.
                network: Any = None if started is not None else self._build(samples, windows, loss)
                batches = self._batches(samples, self.batch_size, seed=seed)
                if held_out is not None:
                    validation = self._batches(held_out, max(self.batch_size, _VALIDATION_BATCH), seed=None)
                how = loss.per_sample, batches, validation, options
                model = train(network, *how) if started is None else started.continue_training(*how)
        except TrainingInterrupted as caught:
            model, interrupt = caught.trained, caught
        trained = ForecastNetwork(model, replace(self, start=None))
        if held_out is not None:
            trained = replace(trained, held_out_errors=forecast_errors(trained, held_out.X))
        if interrupt is not None:
            raise TrainingInterrupted(trained, str(interrupt))
        return trained

    def _build(self, samples: Samples, windows: Windows, loss: Loss) -> Any:
        architecture = NetworkArchitecture(
            n_features=windows.shape[2],
            n_outputs=samples.y.shape[1] // 2 * loss.width,
            n_direct_steps=windows.spec.n_future_steps,
            **self.layers,
        )
        network = architecture.build(seed=self.options.seed)
        network.standardise.set_statistics(*feature_statistics(samples.X, samples.row_weights, samples.nonzero_weight))
        if windows.spec.smoothing_seasons:
            # Smoothing is a good forecast already: training starts at it.
            for parameter in network.head.parameters():
                parameter.detach().zero_()
        return network

    def _hold_out(self, samples: Samples) -> tuple[Samples, Samples | None]:
        """Hold out the newest targets, and train on none of them."""
        if not holds_out(self.early_stopping, len(samples.nonzero_weight)):
            return samples, None
        _, newest = hold_out_newest(samples, self.validation_fraction)
        n_older = samples.X.count_before(len(samples.X) - len(newest.X))
        return (samples[:n_older], newest) if n_older else (samples, None)

    def _batches(self, samples: Samples, batch_size: int, *, seed: int | None) -> Batches:
        return Batches(samples, batch_size=batch_size, device=choose_device(self.options.device), seed=seed)


@dataclass(frozen=True)
class ForecastNetwork:
    """A trained network and its recipe; its forecasts are on the scale of the windows.

    ``held_out_errors`` are the signed errors on the windows that early stopping held out.
    """

    model: TrainedNetwork
    recipe: NetworkRecipe
    held_out_errors: Array | None = None

    @property
    def net_(self) -> SequenceNet:
        """The skorch net."""
        return self.model.net

    @property
    def module_(self) -> Any:
        """The network itself: a ``torch.nn.Module``."""
        return self.model.module

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        return len(self.model.curves.loss)

    @property
    def loss_curve_(self) -> list[float]:
        """Training loss of each epoch."""
        return list(self.model.curves.loss)

    def __getstate__(self) -> dict[str, Any]:
        return with_stamp({**vars(self), "model": self.model.to_state()}, type(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        content = without_stamp(state, type(self))
        recipe: NetworkRecipe = content["recipe"]
        loss = recipe.make_loss().per_sample
        model = TrainedNetwork.from_state(content["model"], NetworkArchitecture, loss, recipe.options)
        vars(self).update(content, model=model)

    def predict_scaled(self, windows: Windows) -> Array:
        """Point forecasts: (sample, step ahead, channel)."""
        spec = windows.spec
        return self.recipe.make_loss().point(self._raw(windows)).reshape(len(windows), spec.horizon, spec.n_channels)

    def predict_scaled_quantiles(self, windows: Windows, levels: Array) -> Array:
        """The quantiles that the loss models: (sample, step ahead, channel, level)."""
        spec, quantiles = windows.spec, self.recipe.make_loss().quantiles
        assert quantiles is not None
        return quantiles(self._raw(windows), levels).reshape(len(windows), spec.horizon, spec.n_channels, len(levels))

    def predicts_quantiles(self, levels: Array) -> bool:
        """Whether the loss models quantiles; these then have to be within the trained ones."""
        loss = self.recipe.make_loss()
        if not loss.covers(levels):
            raise ValueError(
                f"The networks were trained for the quantiles {loss.levels} and those between them, got levels from "
                f"{levels.min():g} to {levels.max():g}. Fit with these levels in `quantiles`."
            )
        return loss.quantiles is not None

    def _raw(self, windows: Windows) -> Array:
        with thread_limit(self.recipe.n_threads()):
            raw: Array = self.model.run(windows)
        return raw.reshape(len(windows), windows.spec.horizon * windows.spec.n_channels, -1)


def fit_networks(
    recipes: list[NetworkRecipe], windows: Windows
) -> tuple[list[ForecastNetwork], TrainingInterrupted | None]:
    """Train one network after the other, and give those to forecast with.

    After Ctrl-C these are the networks that were trained to the end, or the first one as far as it came. Networks that
    were trained before and not yet again stay as they are.
    """
    networks: list[ForecastNetwork] = []
    for number, recipe in enumerate(recipes, start=1):
        try:
            networks.append(recipe.fit(windows))
        except KeyboardInterrupt as error:
            if isinstance(error, TrainingInterrupted) and (recipe.start is not None or not networks):
                networks.append(error.trained)
            if not networks:
                raise
            message = str(error)
            if len(recipes) > 1:
                message = (
                    f"Training was interrupted in network {number} of {len(recipes)}. The forecaster keeps what was "
                    "learnt until then and can be used."
                )
            not_again = [later.start for later in recipes[len(networks) :] if later.start is not None]
            return [*networks, *not_again], TrainingInterrupted(networks, message)
    return networks, None


def forecast_errors(network: ForecastNetwork, windows: Windows) -> Array:
    """Scaled target minus prediction, (sample, step ahead, channel); NaN where no target is known."""
    spec = windows.spec
    errors = np.empty((len(windows), spec.horizon, spec.n_channels), dtype=np.float32)
    for first, block in windows.blocks(_WINDOWS_AT_ONCE):
        targets, weights = np.split(np.asarray(Targets.of(block)).reshape(len(block), -1, spec.n_channels), 2, axis=1)
        errors[first : first + len(block)] = np.where(weights > 0, targets - network.predict_scaled(block), np.nan)
    return errors
