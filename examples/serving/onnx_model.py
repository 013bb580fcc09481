"""A model that ``sklrnn.export.to_onnx`` wrote. Needs neither torch nor
sklrnn."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from .model_info import ModelInfo, Options, Stream

DTYPES = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
}


class OnnxModel:
    """Answers with onnxruntime, and streams with the streaming form."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        stream_path: str | os.PathLike[str] | None = None,
    ) -> None:
        self._session, known = _open(path)
        self._input = self._session.get_inputs()[0]
        self._outputs = [o.name for o in self._session.get_outputs()]
        self._step = None if stream_path is None else _open(stream_path)[0]
        self._levels = known.get("quantiles") or []
        self.info = self._describe(known)

    def answer(
        self, sequences: list[np.ndarray], options: Options
    ) -> dict[str, Any]:
        if self._reads_rows:
            # The last window of the rows is asked.
            parts = [[i] for i in range(len(sequences))]
        else:
            # Sequences of one length can be read together.
            by_length: dict[int, list[int]] = {}
            for i, x in enumerate(sequences):
                by_length.setdefault(len(x), []).append(i)
            parts = list(by_length.values())
        if self.info.stateful and len(parts) > 1:
            raise ValueError(
                "The model is stateful: it reads the sequences of a "
                "request as segments of one, which need the same number "
                "of steps. Cut the sequence evenly."
            )
        answers: dict[str, list[Any]] = {}
        for part in parts:
            found = self._run([sequences[i] for i in part], options)
            for name, values in found.items():
                filled = answers.setdefault(name, [None] * len(sequences))
                for i, value in zip(part, values, strict=True):
                    filled[i] = value
        return answers

    def start_stream(self) -> Stream:
        return OnnxStream(self._step)

    def _run(
        self, sequences: list[np.ndarray], options: Options
    ) -> dict[str, Any]:
        X = _cast(np.stack(sequences), self._input.type)
        if self._reads_rows:
            (X,) = X
        elif len(self._input.shape) == 2:
            X = X.reshape(len(X), -1)
        outputs = self._session.run(None, {self._input.name: X})
        if self._reads_rows:
            outputs = [output[-1:] for output in outputs]
        found = dict(zip(self._outputs, outputs, strict=True))
        is_classifier = self.info.classes is not None
        label = "label" if is_classifier else "prediction"
        answers = {"predictions": found[label]}
        if options.coverage is not None:
            low, high = self._bounds(options.coverage)
            answers["intervals"] = found["quantiles"][..., [low, high]]
        if options.probabilities:
            answers["probabilities"] = found["probabilities"]
        return answers

    def _bounds(self, coverage: float) -> tuple[int, int]:
        """The places of the levels that an interval reaches between."""
        low = (1 - coverage) / 2
        return tuple(
            int(np.argmin(np.abs(np.subtract(self._levels, level))))
            for level in (low, 1 - low)
        )

    @property
    def _reads_rows(self) -> bool:
        return self._input.shape[0] == "row"

    def _describe(self, known: dict[str, Any]) -> ModelInfo:
        shape = self._input.shape
        n_steps, n_features = None, shape[-1]
        if not self._reads_rows and len(shape) == 2:
            n_features = 1
            if isinstance(shape[-1], int):
                n_steps = known.get("n_timesteps") or shape[-1]
                n_features = shape[-1] // n_steps
        coverages = [
            round(1 - 2 * level, 12)
            for level in self._levels
            if level < 0.5
            and np.isclose(1 - level, self._levels, rtol=0).any()
        ]
        return ModelInfo(
            estimator=known["estimator"],
            file_format="onnx",
            sklrnn_version=known["sklrnn_version"],
            n_features=n_features,
            feature_names=None if n_steps else known.get("feature_names"),
            reads_tokens=self._input.type == "tensor(int64)",
            allows_missing=known["missing"] == "mask",
            min_steps=known.get("window_span", 1),
            n_steps=n_steps,
            classes=known.get("classes"),
            intervals=bool(coverages),
            coverages=coverages or None,
            streams=self._step is not None,
            stateful=known["stateful"],
        )


class OnnxStream:
    """The streaming form, and the state that it passes on."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input, state = session.get_inputs()
        self._state = np.zeros((1, state.shape[1]))

    def step(self, x: np.ndarray) -> Any:
        X = _cast(x[np.newaxis], self._input.type)
        outputs = self._session.run(None, {"X": X, "state": self._state})
        self._state = outputs[-1]
        return outputs[0][0]


def _open(path: Any) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """The model of a file, and what the file says of it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(Path(path).read_bytes(), options)
    texts = session.get_modelmeta().custom_metadata_map
    if "sklrnn_version" not in texts:
        raise ValueError(
            f"{os.fspath(path)} does not say what model it holds, as files "
            "of sklrnn.export.to_onnx do. Export the fitted estimator with "
            "it, in this version."
        )
    return session, {name: json.loads(text) for name, text in texts.items()}


def _cast(x: np.ndarray, kind: str) -> np.ndarray:
    """In the type of an input; what is too large for it is an error."""
    with np.errstate(over="ignore"):
        cast = x.astype(DTYPES[kind])
    if np.isinf(cast).any():
        raise ValueError(
            "Values beyond 3.4e38 are too large for the file of this model, "
            "which was exported with dtype='float32'. Send smaller ones."
        )
    return cast
