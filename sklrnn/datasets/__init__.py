"""Small real data that come with the package: no download, no network."""

from sklrnn.datasets._loaders import (
    load_air_passengers,
    load_co2,
    load_jfk_weather,
    load_names,
    load_seattle_weather,
    load_sunspots,
)

__all__ = [
    "load_air_passengers",
    "load_co2",
    "load_jfk_weather",
    "load_names",
    "load_seattle_weather",
    "load_sunspots",
]
