"""RecurrentImputer: fill missing values of series."""
