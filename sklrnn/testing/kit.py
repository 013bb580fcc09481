"""Runs checks over an estimator: one after the other, or as parameters of a test."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Literal
from unittest import SkipTest

from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning

Check = Callable[[Any], None]
Expected = Mapping[str, str] | None
OnFail = Literal["raise", "warn"] | None
OnSkip = Literal["warn"] | None
Callback = Callable[..., None] | None


def bind(checks: Iterable[Callable[[Any], None]], make_case: Callable[[Any], Any]) -> Iterator[Check]:
    """Checks that take an estimator, from checks of a case: what is tested, and with which data."""
    for check in checks:
        yield partial(_run_case, make_case=make_case, check=check)


def _run_case(estimator: Any, *, make_case: Callable[[Any], Any], check: Callable[[Any], None]) -> None:
    check(make_case(estimator))


def name_of(check: Any) -> str:
    """The name of a check, which `expected_failed_checks` refers to."""
    return str((check.keywords["check"] if isinstance(check, partial) else check).__name__)


def refuse_class(estimator: Any) -> None:
    """Refuse a class in place of an object."""
    if isinstance(estimator, type):
        raise TypeError(f"Pass an object rather than the class {estimator.__name__}: {estimator.__name__}().")


def check_expected_names(expected: Expected, known: Iterable[str]) -> None:
    """Refuse a name of a check that does not exist, which would excuse nothing."""
    unknown = sorted({*(expected or {})} - {*known})
    if unknown:
        raise ValueError(
            f"expected_failed_checks names {unknown}, but there are only these checks: {', '.join(sorted(known))}."
        )


def run_checks(
    estimator: Any,
    checks: Iterable[Check],
    *,
    expected_failed_checks: Expected,
    on_skip: OnSkip,
    on_fail: OnFail,
    callback: Callback,
) -> list[dict[str, Any]]:
    """Run all checks and report each, in the form of scikit-learn's ``check_estimator``."""
    if on_fail not in ("raise", "warn", None) or on_skip not in ("warn", None):
        raise ValueError(
            f"on_fail must be 'raise', 'warn' or None, and on_skip 'warn' or None, got {on_fail!r} and {on_skip!r}."
        )
    if on_fail == "raise" and callback is not None:
        raise ValueError("callback can't be called for each check with on_fail='raise': set on_fail=None.")
    expected, results = expected_failed_checks or {}, []
    for check in checks:
        name = name_of(check)
        status, exception = _outcome(estimator, check, is_expected=name in expected)
        if status == "failed" and on_fail == "raise" and exception is not None:
            raise exception
        result = {
            "estimator": estimator,
            "check_name": name,
            "exception": exception,
            "status": status,
            "expected_to_fail": name in expected,
            "expected_to_fail_reason": expected.get(name, "Check is not expected to fail"),
        }
        _warn(result, on_skip=on_skip, on_fail=on_fail)
        results.append(result)
        if callback is not None:
            callback(**result)
    return results


def _outcome(estimator: Any, check: Check, *, is_expected: bool) -> tuple[str, Exception | None]:
    try:
        check(estimator)
    except SkipTest as skipped:
        return "skipped", skipped
    except Exception as error:
        return ("xfail" if is_expected else "failed"), error
    return "passed", None


def _warn(result: dict[str, Any], *, on_skip: OnSkip, on_fail: OnFail) -> None:
    name = type(result["estimator"]).__name__
    if result["status"] == "skipped" and on_skip == "warn":
        warnings.warn(
            f"Skipped {result['check_name']} for {name}: {result['exception']}", SkipTestWarning, stacklevel=4
        )
    if result["status"] == "failed" and on_fail == "warn":
        warnings.warn(EstimatorCheckFailedWarning(**result), stacklevel=4)


def parametrize(
    pairs: Iterable[tuple[Any, Check]], expected_of: Callable[[Any], Expected] | None, *, xfail_strict: bool | None
) -> Any:
    """The pytest decorator that runs a test over pairs of an estimator and a check."""
    import pytest

    parameters = []
    for estimator, check in pairs:
        expected, name = (expected_of(estimator) if expected_of is not None else None) or {}, name_of(check)
        strict: dict[str, Any] = {} if xfail_strict is None else {"strict": xfail_strict}
        marks = [pytest.mark.xfail(reason=expected[name], **strict)] if name in expected else []
        # Spaces and line breaks of a long repr would split an id.
        parameters.append(pytest.param(estimator, check, marks=marks, id=f"{' '.join(repr(estimator).split())}-{name}"))
    return pytest.mark.parametrize(("estimator", "check"), parameters)
