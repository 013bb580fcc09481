"""The order of the examples in the gallery: as lectures go; an example without a place comes last."""

from pathlib import Path

ORDER = [
    # a first network, and how to evaluate it
    "first_forecast",
    "gru_against_yesterday",
    "energy_next_day",
    "weather_ladder",
    "digits_row_by_row",
    "fifty_steps",
    "windows_before_the_split",
    "search_units_and_dropout",
    "compare_forecasters",
    "bitcoin_levels",
    "intervals_and_coverage",
    "fill_the_gaps",
    # inside
    "gates_on_a_sentence",
    "vanishing_gradient",
    "filters_find_shapes",
    "a_cell_of_your_own",
    # text and sequences to sequences
    "names_to_languages",
    "names_from_a_language",
    "shakespeare_by_letter",
    "sentiment_of_sentences",
    "tag_words_in_context",
    "captions_for_digits",
    "normalise_dates",
    # long and variable sequences, and a model in use
    "longer_than_a_segment",
    "remaining_life_of_engines",
    "stream_a_sensor",
    "save_and_serve",
]


class ReadingOrder:
    """The key by which sphinx-gallery sorts the files of a folder."""

    def __init__(self, src_dir: str) -> None:
        self.src_dir = src_dir

    def __call__(self, filename: str) -> tuple[int, str]:
        stem = Path(filename).stem
        place = ORDER.index(stem) if stem in ORDER else len(ORDER)
        return place, stem
