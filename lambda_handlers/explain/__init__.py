"""Shapley values of a prediction, in NumPy alone: imported by explanations and never by predictions.

trees      exact values of a tree ensemble, from what packaging summed over the background
sampled    estimates for any other function of the features, with standard errors
"""
