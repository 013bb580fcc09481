"""Forecasters with sktime's interface around networks that read windows of series."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn._hyperparameters import fitted, hyperparameters, validate_parameters
from sklrnn.estimators.options import draw_seeds, shallow_copy, warn_of_long_convolutions
from sklrnn.estimators.parameters import ConvolutionOptions, NetworkParameters
from sklrnn.forecasting.auto_settings import (
    resolve_future_X,
    resolve_horizon,
    resolve_learning_rate,
    resolve_n_networks,
    resolve_sp,
    resolve_units,
    resolve_window_spec,
    smoothing_seasons,
    step_budget,
)
from sklrnn.forecasting.baseline_trial import Baseline, with_baseline
from sklrnn.forecasting.calibration import Calibration, Pretrained
from sklrnn.forecasting.channels_trial import Channels, training_windows
from sklrnn.forecasting.checked_input import ChecksInput
from sklrnn.forecasting.history import Columns, History
from sklrnn.forecasting.long_tables import read_tables
from sklrnn.forecasting.network import ForecastNetwork, NetworkRecipe, fit_networks
from sklrnn.forecasting.network_summary import NetworksWithSummary
from sklrnn.forecasting.parameters import ForecasterParameters, LearningRate, Units
from sklrnn.forecasting.plain_values import SavedAsPlainValues
from sklrnn.forecasting.rolling import RollingForecasts
from sklrnn.forecasting.rollout import RolloutOfHistory
from sklrnn.forecasting.sktime_classes import BaseForecaster
from sklrnn.forecasting.sktime_tags import TAGS
from sklrnn.forecasting.windows import Windows, WindowSpec
from sklrnn.inputs.documentation import LinkToDocumentation
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.timeline.long_table import check_not_long
from sklrnn.training.auto_epochs import resolve_epochs
from sklrnn.training.interrupts import pass_on

Array = NDArray[Any]

# The share of the epochs of a fit that an update makes.
_UPDATE_SHARE = 0.1


@hyperparameters
class BaseRecurrentForecaster(
    LinkToDocumentation,
    SavedAsPlainValues,
    NetworksWithSummary,
    RollingForecasts,
    ChecksInput,
    ForecasterParameters,
    ConvolutionOptions,
    NetworkParameters,
    BaseForecaster,
):
    """What every forecaster does; a class below adds the cell and its options."""

    units: Units = "auto"  # type: ignore[assignment]  # other networks have no "auto"
    learning_rate: LearningRate = "auto"  # type: ignore[assignment]
    batch_size = 64
    schedule = "one_cycle"
    optimizer = "adam"
    early_stopping = False

    networks_: list[ForecastNetwork] = fitted("The trained networks.")
    pretrained_: Pretrained = fitted("The result of `pretrain`; there only after it.")
    columns_: Columns = fitted("The columns of y and X, in the order in which the networks read them.")
    window_spec_: WindowSpec = fitted("How samples are cut: window, horizon, fold.")
    window_length_: int = fitted("Rows of the past that each forecast reads.")
    horizon_: int = fitted("Steps that the networks predict at once.")
    sp_: int = fitted("Rows in a season; 1 stands for none.")
    fold_: int = fitted("Rows that each recurrent step reads.")
    baseline_: Baseline = fitted("What the networks correct.")
    channels_: Channels = fitted("Whether the networks read all columns of y at once, or each on its own.")

    _tags = TAGS
    _config = {"remember_data": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        # sktime's constructor calls this method again once it is done.
        if "_state" not in vars(self):
            BaseForecaster.__init__(self)
            # Where sktime remembers data if a user configures it to; the forecaster keeps its own.
            self._y = self._X = None

    def pretrain(self, y: Any, X: Any = None, fh: Any = None) -> Any:
        """Train the networks on a panel; `fit` then reads another series.

        Parameters
        ----------
        y : pandas.DataFrame or another table
            The panel: a MultiIndex with the times in its last level, or a table of polars or PyArrow in the long form.

        X : pandas.DataFrame or another table, default=None
            Exogenous variables, with the index of y.

        fh : int, list or ForecastingHorizon, default=None
            The steps ahead that the networks learn.

        Returns
        -------
        self : object
            The forecaster, pretrained.
        """
        check_not_long(y, "y")  # sktime takes it for a single series
        X, y, _ = read_tables(X, y)
        return super().pretrain(y, X=X, fh=fh)

    # -- training ----------------------------------------------------------------------------------------------------

    def _fit(self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None) -> Any:
        self._start_history(y, X)
        if not hasattr(self, "pretrained_"):
            self._train(fh)
            self._calibrate()
            return self._end_training("fitted")
        self.networks_ = self.pretrained_.networks
        if self.fine_tune:
            self._continue_training()
        self._calibrate(is_trained=self.fine_tune)
        return self._end_training("fitted")

    def _pretrain(self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None) -> Any:
        self._start_history(y, X)
        self._train(fh)
        return self._store_pretrained()

    def _pretrain_update(
        self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None
    ) -> Any:
        self._start_history(y, X)
        if hasattr(self, "pretrained_"):
            self.networks_ = self.pretrained_.networks
        self._continue_training()
        return self._store_pretrained()

    def _store_pretrained(self) -> Any:
        """Store the trained networks, which every later fit starts from."""
        self._calibrate()
        self._calibration.forget_fallback()
        self.pretrained_ = Pretrained(self.networks_, self._calibration)
        return self._end_training("pretrained")

    def _end_training(self, state: str) -> Any:
        """Give back the forecaster; after Ctrl-C, let that go on, in the state which sktime would set afterwards."""
        interrupt = vars(self).pop("_interrupt", None)
        if interrupt is not None:
            self._state = state
            pass_on(interrupt)
        return self

    def _fit_networks(self, recipes: list[NetworkRecipe], windows: Windows) -> None:
        self.networks_, interrupt = fit_networks(recipes, windows)
        if interrupt is not None:
            self._interrupt = interrupt

    def _start_history(self, y: pd.DataFrame, X: pd.DataFrame | None) -> None:
        validate_parameters(self)
        self._history = History.from_frames(y, X, getattr(self, "columns_", None))
        self._sktime_state_before = self._sktime_state()

    def _sktime_state(self) -> dict[str, Any]:
        names = ("_cutoff", "_y_metadata", "_y_mtype_last_seen", "_converter_store_y")
        return {name: copy.copy(getattr(self, name)) for name in names}

    def _update(self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True) -> Any:
        before = {name: getattr(self, name) for name in ("_history", "networks_", "_calibration")}
        try:
            self._history = self._history.extend(y, X)
            if update_params:
                self._history = self._history.with_current_scales()
                self._continue_training()
                self._calibrate()
        except BaseException:
            # sktime has recorded the new rows before it called this method.
            for name, value in (before | self._sktime_state_before).items():
                setattr(self, name, value)
            raise
        self._sktime_state_before = self._sktime_state()
        return self._end_training("fitted")

    def _train(self, fh: ForecastingHorizon | None) -> None:
        table = self._history.table
        self.sp_ = resolve_sp(self.sp, table, verbose=self.verbose)
        spec = resolve_window_spec(
            table,
            window_length=self.window_length,
            horizon=resolve_horizon(self.strategy, fh, self._history.longest_index(), self.sp_),
            fold=self.fold,
            sp=self.sp_,
            normalize=self.normalize,
            known_future=resolve_future_X(self.future_X, self._history.columns.X),
        )
        windows = training_windows(self.channels, spec, table, sp=self.sp_, verbose=self.verbose)
        self.channels_ = "joint" if windows.spec.n_channels == spec.n_channels else "separate"
        self.columns_ = self._history.columns
        self.window_length_, self.horizon_, self.fold_ = spec.window_length, spec.horizon, spec.fold
        warn_of_long_convolutions(self, spec.n_steps, "the window", ", raise window_length, or lower fold")
        seasons = smoothing_seasons(self.sp, self.sp_, table)
        windows = with_baseline(windows, self.baseline, seasons, verbose=self.verbose)
        self.window_spec_, self.baseline_ = windows.spec, windows.spec.baseline
        n_networks = resolve_n_networks(self.n_networks, len(windows))
        seeds = draw_seeds(self.random_state, n_networks)
        self._fit_networks([self._recipe(windows, int(seed)) for seed in seeds], windows)

    def _continue_training(self) -> None:
        windows = self._training_windows()
        if not len(windows):
            warn_user(
                f"No series has more than horizon={self.horizon_} rows, so there is nothing to learn from: "
                "the networks stay as they are, and read the rows only.",
            )
            return
        self._fit_networks([self._update_recipe(network, windows) for network in self.networks_], windows)

    def _update_recipe(self, network: ForecastNetwork, windows: Windows) -> NetworkRecipe:
        """How a network continues its training."""
        max_epochs = max(1, round(_UPDATE_SHARE * self._n_epochs(windows)))
        rate = resolve_learning_rate(self.learning_rate, len(windows)) / 5
        options = replace(network.recipe.options, max_epochs=max_epochs, learning_rate=rate)
        return replace(network.recipe, options=options, start=network)

    def _recipe(self, windows: Windows, random_state: int) -> NetworkRecipe:
        resolved = shallow_copy(
            self,
            units=resolve_units(self.units, len(windows)),
            learning_rate=resolve_learning_rate(self.learning_rate, len(windows)),
        )
        return NetworkRecipe.of(resolved, random_state=random_state, max_epochs=self._n_epochs(windows))

    def _n_epochs(self, windows: Windows) -> int:
        n_batches = -(-len(windows) // self.batch_size)
        budget = step_budget(windows.spec, len(windows))
        return resolve_epochs(self.max_epochs, budget, n_batches=n_batches, n_samples=len(windows))

    def _training_windows(self) -> Windows:
        return Windows.for_training(self.window_spec_, self._history.table.stack(sp=self.sp_))

    def _calibrate(self, *, is_trained: bool = True) -> None:
        """Prepare the errors on all known windows; ``is_trained`` says whether the networks were trained on these."""
        windows, refit, fallback = self._training_windows(), None, None
        if hasattr(self, "pretrained_"):
            fallback = self.pretrained_.calibration
            if is_trained and len(windows):
                refit = self._update_recipe(self.pretrained_.networks[0], windows)
        elif is_trained:
            refit = self._recipe(windows, self.networks_[0].recipe.random_state)
        if refit is not None and hasattr(self, "_interrupt"):
            # The errors are to be those of a network that is trained as little.
            refit = refit.with_most_epochs(self.networks_[0].n_iter_)
        self._calibration = Calibration(self.networks_[0], windows, refit=refit, fallback=fallback)

    # -- forecasting -------------------------------------------------------------------------------------------------

    def _predict(self, fh: ForecastingHorizon, X: pd.DataFrame | None = None) -> pd.DataFrame:
        rollout = self._make_rollout(fh, X)
        values = self._history.in_order_of_y(rollout.predict())
        return pd.DataFrame(values, index=rollout.index(), columns=self._history.y_columns)

    def _predict_quantiles(self, fh: ForecastingHorizon, X: pd.DataFrame | None, alpha: list[float]) -> pd.DataFrame:
        rollout = self._make_rollout(fh, X)
        quantiles = rollout.predict_quantiles(np.asarray(alpha, dtype=np.float64), self._calibration)
        values = self._history.in_order_of_y(quantiles)
        columns = pd.MultiIndex.from_product([self._history.y_columns, alpha])
        return pd.DataFrame(values.reshape(len(values), -1), index=rollout.index(), columns=columns)

    def _make_rollout(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> RolloutOfHistory:
        return RolloutOfHistory(self.window_spec_, self.networks_, self._history, fh, X, sp=self.sp_)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Small settings for sktime's checks.

        Parameters
        ----------
        parameter_set : str, default="default"
            There is one set.

        Returns
        -------
        params : list of dict
            Parameters of some instances.
        """
        tiny = {"units": 2, "max_epochs": 2, "n_networks": 1, "random_state": 0}
        return [tiny, tiny | {"strategy": "recursive", "normalize": "series", "window_length": 4, "n_networks": 2}]
