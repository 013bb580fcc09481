"""Data for examples: small real data that come with the package, real data to download, and generated tasks."""

from sklrnn.datasets._dates import make_dates
from sklrnn.datasets._download import get_data_home
from sklrnn.datasets._memory_tasks import make_adding_problem, make_copy, make_echo
from sklrnn.datasets._remote_sequences import fetch_mnist, fetch_tiny_shakespeare
from sklrnn.datasets._remote_tables import fetch_bitcoin, fetch_ett, fetch_german_electricity, fetch_jena_climate
from sklrnn.datasets._series import load_air_passengers, load_co2, load_sunspots
from sklrnn.datasets._series_tasks import make_drifting_level, make_waves
from sklrnn.datasets._texts import load_names, load_wnut17
from sklrnn.datasets._weather import load_jfk_weather, load_seattle_weather

__all__ = [
    "fetch_bitcoin",
    "fetch_ett",
    "fetch_german_electricity",
    "fetch_jena_climate",
    "fetch_mnist",
    "fetch_tiny_shakespeare",
    "get_data_home",
    "load_air_passengers",
    "load_co2",
    "load_jfk_weather",
    "load_names",
    "load_seattle_weather",
    "load_sunspots",
    "load_wnut17",
    "make_adding_problem",
    "make_copy",
    "make_dates",
    "make_drifting_level",
    "make_echo",
    "make_waves",
]
