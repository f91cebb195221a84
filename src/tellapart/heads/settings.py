"""What a head can be set to: the record that cross-validation chooses among."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Setting:
    """A head with its parameters; ordered from simple to less simple (DESIGN section 6).

    strength  the parameter that each head has one of (its name stands in HEADS): C of logistic
              and svm, the penalty of ridge, the shrinkage of lda, the neighbours of knn, the
              passes of mlp; 0 for mean
    pca       principal components that are kept of the features; 0: the features themselves
    form      what else a head has: the widths of mlp's hidden layers, the distance of knn
    """

    strength: float
    balanced: bool  # classes weighted inversely to their pictures
    standardised: bool  # features scaled to mean 0, deviation 1
    kind: str = "logistic"
    pca: int = 0
    form: str = ""
