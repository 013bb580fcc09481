"""The future of a series: sktime's forecasting interface around networks that read windows."""

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
from sklrnn._network_parameters import NetworkParameters
from sklrnn.forecasting._calibration import Calibration
from sklrnn.forecasting._choices import choose_framing, choose_known, choose_season
from sklrnn.forecasting._framing import Framing, Windows
from sklrnn.forecasting._network import FORECAST_LOSSES, WindowNetwork
from sklrnn.forecasting._rolling import Rolling
from sklrnn.forecasting._series import Key, Series, extend, label_rows, lay_end_to_end, rows_at, take_apart, times_of

Array = NDArray[Any]

# Steps of the optimizer with max_epochs="auto": 200 for the 84 windows of nine years of months, 20,000 for the 200,000
# of M4's hours. Few windows are soon learnt by heart.
_STEPS_FOR_ONE_WINDOW, _GROWTH, _MOST_STEPS = 14, 0.6, 20_000
# The share of these that an update takes.
_SHARE_IN_UPDATE = 0.1


@hyperparameters
class RecurrentForecaster(NetworkParameters, BaseForecaster):
    """Forecast series with a recurrent network, through sktime's interface.

    One series or many, with one channel or several, with or without exogenous variables. A panel or hierarchy is
    learnt as one global model. Windows are brought to a common scale, so that trend and level shifts survive.

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
    window_length: int | Literal["auto"] = hyper("auto", [POSITIVE_INT, StrOptions({"auto"})], 'Rows of the past that each forecast reads; "auto" takes up to 14 seasons, as the length of the series allows.')
    strategy: Literal["direct", "recursive"] = hyper("direct", StrOptions({"direct", "recursive"}), '"direct" answers all steps of `fh` at once; "recursive" answers one and reads its own answer. Steps beyond those learnt are always reached by reading own answers.')
    normalize: Literal["window", "series"] | None = hyper("window", [StrOptions({"window", "series"}), None], "What brings y to a common scale: the newest part of each window, each series as a whole, or (None) all series together.")
    sp: int | Literal["auto"] = hyper("auto", [POSITIVE_INT, StrOptions({"auto"})], 'Rows in a season; "auto" finds it from the frequency and the autocorrelation.')
    fold: int | Literal["auto"] = hyper("auto", [POSITIVE_INT, StrOptions({"auto"})], 'Rows that each recurrent step reads at once; "auto" takes the season, so that days are the steps and hours the features.')
    n_networks: int = hyper(1, POSITIVE_INT, "Networks with different seeds whose forecasts are averaged.")
    future_X: Literal["known", "unknown"] | list[Any] = hyper("known", [StrOptions({"known", "unknown"}), list], "Which columns of X are known in the future and must be passed to predict: all, none, or a list of names.")
    loss: str = hyper("absolute_error", StrOptions(FORECAST_LOSSES), "What is minimised.")
    quantiles: tuple[float, ...] = hyper((0.05, 0.5, 0.95), IncreasingLevels(), 'Levels that ``loss="quantile"`` learns.')
    max_epochs: int | Literal["auto"] = hyper("auto", [POSITIVE_INT, StrOptions({"auto"})], 'Passes over the training windows; "auto" makes as many as the number of windows can bear: 200 steps of the optimizer for 84 windows, 20,000 for 200,000.')
    fine_tune: bool = hyper(False, "boolean", "After `pretrain`, let `fit` train on for a while on its own series; otherwise it only reads them.")
    # fmt: on

    units = 64
    batch_size = 64
    learning_rate = 5e-3
    schedule = "one_cycle"
    optimizer = "adam"
    early_stopping = False

    networks_: list[WindowNetwork] = fitted("The networks, fitted.")
    framing_: Framing = fitted("How samples are cut: window, horizon, fold.")
    window_length_: int = fitted("Rows of the past that each forecast reads.")
    horizon_: int = fitted("Steps that the networks answer at once.")
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
        "pretrain:fitted_params": ["networks_", "framing_", "window_length_", "horizon_", "sp_", "fold_"],
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

    # -- learning ----------------------------------------------------------------------------------------------------

    def _fit(self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None) -> Any:
        validate_parameters(self)
        self._read(y, X)
        if not hasattr(self, "networks_"):
            self._learn(fh)
        elif self.fine_tune:
            self._learn_more()
        self._calibrate()
        return self

    def _pretrain(self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None) -> Any:
        validate_parameters(self)
        self._read(y, X)
        self._learn(fh)
        return self

    def _pretrain_update(
        self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None
    ) -> Any:
        self._read(y, X)
        self._learn_more()
        return self

    def _read(self, y: pd.DataFrame, X: pd.DataFrame | None) -> None:
        self._series: dict[Key, Series] = take_apart(y, X)
        self._names = list(y.index.names)
        self._columns = y.columns
        self._X_columns = None if X is None else X.columns
        if hasattr(self, "framing_"):
            self._check_shape(self._series)

    def _update(self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True) -> Any:
        new = take_apart(y, X)
        self._check_shape(new)
        self._series = self._series | {
            key: extend(self._series[key], one, key) if key in self._series else one for key, one in new.items()
        }
        if update_params:
            self._learn_more()
            self._calibrate()
        return self

    def _check_shape(self, series: dict[Key, Series]) -> None:
        one = next(iter(series.values()))
        f = self.framing_
        got, wanted = (one.y.shape[1], one.X.shape[1]), (f.n_channels, f.n_columns)
        if got != wanted:
            raise ValueError(
                f"The networks have learnt {wanted[0]} column(s) of y and {wanted[1]} of X, got {got[0]} and {got[1]}. "
                "Pass the same columns, or make a new forecaster."
            )

    def _learn(self, fh: ForecastingHorizon | None) -> None:
        self.sp_ = choose_season(self.sp, self._series)
        self.framing_ = choose_framing(
            self._series,
            window_length=self.window_length,
            horizon=self._choose_horizon(fh),
            fold=self.fold,
            sp=self.sp_,
            normalize=self.normalize,
            known=choose_known(self.future_X, self._X_columns),
        )
        self.window_length_, self.horizon_, self.fold_ = (
            self.framing_.window_length,
            self.framing_.horizon,
            self.framing_.fold,
        )
        windows = self._training_windows()
        source = check_random_state(self.random_state)
        seeds = source.randint(2**31 - 1, size=self.n_networks)
        self.networks_ = [self._make_network(windows, int(seed)).learn(windows) for seed in seeds]

    def _choose_horizon(self, fh: ForecastingHorizon | None) -> int:
        if self.strategy == "recursive":
            return 1
        if fh is None:
            return self.sp_
        return max(1, int(fh.to_relative(self.cutoff).to_numpy().max()))

    def _learn_more(self) -> None:
        windows = self._training_windows()
        epochs = max(1, round(_SHARE_IN_UPDATE * self._n_epochs(windows)))
        for network in self.networks_:
            network.set_params(max_epochs=epochs, warm_start=True, learning_rate=self.learning_rate / 5)
            network.learn(windows)

    def _make_network(self, windows: Windows, seed: int) -> WindowNetwork:
        shared = {field.name: getattr(self, field.name) for field in fields(NetworkParameters)}
        own = {
            "loss": self.loss,
            "quantiles": self.quantiles,
            "max_epochs": self._n_epochs(windows),
            "random_state": seed,
        }
        return WindowNetwork(**{**shared, **own})

    def _n_epochs(self, windows: Windows) -> int:
        if self.max_epochs != "auto":
            return int(self.max_epochs)
        steps = min(_STEPS_FOR_ONE_WINDOW * len(windows) ** _GROWTH, _MOST_STEPS)
        return max(1, round(steps / -(-len(windows) // self.batch_size)))

    def _training_windows(self) -> Windows:
        track = lay_end_to_end(self._series, sp=self.sp_, normalize=self.normalize)
        return Windows.for_training(self.framing_, track)

    def _calibrate(self) -> None:
        unseen = bool(getattr(self, "_pretrained_attrs", None)) and not self.fine_tune
        self._calibration = Calibration(self.networks_[0], self._training_windows(), unseen=unseen)

    # -- forecasting -------------------------------------------------------------------------------------------------

    def _predict(self, fh: ForecastingHorizon, X: pd.DataFrame | None = None) -> pd.DataFrame:
        rolling, index = self._roll(fh, X)
        return pd.DataFrame(rolling.points(), index=index, columns=self._columns)

    def _predict_quantiles(self, fh: ForecastingHorizon, X: pd.DataFrame | None, alpha: list[float]) -> pd.DataFrame:
        rolling, index = self._roll(fh, X)
        values = rolling.quantiles(np.asarray(alpha, dtype=np.float64), self._calibration)
        columns = self._get_columns(method="predict_quantiles", alpha=alpha)
        return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)

    def _roll(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> tuple[Rolling, pd.Index]:
        known = {key: one.until(self.cutoff[0]) for key, one in self._series.items()}
        cutoffs = {key: one.last_time() for key, one in known.items()}
        steps = [fh.to_relative(cutoff).to_numpy().astype(int) for cutoff in cutoffs.values()]
        furthest = max(0, *(int(some.max()) for some in steps))
        n_ahead = -(-furthest // self.horizon_) * self.horizon_
        ahead = {
            key: self._ahead_of(X, key, cutoff, wanted, n_ahead)
            for (key, cutoff), wanted in zip(cutoffs.items(), steps, strict=True)
        }
        track = lay_end_to_end(known, sp=self.sp_, normalize=self.normalize, ahead=ahead, n_ahead=n_ahead)
        rolling = Rolling(self.framing_, self.networks_, track, np.array([len(one) for one in known.values()]), steps)
        times = {key: fh.to_absolute_index(cutoff) for key, cutoff in cutoffs.items()}
        return rolling, label_rows(times, self._names)

    def _ahead_of(self, X: pd.DataFrame | None, key: Key, cutoff: pd.Index, steps: Array, n_ahead: int) -> Array:
        """The rows of X after the last known row of y."""
        n_columns, wanted = self.framing_.n_columns, steps[steps > 0]
        nothing = np.full((n_ahead, n_columns), np.nan)
        if not n_columns or not n_ahead:
            return nothing
        times = ForecastingHorizon(np.arange(1, n_ahead + 1), is_relative=True).to_absolute_index(cutoff)
        missing = times[wanted - 1] if X is None else times[wanted - 1].difference(times_of(X, key))
        if len(missing) and self.framing_.known:
            raise ValueError(
                f"The forecast of {times[wanted - 1][0]} to {times[wanted - 1][-1]} needs the future of X, but "
                f"{'no X was passed' if X is None else f'X has no row for {missing[0]}'}. Pass X for these times to predict, or "
                "say with future_X which columns are known in the future."
            )
        return nothing if X is None else rows_at(X, key, times)

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
