"""The order of the examples in the gallery: as lectures go; an example without a place comes last."""

from pathlib import Path

ORDER = [
    # a first network, and how to judge it
    "first_forecast",
    "gru_against_yesterday",
    "compare_forecasters",
    "windows_before_the_split",
    "fill_the_gaps",
    # text and sequences to sequences
    "names_to_languages",
    "names_from_a_language",
    "sentiment_of_sentences",
    "tag_words_in_context",
    "captions_for_digits",
    "normalise_dates",
]


class ReadingOrder:
    """The key by which sphinx-gallery sorts the files of a folder."""

    def __init__(self, src_dir: str) -> None:
        self.src_dir = src_dir

    def __call__(self, filename: str) -> tuple[int, str]:
        stem = Path(filename).stem
        place = ORDER.index(stem) if stem in ORDER else len(ORDER)
        return place, stem
