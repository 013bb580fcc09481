"""The built documentation as people see it: its pages in a browser, where there is one, its links and its search."""

import json
import re

import pytest

pytestmark = pytest.mark.site

# Words that users know from elsewhere, and the page about them.
PAGES = {
    "GPU": "guide/gpu",
    "many-to-one": "guide/shapes",
    "seq2seq": "guide/translation",
    "prediction interval": "guide/forecasting",
    "standard deviation": "guide/faq",
    "multi-step": "guide/forecasting",
    "multivariate": "guide/forecasting",
    "backtest": "guide/comparing",
    "lookback": "guide/windows",
    "vanishing gradient": "guide/inspection",
    "deploy": "guide/deployment",
    "Keras": "guide/coming_from",
}

WIDE = ["index.html", "start.html", "guide/cells.html", "api.html", "examples/index.html", "guide/inspection.html"]
WIDE += ["generated/sklrnn.GRURegressor.html", "examples/gru_against_yesterday.html", "benchmarks/README.html"]


# -- pages in a browser -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(site, browser, tmp_path_factory):
    if browser.chromium() is None:
        pytest.skip("no Chromium here")
    files = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    pages = [name for name in files if not name.startswith(("_modules", "_static"))]
    assert len(pages) > 80
    asked = [(f"/{page}", 390, "light") for page in pages]
    asked += [(f"/{page}", 1280, mode) for page in WIDE for mode in ("light", "dark")]
    return browser.inspect(site, tmp_path_factory.mktemp("profile"), asked, list(PAGES), seconds=1500)


def faults(seen, what):
    return {f"{page['page']} at {page['width']}": page[what] for page in seen["pages"] if page[what]}


def test_no_page_has_an_error_in_the_console(seen):
    assert faults(seen, "errors") == {}


def test_no_page_misses_a_picture(seen):
    assert faults(seen, "missing") == {}


def test_no_page_is_wider_than_the_screen(seen):
    assert {name: width for name, width in faults(seen, "overflow").items() if width > 0} == {}


def test_nothing_is_cut_off_at_the_right(seen):
    assert faults(seen, "cut") == {}


def test_every_page_has_a_title(seen):
    assert [page["page"] for page in seen["pages"] if "sklrnn" not in page["title"]] == []


def test_the_browser_finds_what_is_wrong(browser, tmp_path):
    """A page with every fault, so that the tests above can fail."""
    if browser.chromium() is None:
        pytest.skip("no Chromium here")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "bad.html").write_text(
        "<html><head></head><body style='overflow-x:hidden'><main><img src='missing.png' width=10>"
        "<div style='width:900px'>too wide</div><script>console.error('oh')</script></main></body></html>"
    )
    (page,) = browser.inspect(tmp_path / "site", tmp_path / "profile", [("/bad.html", 390, "light")])["pages"]
    assert len(page["errors"]) == 2
    assert len(page["missing"]) == 1
    assert page["cut"]


@pytest.mark.parametrize("words", PAGES)
def test_the_search_of_the_site_shows_the_page_among_the_first(seen, words):
    found = next(search["pages"] for search in seen["searches"] if search["words"] == words)
    pages = list(dict.fromkeys(address.partition(".html")[0] for address in found))
    assert PAGES[words] in pages[:6], pages


def test_pages_ask_no_other_server(site):
    asking = r"""<(?:script|link|img)\b[^>]*\b(?:src|href)=["'](https?://[^"']+)"""
    found = {
        address for path in site.rglob("*.html") for address in re.findall(asking, path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_a_list_of_the_pages_for_programs_leads_to_their_text(site):
    text = (site / "llms.txt").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 80
    assert [target for target in targets if not (site / target).is_file()] == []


def test_classes_link_to_their_source_and_to_examples(site):
    page = (site / "generated" / "sklrnn.GRURegressor.html").read_text(encoding="utf-8")
    assert '_modules/sklrnn/estimators/named_regressors.html#GRURegressor"' in page
    assert "gru_against_yesterday.html" in page


def test_references_to_names_of_this_package_are_links(site):
    """See Also of every page: sphinx says nothing of a name that it does not find."""
    plain = {
        (path.stem, name)
        for path in sorted((site / "generated").glob("sklrnn*.html"))
        for box in re.findall(r'<div class="admonition seealso">.*?</div>', path.read_text(encoding="utf-8"), re.DOTALL)
        for name in re.findall(r'<dt><code class="xref py py-obj[^>]*><span class="pre">(sklrnn[\w.]+)', box)
    }
    assert plain == set()


def test_every_page_can_be_reached_from_the_start(site):
    linked, waiting = set(), ["index.html"]
    while waiting:
        page = waiting.pop()
        if page in linked:
            continue
        linked.add(page)
        text = (site / page).read_text(encoding="utf-8")
        for target in re.findall(r'href="([^"#:]+\.html)', text):
            path = ((site / page).parent / target).resolve()
            assert path.is_file(), f"{page} leads to {target}"
            waiting.append(path.relative_to(site.resolve()).as_posix())
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {page for page in pages - linked if not page.startswith("_")} <= {"search.html", "genindex.html"}


# -- search -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(site):
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))


def pages_with(index, word):
    """The pages that hold a word, in text or in titles."""
    snowballstemmer = pytest.importorskip("snowballstemmer")  # comes with Sphinx
    stem = snowballstemmer.stemmer("english").stemWord(word.lower())
    found = set()
    for terms in (index["terms"], index["titleterms"]):
        # Sphinx keeps a word as it is where its stem is too short.
        for spelling in {stem, word.lower()}:
            numbers = terms.get(spelling, [])
            found |= set([numbers] if isinstance(numbers, int) else numbers)
    return {index["docnames"][number] for number in found}


@pytest.mark.parametrize("words", PAGES)
def test_words_lead_to_their_page(index, words):
    # Short words such as "to" are not in the index.
    known = [word for word in re.split(r"\W+", words) if word not in {"to", "one"}]
    assert PAGES[words] in set.intersection(*(pages_with(index, word) for word in known))


def test_a_word_that_no_page_has_leads_nowhere(index):
    assert pages_with(index, "xylophone") == set()
