"""Compare forecasters on identical cut-offs: folds, metrics, tables, plots and classical baselines."""
