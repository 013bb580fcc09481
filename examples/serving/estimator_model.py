"""A fitted estimator of sklrnn, or a pipeline that ends in one."""

import warnings
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

import sklrnn
from sklrnn import SlidingWindow

from .model_info import ModelInfo, Options, Stream


class EstimatorModel:
    """Answers with ``predict``, ``predict_interval`` and
    ``predict_proba``."""

    def __init__(self, model: Any, file_format: str = "memory") -> None:
        is_pipeline = isinstance(model, Pipeline)
        self._estimator = model[-1] if is_pipeline else model
        if not hasattr(self._estimator, "start_stream"):
            raise TypeError(
                "The service answers with a regressor or classifier of "
                "sklrnn, or a pipeline that ends in one, got "
                f"{type(self._estimator).__name__}."
            )
        has_steps = is_pipeline and len(model) > 1
        # A copy, as a window is changed below.
        self._front = deepcopy(model[:-1]) if has_steps else None
        names = getattr(model, "feature_names_in_", None)
        self._names = None if names is None else list(names)
        self._window = self._find_window()
        n_columns = model.n_features_in_
        with warnings.catch_warnings():
            # Zeros may be far from what training saw: it is a trial.
            warnings.simplefilter("ignore")
            self._reads_tables = self._window is None and self._can_read(
                np.zeros((1, n_columns))
            )
            self.info = self._describe(n_columns, file_format)
            if self.info.classes is None and self._gives_intervals():
                self.info = replace(self.info, intervals=True)

    def answer(
        self, sequences: list[np.ndarray], options: Options
    ) -> dict[str, Any]:
        X = self._prepare(sequences)
        answers = {"predictions": self._estimator.predict(X)}
        if options.coverage is not None:
            intervals = self._estimator.predict_interval(
                X, options.coverage
            )
            answers["intervals"] = intervals
        if options.probabilities:
            answers["probabilities"] = self._estimator.predict_proba(X)
        return answers

    def start_stream(self) -> Stream:
        return self._estimator.start_stream()

    def _prepare(self, sequences: list[np.ndarray]) -> Any:
        """X as the estimator reads it."""
        if self._window is not None:
            # Each sequence is rows of its own; the last window is asked.
            windows = [
                self._front.transform(self._as_table(rows))[-1:]
                for rows in sequences
            ]
            return np.concatenate(windows)
        if self._reads_tables:
            X = self._as_table(np.stack([x.reshape(-1) for x in sequences]))
        elif len({len(x) for x in sequences}) == 1:
            X = np.stack(sequences)
        else:
            X = sequences
        return X if self._front is None else self._front.transform(X)

    def _as_table(self, rows: np.ndarray) -> Any:
        if self._names is None:
            return rows
        return pd.DataFrame(rows, columns=self._names)

    def _find_window(self) -> SlidingWindow | None:
        if self._front is None:
            return None
        steps = [step for _, step in self._front.steps]
        windows = [s for s in steps if isinstance(s, SlidingWindow)]
        if not windows:
            return None
        (window,) = windows
        for name in ("calendar", "groups", "time_column"):
            if (value := getattr(window, name)) is not None:
                raise ValueError(
                    f"The window of this pipeline has {name}={value!r}, "
                    "which needs times or names, but the service gets "
                    "numbers alone. Serve the last step of the pipeline, "
                    "and send it the windows."
                )
        # The rows of a request have no place among those of training.
        return window.set_params(context="none")

    def _can_read(self, X: np.ndarray) -> bool:
        if self._estimator.embedding_dim is not None:
            return False  # tokens may be sequences in any case
        table = self._as_table(X)
        try:
            if self._front is not None:
                table = self._front.transform(table)
            self._estimator.predict(table)
        except ValueError:
            return False
        return True

    def _describe(self, n_columns: int, file_format: str) -> ModelInfo:
        last, window = self._estimator, self._window
        classes = getattr(last, "classes_", None)
        reads_tokens = last.embedding_dim is not None
        n_steps, n_features = None, 1 if reads_tokens else n_columns
        if self._reads_tables:
            n_steps = last.n_timesteps or n_columns
            n_features = n_columns // n_steps
        min_steps = 1
        if window is not None:
            min_steps += (window.window_length - 1) * window.stride_within
        rereads = last.bidirectional or "window" in (
            last.normalize_X,
            getattr(last, "normalize_y", None),
        )
        return ModelInfo(
            estimator=type(last).__name__,
            file_format=file_format,
            sklrnn_version=sklrnn.__version__,
            n_features=n_features,
            feature_names=None if self._reads_tables else self._names,
            reads_tokens=reads_tokens,
            allows_missing=last.missing == "mask",
            min_steps=min_steps,
            n_steps=n_steps,
            classes=None if classes is None else classes.tolist(),
            streams=self._front is None and not rereads,
            stateful=last.stateful,
        )

    def _gives_intervals(self) -> bool:
        info = self.info
        zeros = np.zeros((info.n_steps or info.min_steps, info.n_features))
        try:
            self.answer([zeros], Options(coverage=0.5))
        except ValueError:
            return False
        return True
