"""Where the page of a class in the documentation is: the HTML representation of an estimator links to it."""

from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

_BUILT_IN_A_CHECKOUT = Path(__file__).parents[2] / "docs" / "_build"


def documentation_address() -> str:
    """The address of the documentation, "" if there is none.

    It is the "Documentation" in the project's URLs. Without that, pages that were built in a checkout are taken.
    """
    address = _project_urls().get("Documentation", "").rstrip("/")
    return address or (_BUILT_IN_A_CHECKOUT.as_uri() if _BUILT_IN_A_CHECKOUT.is_dir() else "")


def _project_urls() -> dict[str, str]:
    try:
        urls: list[str] = metadata("sklrnn").get_all("Project-URL") or []
    except PackageNotFoundError:
        return {}
    return {label: url for label, _, url in (each.partition(", ") for each in urls)}


def page_template() -> str:
    """The address of the page of a class, in scikit-learn's form; "" if the documentation has none."""
    address = documentation_address()
    return f"{address}/generated/{{estimator_module}}.{{estimator_name}}.html" if address else ""


PAGE_TEMPLATE = page_template()


class LinkToDocumentation:
    """The link of sktime's HTML representation; comes before sktime's own base class."""

    _doc_link_module = "sklrnn"

    @classmethod
    def _generate_doc_link(cls) -> str:
        return PAGE_TEMPLATE.format(estimator_module=cls.__module__, estimator_name=cls.__name__)
