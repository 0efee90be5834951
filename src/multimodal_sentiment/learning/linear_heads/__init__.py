"""Solves linear heads on the features of frozen encoders."""
