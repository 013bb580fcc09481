"""Forecasters with sktime's interface around networks that read windows of series."""

import copy
import warnings
from dataclasses import fields
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sktime.forecasting.base import BaseForecaster, ForecastingHorizon

from sklrnn._hyperparameters import (
    POSITIVE_INT,
    IncreasingLevels,
    StrOptions,
    fitted,
    hyper,
    hyperparameters,
    validate_parameters,
)
from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.forecasting.auto_settings import AUTO_STEPS, resolve_future_X, resolve_sp, resolve_window_spec
from sklrnn.forecasting.calibration import Calibration, Pretrained
from sklrnn.forecasting.fh_index import resolve_fh
from sklrnn.forecasting.history import Columns, History
from sklrnn.forecasting.network import FORECAST_LOSSES, WindowNetwork
from sklrnn.forecasting.rollout import Rollout, make_rollout
from sklrnn.forecasting.series import stack_series
from sklrnn.forecasting.windows import Windows, WindowSpec
from sklrnn.training.auto_epochs import resolve_epochs

Array = NDArray[Any]

# The share of the epochs of a fit that an update makes.
_UPDATE_SHARE = 0.1


@hyperparameters
class RecurrentForecaster(NetworkParameters, BaseForecaster):
    """Forecast series with a recurrent network, through sktime's interface.

    One series or many, with one channel or several, with or without exogenous variables. A panel or hierarchy is
    learnt as one global model. Windows are brought to a common scale, so that trend and level shifts survive.

    Notes
    -----
    A step is a row: the times of y must have a fixed frequency, whatever it is. Where a value is missing (NaN), the last
    one before it is read, and nothing is learnt from its absence.

    Known rows are forecast one step ahead, from the rows before them: NaN where these hold no value.

    `update` reads new rows, which may overlap with known ones and replace them. Unless ``update_params=False``, the
    networks then train on for a tenth of the passes at a fifth of the rate. Each series is forecast from the last row
    that was passed for it.

    See Also
    --------
    sklrnn.forecasting.compare : Compare forecasters on identical cut-offs.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import RecurrentForecaster
    >>> y = load_air_passengers()
    >>> model = RecurrentForecaster(cell="lstm", units=16, max_epochs=20, random_state=0).fit(y, fh=range(1, 13))
    >>> model.predict().index[-1]
    Period('1961-12', 'M')
    """

    # fmt: off
    window_length: int | Literal["auto"] = hyper(default="auto", constraint=[POSITIVE_INT, StrOptions({"auto"})], sentence='Rows of the past that each forecast reads; "auto" takes up to 14 seasons, as the length of the series allows.')
    strategy: Literal["direct", "recursive"] = hyper(default="direct", constraint=StrOptions({"direct", "recursive"}), sentence='"direct" answers all steps of `fh` at once; "recursive" answers one and reads its own answer. Steps beyond those learnt are always reached by reading own answers.')
    normalize: Literal["window", "series"] | None = hyper(default="window", constraint=[StrOptions({"window", "series"}), None], sentence="What brings y to a common scale: the newest part of each window, each series as a whole, or (None) all series together.")
    sp: int | Literal["auto"] = hyper(default="auto", constraint=[POSITIVE_INT, StrOptions({"auto"})], sentence='Rows in a season; "auto" finds it from the frequency and the autocorrelation.')
    fold: int | Literal["auto"] = hyper(default="auto", constraint=[POSITIVE_INT, StrOptions({"auto"})], sentence='Rows that each recurrent step reads at once; "auto" takes the season, so that days are the steps and hours the features.')
    n_networks: int = hyper(default=1, constraint=POSITIVE_INT, sentence="Networks with different seeds whose forecasts are averaged.")
    future_X: Literal["known", "unknown"] | list[Any] = hyper(default="known", constraint=[StrOptions({"known", "unknown"}), list], sentence="Which columns of X are known in the future and must be passed to predict: all, none, or a list of names.")
    loss: str = hyper(default="absolute_error", constraint=StrOptions(FORECAST_LOSSES), sentence="What is minimised.")
    quantiles: tuple[float, ...] = hyper(default=(0.05, 0.5, 0.95), constraint=IncreasingLevels(), sentence='Levels that ``loss="quantile"`` learns.')
    max_epochs: int | Literal["auto"] = hyper(default="auto", constraint=[POSITIVE_INT, StrOptions({"auto"})], sentence='Passes over the training windows; "auto" makes as many as the number of windows can bear: 200 steps of the optimizer for 84 windows, 20,000 for 200,000.')
    fine_tune: bool = hyper(default=False, constraint="boolean", sentence="After `pretrain`, let `fit` train on for a while on its own series; otherwise it only reads them.")
    # fmt: on

    units = 64
    batch_size = 64
    learning_rate = 5e-3
    schedule = "one_cycle"
    optimizer = "adam"
    early_stopping = False

    networks_: list[WindowNetwork] = fitted("The networks, fitted.")
    pretrained_: Pretrained = fitted("The result of `pretrain`; there only after it.")
    columns_: Columns = fitted("The columns of y and X, in the order in which the networks read them.")
    window_spec_: WindowSpec = fitted("How samples are cut: window, horizon, fold.")
    window_length_: int = fitted("Rows of the past that each forecast reads.")
    horizon_: int = fitted("Steps that the networks predict at once.")
    sp_: int = fitted("Rows in a season; 1 stands for none.")
    fold_: int = fitted("Rows that each recurrent step reads.")

    _tags = {  # noqa: RUF012
        "authors": "The sklrnn developers",
        "maintainers": "The sklrnn developers",
        "python_dependencies": None,
        "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": True,
        "capability:missing_values": True,
        "capability:update": True,
        "capability:pretrain": True,
        "pretrain:fitted_params": [
            "pretrained_",
            "columns_",
            "window_spec_",
            "window_length_",
            "horizon_",
            "sp_",
            "fold_",
        ],
        "requires-fh-in-fit": False,
        "capability:categorical_in_X": False,
        "capability:random_state": True,
        "property:randomness": "derandomized",
    }
    _config = {"remember_data": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        # sktime's constructor calls this method again once it is done.
        if "_state" not in vars(self):
            BaseForecaster.__init__(self)
            # Where sktime remembers data if a user configures it to; the forecaster keeps its own.
            self._y = self._X = None

    # -- training ----------------------------------------------------------------------------------------------------

    def _fit(self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None) -> Any:
        self._start_history(y, X)
        if not hasattr(self, "pretrained_"):
            self._train(fh)
            self._calibrate()
            return self
        self.networks_ = self.pretrained_.networks
        if self.fine_tune:
            self._continue_training()
        self._calibrate(is_trained=self.fine_tune)
        return self

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
        if len(self._calibration.windows):
            # A panel with windows has errors of its own; the panels before it need not be kept.
            self._calibration.fallback = None
        self.pretrained_ = Pretrained(self.networks_, self._calibration)
        return self

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
        return self

    def _train(self, fh: ForecastingHorizon | None) -> None:
        series = self._history.series
        self.sp_ = resolve_sp(self.sp, series)
        self.window_spec_ = resolve_window_spec(
            series,
            window_length=self.window_length,
            horizon=self._resolve_horizon(fh),
            fold=self.fold,
            sp=self.sp_,
            normalize=self.normalize,
            known_future=resolve_future_X(self.future_X, self._history.columns.X),
        )
        spec, self.columns_ = self.window_spec_, self._history.columns
        self.window_length_, self.horizon_, self.fold_ = spec.window_length, spec.horizon, spec.fold
        windows = self._training_windows()
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=self.n_networks)
        self.networks_ = [self._make_network(windows, int(seed)).fit_windows(windows) for seed in seeds]

    def _resolve_horizon(self, fh: ForecastingHorizon | None) -> int:
        if self.strategy == "recursive":
            return 1
        if fh is None:
            return self.sp_
        return max(1, int(resolve_fh(fh, self._history.longest().index)[0].max()))

    def _continue_training(self) -> None:
        windows = self._training_windows()
        if not len(windows):
            warnings.warn(
                f"No series has more than horizon={self.horizon_} rows, so there is nothing to learn from: the "
                "networks stay as they are, and read the rows only.",
                stacklevel=5,
            )
            return
        self.networks_ = [self._copy_for_update(network, windows).fit_windows(windows) for network in self.networks_]

    def _copy_for_update(self, network: WindowNetwork, windows: Windows) -> WindowNetwork:
        """Copy a network and set it to train on; the original may be needed again."""
        epochs = max(1, round(_UPDATE_SHARE * self._n_epochs(windows)))
        network = copy.deepcopy(network)
        network.set_params(max_epochs=epochs, warm_start=True, learning_rate=self.learning_rate / 5)
        return network

    def _make_network(self, windows: Windows, seed: int) -> WindowNetwork:
        shared = {field.name: getattr(self, field.name) for field in fields(NetworkParameters)}
        shared |= {"loss": self.loss, "quantiles": self.quantiles}
        return WindowNetwork(**shared | {"max_epochs": self._n_epochs(windows), "random_state": seed})

    def _n_epochs(self, windows: Windows) -> int:
        n_batches = -(-len(windows) // self.batch_size)
        return resolve_epochs(self.max_epochs, AUTO_STEPS, n_batches=n_batches, n_samples=len(windows))

    def _training_windows(self) -> Windows:
        return Windows.for_training(self.window_spec_, stack_series(self._history.series, sp=self.sp_))

    def _calibrate(self, *, is_trained: bool = True) -> None:
        """Prepare the errors on all known windows; ``is_trained`` says whether the networks were trained on these."""
        windows, initial, fallback = self._training_windows(), None, None
        if hasattr(self, "pretrained_"):
            fallback = self.pretrained_.calibration
            if is_trained and len(windows):
                initial = self._copy_for_update(self.pretrained_.networks[0], windows)
        elif is_trained:
            initial = self._make_network(windows, int(self.networks_[0].random_state))  # type: ignore[arg-type]
        self._calibration = Calibration(self.networks_[0], windows, initial_network=initial, fallback=fallback)

    # -- forecasting -------------------------------------------------------------------------------------------------

    def _predict(self, fh: ForecastingHorizon, X: pd.DataFrame | None = None) -> pd.DataFrame:
        rollout, index = self._make_rollout(fh, X)
        values = self._history.in_order_of_y(rollout.predict())
        return pd.DataFrame(values, index=index, columns=self._history.y_columns)

    def _predict_quantiles(self, fh: ForecastingHorizon, X: pd.DataFrame | None, alpha: list[float]) -> pd.DataFrame:
        rollout, index = self._make_rollout(fh, X)
        quantiles = rollout.predict_quantiles(np.asarray(alpha, dtype=np.float64), self._calibration)
        values = self._history.in_order_of_y(quantiles)
        columns = pd.MultiIndex.from_product([self._history.y_columns, alpha])
        return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)

    def _make_rollout(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> tuple[Rollout, pd.Index]:
        return make_rollout(self.window_spec_, self.networks_, self._history, fh, X, sp=self.sp_)

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
        tiny = {"units": 2, "max_epochs": 2, "random_state": 0}
        return [tiny, tiny | {"strategy": "recursive", "normalize": "series", "window_length": 4, "n_networks": 2}]
