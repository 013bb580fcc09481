"""The same training by the packages that forecast: their user hands over a series, and they cut it into windows."""

from typing import Any

import numpy as np
from _tasks import Answer, Task

_QUIET = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "enable_model_summary": False}


def darts(task: Task) -> None:
    """All of it by darts' own windows; its answers come from a series, not from windows."""
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    model = BlockRNNModel(
        input_chunk_length=task.window_length,
        output_chunk_length=1,
        model=task.cell.upper(),
        hidden_dim=task.units,
        n_rnn_layers=1,
        batch_size=task.batch_size,
        n_epochs=task.epochs,
        optimizer_kwargs={"lr": task.learning_rate},
        random_state=0,
        pl_trainer_kwargs={"accelerator": "cpu", **_QUIET},
    )
    target = TimeSeries.from_values(task.series[:, :1])
    covariates = {} if task.X.shape[2] == 1 else {"past_covariates": TimeSeries.from_values(task.series[:, 1:])}
    model.fit(target, **covariates)


def neuralforecast(task: Task) -> None:
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.models import GRU

    names = _feature_names(task)
    table = pd.DataFrame(task.series, columns=["y", *names])
    table["ds"], table["unique_id"] = np.arange(len(table)), "a"
    n_steps = task.epochs * -(-len(task.X) // task.batch_size)
    model = GRU(
        h=1,
        input_size=task.window_length,
        encoder_n_layers=1,
        encoder_hidden_size=task.units,
        decoder_layers=1,
        max_steps=n_steps,
        learning_rate=task.learning_rate,
        batch_size=1,
        windows_batch_size=task.batch_size,
        hist_exog_list=names or None,
        scaler_type="identity",
        num_lr_decays=0,
        accelerator="cpu",
        **_QUIET,
    )
    NeuralForecast(models=[model], freq=1).fit(table, val_size=0)


def pytorch_forecasting(task: Task) -> Answer:
    """The other features are handed over as known in advance and one row late.

    At each step its network reads what is known of that step and the target of the step before: so it gets the windows
    of the others.
    """
    import lightning.pytorch as pl
    import pytorch_forecasting as pf
    from pytorch_forecasting.data.encoders import TorchNormalizer
    from torch import manual_seed

    manual_seed(0)
    names = _feature_names(task)
    windows = pf.TimeSeriesDataSet(
        _long_table(task.series[np.newaxis], names),
        time_idx="row",
        target="y",
        group_ids=["series"],
        min_encoder_length=task.window_length,
        max_encoder_length=task.window_length,
        max_prediction_length=1,
        time_varying_known_reals=names,
        time_varying_unknown_reals=["y"],
        target_normalizer=TorchNormalizer(method="identity"),
        scalers=dict.fromkeys(names),
    )
    model = pf.RecurrentNetwork.from_dataset(
        windows,
        cell_type=task.cell.upper(),
        hidden_size=task.units,
        rnn_layers=1,
        dropout=0.0,
        loss=pf.RMSE(reduction="mean"),  # the square root is taken by another reduction
        logging_metrics=[],
        optimizer="adam",
        learning_rate=task.learning_rate,
    )
    trainer = pl.Trainer(max_epochs=task.epochs, accelerator="cpu", **_QUIET)
    trainer.fit(model, windows.to_dataloader(train=True, batch_size=task.batch_size, drop_last=False))

    def answer(X: Any) -> Any:
        to_answer = _long_table(np.concatenate([X, X[:, -1:]], axis=1), names)  # a row more: the one that is forecast
        asked = pf.TimeSeriesDataSet.from_dataset(windows, to_answer, predict=True)
        trainer_options = {"accelerator": "cpu", **_QUIET}
        return model.predict(asked, batch_size=1000, trainer_kwargs=trainer_options).numpy().ravel()

    return answer


def _feature_names(task: Task) -> list[str]:
    return [f"x{feature}" for feature in range(1, task.X.shape[2])]


def _long_table(series: Any, names: list[str]) -> Any:
    """Series (series, row, feature) below one another, all but the first feature one row late."""
    import pandas as pd

    n_series, n_rows, _ = series.shape
    late = np.concatenate([series[:, :1, 1:], series[:, :-1, 1:]], axis=1)
    table = pd.DataFrame(late.reshape(n_series * n_rows, -1), columns=names)
    table["y"] = series[:, :, 0].ravel()
    table["row"] = np.tile(np.arange(n_rows), n_series)
    table["series"] = np.repeat(np.arange(n_series), n_rows)
    return table


def skforecast(task: Task) -> Answer:
    """Each fit ends with answers on all windows, whose errors it keeps.

    It forecasts from one window; several at once are given to its network, which is one of Keras.
    """
    import keras
    import pandas as pd
    from skforecast.deep_learning import ForecasterRnn, create_and_compile_model

    keras.utils.set_random_seed(0)
    names = ["y", *_feature_names(task)]
    series = pd.DataFrame(task.series, columns=names)
    network = create_and_compile_model(
        series,
        lags=task.window_length,
        steps=1,
        levels="y",
        recurrent_layer={"gru": "GRU", "lstm": "LSTM", "simple_rnn": "RNN"}[task.cell],
        recurrent_units=task.units,
        dense_units=None,
        compile_kwargs={"optimizer": keras.optimizers.Adam(task.learning_rate), "loss": "mse"},
    )
    model = ForecasterRnn(
        network,
        levels="y",
        lags=task.window_length,
        transformer_series=None,
        fit_kwargs={"epochs": task.epochs, "batch_size": task.batch_size, "verbose": 0},
    )
    model.fit(series)

    def answer(X: Any) -> Any:
        if len(X) > 1:
            return model.estimator.predict(np.ascontiguousarray(X), batch_size=min(len(X), 1000), verbose=0).ravel()
        return model.predict(steps=1, last_window=pd.DataFrame(X[0], columns=names))["pred"].to_numpy()

    return answer
