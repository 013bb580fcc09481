"""``python -m serving model.skops`` answers on a port."""

import argparse
import dataclasses
import logging
import os

# Small networks are fastest on one thread, and several processes serve
# more clients than several threads. This is read by torch when it loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import uvicorn

from .app import make_app
from .loading import load_model
from .settings import Settings


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m serving", description=__doc__
    )
    parser.add_argument("model", help="a file .skops or .onnx")
    parser.add_argument(
        "--stream-model", help="the streaming form of an .onnx"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=8000, help="0 takes a free one"
    )
    for field in dataclasses.fields(Settings):
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(
            option, type=type(field.default), default=field.default
        )
    given = vars(parser.parse_args(arguments))
    files = given.pop("model"), given.pop("stream_model")
    address = {name: given.pop(name) for name in ("host", "port")}
    # Warnings, such as of values far outside of training, are logged.
    logging.captureWarnings(True)
    app = make_app(load_model(*files), Settings(**given))
    uvicorn.run(app, **address, log_level="info", access_log=False)


if __name__ == "__main__":
    main()
