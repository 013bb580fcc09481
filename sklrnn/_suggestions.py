"""The name that was meant, where a user gave another: a spelling of Keras, torch or scikit-learn, or a slip."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["did_you_mean", "explain_invalid_name"]

# Spellings of one thing, in small letters and without what separates words. Capitals and separators never matter.
_SPELLINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in (
        "squarederror mse mseloss meansquarederror l2 l2loss leastsquares",
        "absoluteerror mae maeloss meanabsoluteerror l1 l1loss lad",
        "rmse rootmeansquarederror",
        "mape meanabsolutepercentageerror",
        "smape symmetricmeanabsolutepercentageerror",
        "mase meanabsolutescalederror",
        "huber huberloss smoothl1 smoothl1loss",
        "quantile quantileloss pinball pinballloss",
        "gaussian gaussiannll gaussiannllloss normal",
        "poisson poissonloss poissonnll poissonnllloss",
        "logloss crossentropy crossentropyloss categoricalcrossentropy sparsecategoricalcrossentropy "
        "binarycrossentropy bce bceloss bcewithlogits bcewithlogitsloss nll nllloss",
        "simplernn rnn rnncell simplernncell elman elmanrnn vanilla vanillarnn",
        "gru grucell",
        "lstm lstmcell",
        "minimalgru mgu minimalgatedunit",
        "onecycle onecyclelr",
        "seasonalnaive snaive",
        "ets autoets exponentialsmoothing holtwinters",
        "arima autoarima sarima",
    )
)
# How alike a slip and a name must be, from 0 to 1.
_ALIKE = 0.65


def did_you_mean(given: Any, names: Iterable[str]) -> str:
    """Give the sentence "Did you mean 'adam'?" after a space, or nothing where no name is close."""
    if not isinstance(given, str):
        return ""
    by_spelling = {_plain(name): name for name in sorted(names)}
    plain = _plain(given)
    same = {spelling for family in _SPELLINGS if plain in family for spelling in family} | {plain}
    meant = [name for spelling, name in by_spelling.items() if spelling in same]
    meant = meant or [by_spelling[close] for close in difflib.get_close_matches(plain, by_spelling, n=1, cutoff=_ALIKE)]
    return f" Did you mean {meant[0]!r}?" if meant else ""


def explain_invalid_name(message: str, given: Mapping[str, Any], constraints: Mapping[str, Iterable[Any]]) -> str:
    """Sort the names in a message of scikit-learn about a hyperparameter, and add the one that was meant."""
    found = re.match(r"The '(\w+)' parameter", message)
    if found is None:
        return message
    options = {option for constraint in constraints[found[1]] for option in getattr(constraint, "options", ())}
    names = [option for option in options if isinstance(option, str)]
    # scikit-learn writes a set, whose order changes from process to process.
    message = re.sub(r"\{('[^{}]*')\}", lambda names: f"{{{', '.join(sorted(names[1].split(', ')))}}}", message)
    return message + did_you_mean(given[found[1]], names)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
