"""What would help most now, measured by cross-validation on the training pictures alone."""

from tellapart.advice.records import Advice, ClassCurve, Guess, Option, Suspect

__all__ = ["Advice", "ClassCurve", "Guess", "Option", "Suspect"]
