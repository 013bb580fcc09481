"""Small real data that come with the package: no download, no network."""

from sklrnn.datasets._series import load_air_passengers, load_co2, load_sunspots
from sklrnn.datasets._texts import load_names, load_wnut17
from sklrnn.datasets._weather import load_jfk_weather, load_seattle_weather

__all__ = [
    "load_air_passengers",
    "load_co2",
    "load_jfk_weather",
    "load_names",
    "load_seattle_weather",
    "load_sunspots",
    "load_wnut17",
]
