"""Errors about missing values and texts in X: what to do about them, in place of scikit-learn's general advice."""

from typing import Any


def refuse_texts(estimator: Any, X: Any) -> None:
    """Raise an error where X is a list, Series or array of texts: numbers are needed."""
    text = _first_text(X)
    if text is None:
        return
    name = type(estimator).__name__
    what = f"X holds texts, such as {text!r:.60}, but {name} reads numbers."
    if not hasattr(estimator, "embedding_dim"):
        raise ValueError(f"{what} Leave them out; TokenEncoder numbers texts for estimators with embedding_dim.")
    raise ValueError(
        f"{what} Turn texts into tokens, and learn a vector for each: make_pipeline(TokenEncoder(), "
        f"{name}(embedding_dim={estimator.embedding_dim or 16}))."
    )


def with_advice(error: ValueError, estimator: Any, place: str = "") -> ValueError:
    """Keep the first sentence of scikit-learn's error about NaN or texts in X, and add where it is and what to do."""
    first, *rest = str(error).split("\n")
    if first.startswith("could not convert string"):
        return ValueError(
            f"{error}. Encode texts and words as tokens with TokenEncoder and set embedding_dim, or categories with "
            "OneHotEncoder of scikit-learn."
        )
    if first.endswith("contains NaN."):
        return ValueError(f"{first}{place} {_what_to_do_about_nan(estimator)}")
    return ValueError("\n".join([first + place, *rest])) if place else error


def _what_to_do_about_nan(estimator: Any) -> str:
    if hasattr(estimator, "missing"):
        return 'Set missing="mask" to read X with its gaps, or fill them first with RecurrentImputer.'
    if hasattr(estimator, "missing_values"):
        return (
            f"missing_values={estimator.missing_values!r} marks a missing value here. Set missing_values=np.nan, or "
            "replace NaN by that number."
        )
    return "Fill it first, for example with RecurrentImputer, or leave such sequences out."


def _first_text(X: Any) -> str | None:
    """The first text in a container of one axis that may hold some."""
    if isinstance(X, str):
        return X
    is_numeric = getattr(getattr(X, "dtype", None), "kind", "O") in "biufcmM"
    if is_numeric or len(getattr(X, "shape", (0,))) != 1:
        return None
    values: Any = X if isinstance(X, list | tuple) or hasattr(X, "shape") else ()
    return next((str(value) for value in values if isinstance(value, str)), None)
