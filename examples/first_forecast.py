"""
A first forecast: the temperature in three hours
================================================

From the weather of the last day a GRU forecasts the temperature three hours later. The example goes the whole way in a
dozen lines: windows, a split in the order of time, a fit, a score, a picture, and the comparison with the simplest
forecast there is.
"""

# %%
# Hourly weather at New York's JFK airport is bundled with the package: a row for each hour, seven columns.
from sklrnn.datasets import load_jfk_weather

weather = load_jfk_weather()
print(weather.iloc[:3, :4])

# %%
# A window of 24 hours is one sample, and the temperature three hours after it is its target. X has the shape
# (sample, time, feature) that recurrent networks read.
from sklrnn import make_windows

X, y = make_windows(weather, weather["temp"], window_length=24, offset=3)
print(X.shape, y.shape)

# %%
# The last 60 days are the test data. Windows overlap, so a random split would put nearly the same window into both
# parts; the order of time does not.
n_test = 60 * 24
X_train, y_train = X[:-n_test], y[:-n_test]
X_test, y_test = X[-n_test:], y[-n_test:]

# %%
# The network standardises features and targets itself. ``fit``, ``predict`` and ``score`` are those of scikit-learn.
from sklrnn import GRURegressor

gru = GRURegressor(units=16, max_epochs=12, random_state=0)
gru.fit(X_train, y_train)
print(f"R² of the test hours: {gru.score(X_test, y_test):.3f}")

# %%
# A high R² says little here, as three hours later the temperature is much the same. The forecast has to beat that:
from sklearn.metrics import mean_absolute_error

forecasts = {
    "last temperature": X_test[:, -1, weather.columns.get_loc("temp")],
    "GRU": gru.predict(X_test),
}
for name, forecast in forecasts.items():
    error = mean_absolute_error(y_test, forecast)
    print(f"{name:17} mean error {error:.2f} °C")

# %%
# Five days of forecasts, each made three hours before:
import matplotlib.pyplot as plt

plt.rcParams.update(
    {"font.size": 13, "figure.constrained_layout.use": True}
)
shown = slice(0, 5 * 24)
figure, ax = plt.subplots(figsize=(8, 4))
ax.plot(y_test[shown], color="black", linewidth=3, label="measured")
ax.plot(forecasts["GRU"][shown], color="#D55E00", label="GRU")
ax.set(xlabel="hour", ylabel="temperature in °C", title="Three hours ahead")
ax.legend(frameon=False)
plt.show()

# %%
# The R² is 0.91, and yet the GRU errs by 1.25 °C where repeating the last temperature errs by 1.43: an eighth less.
# That is a usual gain. What happens next is mostly what happened last, and a model is worth what it adds to that. Look
# at the simplest forecast before you believe a score.
#
# A whole day ahead the gain is larger: :doc:`gru_against_yesterday`. Seven models climb a ladder in
# :doc:`weather_ladder`.
