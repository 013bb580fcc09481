"""What FastAPI and pydantic found, in a sentence."""

import reprlib
from collections.abc import Sequence
from typing import Any

PREDICT_FORM = (
    'Send {"sequences": [[[1.0, 2.0], [1.5, 2.5]]]}: sequences hold steps, '
    "the oldest first, and steps hold the numbers of their features."
)
STEPS_FORM = 'Send {"steps": [[1.0, 2.0]]}: steps hold the numbers of their features.'


def needed_form(path: str) -> str:
    """The body that a path takes."""
    return STEPS_FORM if path.endswith("/steps") else PREDICT_FORM


def explain(errors: Sequence[Any], form: str) -> str:
    """The first problem; the others often follow from it."""
    error = errors[0]
    kind, given = error["type"], error.get("input")
    place = _name(error["loc"])
    shown = reprlib.repr(given)
    if kind == "json_invalid":
        reason = error.get("ctx", {}).get("error", error["msg"])
        return f"The body is no JSON: {reason}. {form}"
    if isinstance(given, bytes):
        return f"The body needs the header Content-Type: application/json. {form}"
    if not place:
        got = "nothing" if given is None else shown
        return f"The body must be an object of JSON, got {got}. {form}"
    if kind == "missing":
        return f"{place} is missing. {form}"
    if kind == "extra_forbidden":
        return f"{place} is not known here. Leave it out, or correct it."
    if kind.startswith("float"):
        return (
            f"{place} is {shown}, but a number is needed. Send one without "
            "quotes, or null for a missing value."
        )
    if kind == "list_type":
        return f"{place} is {shown}, but a list is needed. {form}"
    return f"{place} is {shown}: {error['msg']}. Correct it."


def _name(location: tuple[Any, ...]) -> str:
    """sequences[0][3] from ("body", "sequences", 0, 3)."""
    return "".join(
        f"[{each}]" if isinstance(each, int) else f".{each}"
        for each in location[1:]
    ).lstrip(".")
