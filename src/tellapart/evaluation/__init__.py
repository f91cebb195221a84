"""Measuring predictions: numbers with intervals, in words, in files; pure functions on arrays."""

from tellapart.evaluation.compare import is_tie, paired_difference
from tellapart.evaluation.evaluate import evaluate
from tellapart.evaluation.export import (
    predictions_table,
    to_metrics_json,
    write_predictions,
)
from tellapart.evaluation.intervals import CROSSED_WIDENING
from tellapart.evaluation.records import ClassScores, Curve, Estimate, Evaluation
from tellapart.evaluation.words import estimate_words, headline_lines, headline_words

__all__ = [
    "CROSSED_WIDENING",
    "ClassScores",
    "Curve",
    "Estimate",
    "Evaluation",
    "estimate_words",
    "evaluate",
    "headline_lines",
    "headline_words",
    "is_tie",
    "paired_difference",
    "predictions_table",
    "to_metrics_json",
    "write_predictions",
]
