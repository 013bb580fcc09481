"""The future of a series: sktime's forecasting interface around networks that read windows."""

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
from sklrnn.forecasting._columns import Columns
from sklrnn.forecasting.auto_settings import choose_epochs, choose_framing, choose_known, choose_season
from sklrnn.forecasting.calibration import Calibration, Pretrained
from sklrnn.forecasting.fh_index import place
from sklrnn.forecasting.history import Past
from sklrnn.forecasting.network import FORECAST_LOSSES, WindowNetwork
from sklrnn.forecasting.rollout import Rolling
from sklrnn.forecasting.series import label_rows, lay_end_to_end
from sklrnn.forecasting.windows import Framing, Windows

Array = NDArray[Any]

# The share of the passes over the windows that an update makes.
_SHARE_IN_UPDATE = 0.1


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
    pretrained_: Pretrained = fitted("What `pretrain` left; there only after it.")
    columns_: Columns = fitted("The columns of y and X, in the order in which the networks read them.")
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
        "pretrain:fitted_params": ["pretrained_", "columns_", "framing_", "window_length_", "horizon_", "sp_", "fold_"],
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
        self._read(y, X)
        if not hasattr(self, "pretrained_"):
            self._learn(fh)
            self._calibrate()
            return self
        self.networks_ = self.pretrained_.networks
        if self.fine_tune:
            self._learn_more()
        self._calibrate(has_learnt=self.fine_tune)
        return self

    def _pretrain(self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None) -> Any:
        self._read(y, X)
        self._learn(fh)
        return self._keep()

    def _pretrain_update(
        self, y: pd.DataFrame, X: pd.DataFrame | None = None, fh: ForecastingHorizon | None = None
    ) -> Any:
        self._read(y, X)
        if hasattr(self, "pretrained_"):
            self.networks_ = self.pretrained_.networks
        self._learn_more()
        return self._keep()

    def _keep(self) -> Any:
        """Remember what was learnt, for every series to come."""
        self._calibrate()
        if len(self._calibration.windows):
            # Each panel speaks for itself; those before it need not be kept.
            self._calibration.otherwise = None
        self.pretrained_ = Pretrained(self.networks_, self._calibration)
        return self

    def _read(self, y: pd.DataFrame, X: pd.DataFrame | None) -> None:
        validate_parameters(self)
        self._past = Past.read(y, X, getattr(self, "columns_", None))
        self._before_update = self._what_sktime_noted()

    def _what_sktime_noted(self) -> dict[str, Any]:
        names = ("_cutoff", "_y_metadata", "_y_mtype_last_seen", "_converter_store_y")
        return {name: copy.copy(getattr(self, name)) for name in names}

    def _update(self, y: pd.DataFrame, X: pd.DataFrame | None = None, update_params: bool = True) -> Any:
        before = {name: getattr(self, name) for name in ("_past", "networks_", "_calibration")}
        try:
            self._past = self._past.read_on(y, X)
            if update_params:
                self._past = self._past.measured()
                self._learn_more()
                self._calibrate()
        except BaseException:
            # sktime has taken note of the new rows already.
            for name, value in (before | self._before_update).items():
                setattr(self, name, value)
            raise
        self._before_update = self._what_sktime_noted()
        return self

    def _learn(self, fh: ForecastingHorizon | None) -> None:
        series = self._past.series
        self.sp_ = choose_season(self.sp, series)
        self.framing_ = choose_framing(
            series,
            window_length=self.window_length,
            horizon=self._choose_horizon(fh),
            fold=self.fold,
            sp=self.sp_,
            normalize=self.normalize,
            known=choose_known(self.future_X, self._past.columns.X),
        )
        f, self.columns_ = self.framing_, self._past.columns
        self.window_length_, self.horizon_, self.fold_ = f.window_length, f.horizon, f.fold
        windows = self._training_windows()
        source = check_random_state(self.random_state)
        seeds = source.randint(2**31 - 1, size=self.n_networks)
        self.networks_ = [self._make_network(windows, int(seed)).learn(windows) for seed in seeds]

    def _choose_horizon(self, fh: ForecastingHorizon | None) -> int:
        if self.strategy == "recursive":
            return 1
        if fh is None:
            return self.sp_
        return max(1, int(place(fh, self._past.longest().index)[0].max()))

    def _learn_more(self) -> None:
        windows = self._training_windows()
        if not len(windows):
            warnings.warn(
                f"No series has more than horizon={self.horizon_} rows, so there is nothing to learn from: the networks stay "
                "as they are, and read the rows only.",
                stacklevel=5,
            )
            return
        self.networks_ = [self._about_to_learn_more(network, windows).learn(windows) for network in self.networks_]

    def _about_to_learn_more(self, network: WindowNetwork, windows: Windows) -> WindowNetwork:
        """A copy, as what was learnt before may still be wanted."""
        epochs = max(1, round(_SHARE_IN_UPDATE * self._n_epochs(windows)))
        network = copy.deepcopy(network)
        network.set_params(max_epochs=epochs, warm_start=True, learning_rate=self.learning_rate / 5)
        return network

    def _make_network(self, windows: Windows, seed: int) -> WindowNetwork:
        shared = {field.name: getattr(self, field.name) for field in fields(NetworkParameters)}
        shared |= {"loss": self.loss, "quantiles": self.quantiles}
        return WindowNetwork(**shared | {"max_epochs": self._n_epochs(windows), "random_state": seed})

    def _n_epochs(self, windows: Windows) -> int:
        return choose_epochs(self.max_epochs, len(windows), self.batch_size)

    def _training_windows(self) -> Windows:
        return Windows.for_training(self.framing_, lay_end_to_end(self._past.series, sp=self.sp_))

    def _calibrate(self, *, has_learnt: bool = True) -> None:
        """Make ready to measure errors on what is known now, from which the networks may not have learnt."""
        windows, before, otherwise = self._training_windows(), None, None
        if hasattr(self, "pretrained_"):
            otherwise = self.pretrained_.calibration
            if has_learnt and len(windows):
                before = self._about_to_learn_more(self.pretrained_.networks[0], windows)
        elif has_learnt:
            before = self._make_network(windows, int(self.networks_[0].random_state))  # type: ignore[arg-type]
        self._calibration = Calibration(self.networks_[0], windows, before=before, otherwise=otherwise)

    # -- forecasting -------------------------------------------------------------------------------------------------

    def _predict(self, fh: ForecastingHorizon, X: pd.DataFrame | None = None) -> pd.DataFrame:
        rolling, index = self._roll(fh, X)
        return pd.DataFrame(self._past.arrange(rolling.points()), index=index, columns=self._past.given)

    def _predict_quantiles(self, fh: ForecastingHorizon, X: pd.DataFrame | None, alpha: list[float]) -> pd.DataFrame:
        rolling, index = self._roll(fh, X)
        values = self._past.arrange(rolling.quantiles(np.asarray(alpha, dtype=np.float64), self._calibration))
        columns = pd.MultiIndex.from_product([self._past.given, alpha])
        return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)

    def _roll(self, fh: ForecastingHorizon, X: pd.DataFrame | None) -> tuple[Rolling, pd.Index]:
        told = self._past.told()
        places = self._past.place(fh)
        steps = {key: own for key, (own, _) in places.items()}
        furthest = max(0, *(int(own.max()) for own in steps.values()))
        n_ahead = -(-furthest // self.horizon_) * self.horizon_
        ahead = self._past.ahead(X, steps, n_ahead, self.framing_.known)
        track = lay_end_to_end(told, sp=self.sp_, ahead=ahead, n_ahead=n_ahead)
        n_known = np.array([len(one) for one in told.values()])
        rolling = Rolling(self.framing_, self.networks_, track, n_known, list(steps.values()))
        return rolling, label_rows({key: times for key, (_, times) in places.items()}, self._past.levels)

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
