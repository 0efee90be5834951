"""Fits the weights of a model by gradient descent, with transformers' Trainer."""
