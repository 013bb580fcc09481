"""
Saving and serving: a model that answers in another process
===========================================================

A notebook trains, a service answers. Between the two lies a file. We train a pipeline that forecasts the next six
hours of weather, save it in two ways, and let a new Python process load it and answer a question in JSON, as a web
service would.
"""

# %%
# The pipeline holds all that a forecast needs: the window, the scales of the data, which the network learns, and the
# network. So the service gets rows as they are measured.
from sklearn.pipeline import make_pipeline

from sklrnn import GRURegressor, SlidingWindow, supervise
from sklrnn.datasets import load_jfk_weather

weather = load_jfk_weather()[["temp", "dew_point", "pressure"]]
X, y = supervise(weather, target="temp", horizon=6)
model = make_pipeline(
    SlidingWindow(window_length=24),
    GRURegressor(units=32, max_epochs=5, batch_size=64, random_state=0),
)
model.fit(X[:8000], y[:8000])
print(f"R² on the last weeks: {model.score(X[8000:], y[8000:]):.2f}")

# %%
# Pickle, or joblib, which is pickle for large arrays, saves anything in a line. But a pickle can run any code when it
# is loaded: load only files that you trust.
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib

folder = TemporaryDirectory()
pickled = Path(folder.name, "model.joblib")
joblib.dump(model, pickled)

# %%
# A file of skops runs no code. It names the types that it holds, and loads those that you trust. ``trusted_types``
# lists all of this package.
from skops import io

from sklrnn import trusted_types

safe = Path(folder.name, "model.skops")
io.dump(model, safe)
unknown = set(io.get_untrusted_types(file=safe)) - set(trusted_types())
print("types that are neither of scikit-learn nor of sklrnn:", unknown)
for path in (pickled, safe):
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")

# %%
# The service is a function: a question in JSON in, an answer in JSON out. Here it is the whole of a small program,
# which loads the model once and answers each line that it reads.
SERVICE = """
import json, sys
import pandas as pd
from skops import io
from sklrnn import trusted_types

model = io.load(sys.argv[1], trusted=trusted_types())
for question in sys.stdin:
    rows = pd.DataFrame(json.loads(question))
    rows.index = pd.to_datetime(rows.pop("time"))
    forecast = model.predict(rows)[-1]
    print(json.dumps({"next_hours": forecast.round(1).tolist()}))
"""

# %%
# The question: the last day of rows. The program runs in a process of its own, which knows nothing of this one.
import json
import subprocess
import sys

now = 8600
rows = weather[now - 24 : now]
question = rows.assign(time=rows.index.astype(str)).to_dict("list")
answer = subprocess.run(
    [sys.executable, "-c", SERVICE, str(safe)],
    input=json.dumps(question),
    capture_output=True,
    text=True,
    check=True,
).stdout
print(answer)
print("asked here:", model.predict(rows)[-1].round(1))

# %%
# The picture shows the day that was sent, and the answer.
import matplotlib.pyplot as plt

forecast = json.loads(answer)["next_hours"]
plt.rcParams["font.size"] = 17
figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
ax.plot(range(-23, 1), rows["temp"], "k", linewidth=2, label="sent")
came = weather["temp"][now : now + 6]
ax.plot(range(1, 7), came, "k.", markersize=12, label="what came")
ax.plot(range(1, 7), forecast, linewidth=4, label="answer")
ax.set(xlabel="hours from now", ylabel="temperature in °C")
ax.legend()
plt.show()
folder.cleanup()

# %%
# The other process gives the same numbers as this one, from a file that holds the window, the scales, the weights and
# the version of the package. A file of another format, or with weights that are no numbers, is refused when it is
# loaded, not when it answers.
#
# The service is whatever you like: ``predict`` may be called from several threads, and takes a fraction of a
# millisecond for a window. Send a whole window of rows with each question, as here, and the service has no memory to
# lose. Where values arrive one by one and every microsecond counts, keep a stream for each sensor: see :ref:`Streaming
# <sphx_glr_examples_stream_a_sensor.py>`. A service over HTTP, with checks, batches and streams, is in
# ``examples/serving``: see :doc:`/guide/serving`.
