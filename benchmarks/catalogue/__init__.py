"""Every estimator of scikit-learn and every kind of booster, packaged and compared with its source."""
