"""The scikit-learn estimators: parameters, base, regressor, classifier, conformal intervals."""
