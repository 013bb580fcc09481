"""Compare forecasters by a backtest on identical cut-offs.

``compare``        the function `compare`: check the input, backtest the models, make the result
``comparison``     the class `Comparison`: its tables, summary, skill scores and plots
``cutoffs``        check y and X, split them at each cut-off into a training and a test part
``evaluate_fold``  fit or update one model on a fold, forecast, time it, keep its errors and warnings
``warning_counts`` count warnings instead of showing them
``metrics``        MASE, sMAPE, RMSE, MAE, MAPE, interval coverage and the seasonal naive forecast
``tables``         scores, forecasts, naive baseline and warnings as data frames in long format
``summary``        averages and ranks of the models, and sentences about what failed
``plotting``       plots of these tables
``baselines``      the classical forecasters known by name
``aicc_search``    base class of those that select their model by the corrected Akaike information criterion:
``auto_arima``     ARIMA
``auto_ets``       exponential smoothing
"""
