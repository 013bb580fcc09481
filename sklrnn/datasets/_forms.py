"""The forms in which loaders give their data, as those of scikit-learn do: a Bunch, ``(X, y)``, pandas or numpy."""

import inspect
import re
from collections.abc import Callable
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_SECTION = re.compile(r"^(\w[\w ]*)\n-+\n", re.MULTILINE)


def read_bundled(name: str, **options: Any) -> "pd.DataFrame":
    """Read a table that comes with the package."""
    import pandas as pd

    with as_file(files("sklrnn.datasets") / name) as path:
        table: pd.DataFrame = pd.read_csv(path, **options)
        return table


def fill_forward(data: Any, fill: bool) -> Any:
    return data.ffill() if fill else data


def describe(loader: Callable[..., Any]) -> str:
    """The docstring of a loader without what concerns its call: what the data are, their source and licence."""
    summary, *sections = _SECTION.split(inspect.getdoc(loader) or "")
    wanted = {"Returns": "Fields\n------\n", "Notes": "", "References": "References\n----------\n"}
    kept = [wanted[name] + text for name, text in zip(sections[::2], sections[1::2], strict=True) if name in wanted]
    return "\n\n".join(part.strip() for part in (summary, *kept))


def give_table(
    loader: Callable[..., Any],
    table: "pd.DataFrame",
    *,
    target: str,
    features: list[str] | None = None,
    return_X_y: bool,
    as_frame: bool,
) -> Any:
    """A table in one of the forms; ``features`` are all columns, that of the target included, if not given."""
    data, y = table[features or list(table.columns)], table[target]
    return give(
        loader,
        data if as_frame else data.to_numpy(),
        y if as_frame else y.to_numpy(),
        return_X_y=return_X_y,
        frame=table if as_frame else None,
        feature_names=list(data.columns),
        target_names=[target],
        **({} if as_frame else {"index": table.index}),
    )


def give(loader: Callable[..., Any], data: Any, target: Any, *, return_X_y: bool, **more: Any) -> Any:
    """Data and target as a tuple, or with more fields and a description as a Bunch."""
    if return_X_y:
        return data, target
    from sklearn.utils import Bunch

    return Bunch(data=data, target=target, **more, DESCR=describe(loader))
