"""Classifiers: what predicts, its folder, its card."""
