"""scikit-learn estimators: pictures to features, pictures to classes.

Both hold plain parameters and, once fitted, plain arrays: the network is opened by name for each
call and closed with it, so that clones and pickles carry no engine and no cache.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from tellapart.backbones import Backbone
from tellapart.data import FileSource, MemorySource, RowSource, Source
from tellapart.engines import Engine, open_engine
from tellapart.errors import DataError, ModelError, OptionError
from tellapart.features import Cache, Vectors, embed_kept, open_cache
from tellapart.features.parts import Recipe, width
from tellapart.features.recipes import Asked, candidates
from tellapart.heads import fit_probe
from tellapart.images.decode import parse_bands
from tellapart.progress import Progress
from tellapart.settings import Decoding
from tellapart.splits import components

AT_ONCE = 1_024  # pictures that are held in memory at a time, where X holds arrays

Pictures = Sequence[Any] | NDArray[Any]
Open = tuple[Recipe, dict[Backbone, Engine], Decoding, Cache]


class InputError(DataError, ValueError):
    """X or y cannot be used as it is; a ValueError too, which scikit-learn's own code expects."""


class ImageEmbedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Pictures to the features of pretrained networks: a transformer that learns nothing.

    X is a sequence of pictures, each a path (str or Path), a file's bytes, or an array uint8
    [h, w, 3]; or one array uint8 [n, h, w, 3]; or the `sources` of `tellapart.read(...)`.

    Parameters
    ----------
    backbone : str, default="lite0"
        Name of the network, or several as in "lite0+color", whose features stand side by side.
    engine : str, default="auto"
        What runs it: "auto", "openvino" or "torch".
    bands : str or None, default=None
        Bands to use of files with more, as in "N,R,G"; None: the first three. Of a number other
        than three a network sees composites of three, whose features stand side by side.
    cache : str or None, default=None
        Folder where features are kept; None: TELLAPART_CACHE or the user's. A picture that a run
        or another fit has embedded is not embedded again.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(ta.ImageEmbedder(), LogisticRegression())   # doctest: +SKIP
    >>> model.fit(paths, labels).predict(["new.jpg"])                     # doctest: +SKIP
    """

    def __init__(
        self,
        backbone: str = "lite0",
        engine: str = "auto",
        bands: str | None = None,
        cache: str | None = None,
    ) -> None:
        self.backbone = backbone
        self.engine = engine
        self.bands = bands
        self.cache = cache

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and that X holds pictures; nothing is learned and no pixel read."""
        with open_cache(self.cache) as cache:
            _recipe_of(self, cache)
        self._pictures(X)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return features float32 [n, d].

        Raises InputError, naming the picture, where one cannot be read: scikit-learn's tools need
        a row for every picture.
        """
        with _opened(self) as network:
            return _embed(self._pictures(X), network).features

    def _pictures(self, X: Any) -> Pictures:
        return pictures_of(X)

    @property
    def _n_features_out(self) -> int:
        with open_cache(self.cache) as cache:
            return width(_recipe_of(self, cache))

    def __sklearn_tags__(self) -> Tags:
        return _picture_tags(super().__sklearn_tags__())


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Pictures in, classes out: tellapart's probe on the features of a pretrained network.

    X is what `ImageEmbedder` takes. The head's settings are chosen by cross-validation inside the
    pictures given to `fit`, as `tellapart run` does it: folds keep exact copies, and pictures of
    equal `groups`, together; probabilities are calibrated on out-of-fold scores.

    Parameters
    ----------
    backbone, engine, bands, cache
        As for `ImageEmbedder`.
    head : str or None, default=None
        "logistic", "ridge", "lda", "svm", "mlp", "knn" or "mean"; None: logistic, or with `search`
        whichever wins.
    search : int, default=0
        Trials of Optuna over heads and their settings, beside the plain logistic path (extra
        [search]); 0: none.
    random_state : int, default=0
        Seed of the folds. Fits do not depend on the order of pictures.

    Attributes
    ----------
    classes_ : ndarray [k]
        The labels, sorted.
    head_ : the fitted head; of a linear one `head_.weights` are float32 [d, k], `head_.bias` [k].
    choices_ : tuple of {"what", "chosen", "why"}: the settings and why they were taken.
    weights_digest_ : str
        Which weights the features came from; others are refused when predicting.

    Examples
    --------
    >>> clf = ta.ImageClassifier().fit(paths, labels)                     # doctest: +SKIP
    >>> cross_val_score(ta.ImageClassifier(), paths, labels, cv=5)        # doctest: +SKIP
    """

    def __init__(
        self,
        backbone: str = "lite0",
        engine: str = "auto",
        bands: str | None = None,
        head: str | None = None,
        search: int = 0,
        random_state: int = 0,
        cache: str | None = None,
    ) -> None:
        self.backbone = backbone
        self.engine = engine
        self.bands = bands
        self.head = head
        self.search = search
        self.random_state = random_state
        self.cache = cache

    def fit(self, X: Any, y: ArrayLike, groups: Sequence[Any] | None = None) -> Self:
        """Fit on pictures X with labels y [n], of any type that sorts; groups [n] stay together.

        Raises InputError where a picture cannot be read (naming it) or the labels do not fit.
        """
        pictures = self._pictures(X)
        classes, codes = _coded(y, len(pictures))
        seed = _seed(self.random_state)
        if groups is not None and len(groups) != len(pictures):
            raise InputError(f"groups holds {len(groups):,} values for {len(pictures):,} pictures")
        with _opened(self) as network:
            recipe, _, _, cache = network
            seen = _embed(pictures, network)
            together = components(len(pictures), seen.ids, *([] if groups is None else [groups]))
            probe, _ = fit_probe(
                seen.features, codes, len(classes), together, seen.ids,
                seed=seed, cache=cache, progress=Progress(), pca=recipe[0].backbone.components or 0,
                head=self.head, trials=self.search,
            )  # fmt: skip
        self.classes_ = classes
        self.head_ = probe.head
        self.choices_ = probe.choices
        self.weights_digest_ = _weights_of(recipe)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return calibrated probabilities float32 [n, k], in the order of `classes_`."""
        check_is_fitted(self)
        with _opened(self) as network:
            self._check_weights(network[0])
            features = _embed(self._pictures(X), network).features
        return self.head_.probabilities(features)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest class of each picture, [n], of the labels' type."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def _check_weights(self, recipe: Recipe) -> None:
        here = _weights_of(recipe)
        if here != self.weights_digest_:
            raise ModelError(
                f"this classifier was fitted on features of other weights of {self.backbone}"
                f" ({self.weights_digest_[:8]}) than those installed here ({here[:8]}): fit it"
                " again"
            )

    def _pictures(self, X: Any) -> Pictures:
        return pictures_of(X)

    def __sklearn_tags__(self) -> Tags:
        return _picture_tags(super().__sklearn_tags__())


def pictures_of(X: Any) -> Pictures:
    """Return X as a sequence of pictures, or raise InputError saying what it should have been."""
    if isinstance(X, str | bytes | os.PathLike):
        raise InputError(f"X is one picture, where a list of pictures is needed: [{_shown(X)}]")
    if hasattr(X, "iloc") or hasattr(X, "to_list"):  # a column of pandas or polars
        X = np.asarray(X, dtype=object)
    if isinstance(X, np.ndarray) and X.ndim != 1 and not _is_pixels(X, 4):
        raise InputError(
            f"X is an array {X.dtype} {list(X.shape)}: pictures are a flat list of paths, of bytes"
            " or of arrays uint8 [h, w, 3], or one array uint8 [n, h, w, 3]"
        )
    if isinstance(X, np.ndarray) and X.dtype.kind == "S":
        raise InputError(
            f"X is an array {X.dtype}, in which numpy drops zero bytes at the end: use a list of"
            " bytes, or dtype=object"
        )
    if not isinstance(X, Sequence | np.ndarray):
        raise InputError(f"X is a {type(X).__name__}: a list of pictures is needed")
    if len(X) == 0:
        raise InputError("X holds no picture")
    for row, one in enumerate(X):
        _check_kind(one, row)
    return X


def _is_pixels(value: NDArray[Any], dimensions: int) -> bool:
    return (
        value.dtype == np.uint8
        and value.ndim == dimensions
        and value.shape[-1] == 3
        and 0 not in value.shape
    )


def _check_kind(one: Any, row: int) -> None:
    if isinstance(one, np.ndarray):
        if not _is_pixels(one, 3):
            raise InputError(
                f"picture {row} of X is an array {one.dtype} {list(one.shape)}: uint8 [h, w, 3]"
                " is needed (pixel values 0 to 255, red, green, blue)"
            )
    elif not isinstance(one, str | bytes | os.PathLike | FileSource | RowSource):
        raise InputError(
            f"picture {row} of X is a {type(one).__name__} ({_shown(one)}): a path, a file's bytes"
            " or an array uint8 [h, w, 3] is needed"
        )


def _source_of(one: Any) -> Source | MemorySource:
    if isinstance(one, np.ndarray):  # as a file without loss, so that it is decoded like any other
        head = f"P6\n{one.shape[1]} {one.shape[0]}\n255\n".encode()
        return MemorySource(head + np.ascontiguousarray(one).tobytes())
    if isinstance(one, bytes):
        return MemorySource(one)
    if isinstance(one, FileSource | RowSource):
        return one
    return FileSource(os.path.abspath(os.fspath(one)))  # noqa: PTH100  (a Path a picture costs)


@contextmanager
def _opened(estimator: ImageEmbedder | ImageClassifier) -> Iterator[Open]:
    """Open what an estimator's parameters name, for one call."""
    with open_cache(estimator.cache) as cache:
        recipe = _recipe_of(estimator, cache)
        engines = {
            one: open_engine(one, estimator.engine, cache)
            for one in dict.fromkeys(part.backbone for part in recipe)
        }
        yield recipe, engines, Decoding(_bands_of(estimator)), cache


def _recipe_of(estimator: ImageEmbedder | ImageClassifier, kept: Cache) -> Recipe:
    """Return the parts of the features: those that need nothing of the pictures."""
    bands = _bands_of(estimator)
    asked = Asked(estimator.backbone, bands=len(bands) if bands else 3)
    recipe = candidates(asked, kept)[0].recipe
    if recipe[0].backbone.components and isinstance(estimator, ImageEmbedder):
        raise OptionError(
            f"backbone={estimator.backbone!r}: its components are fitted together with a"
            f" classifier: use ImageClassifier({estimator.backbone!r})"
        )
    return recipe


def _bands_of(estimator: ImageEmbedder | ImageClassifier) -> tuple[str, ...] | None:
    return None if estimator.bands is None else parse_bands(estimator.bands)


def _weights_of(recipe: Recipe) -> str:
    """Return the digests of the networks' weights, each once."""
    return "+".join(dict.fromkeys(part.backbone.weights_digest for part in recipe))


def _embed(pictures: Pictures, network: Open) -> Vectors:
    """Return the vectors of all pictures; raises InputError naming the first that has none."""
    recipe, engines, decoding, cache = network
    ids: list[str] = []
    parts = []
    for start in range(0, len(pictures), AT_ONCE):
        some = pictures[start : start + AT_ONCE]
        found = embed_kept([_source_of(one) for one in some], recipe, engines, decoding, cache)
        for row, problem in found.problems.items():
            raise InputError(
                f"picture {start + row} of X ({_shown(some[row])}) cannot be used: {problem};"
                " take it out of X and y"
            )
        ids += found.ids
        parts.append(found.features)
    return Vectors(tuple(ids), np.concatenate(parts), {})


def _coded(y: ArrayLike, n: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the sorted classes [k] and each label's code [n]."""
    if y is None:
        raise InputError("y is None: a classifier requires y to be passed, one label a picture")
    try:
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
    except (ValueError, TypeError) as problem:
        raise InputError(f"y cannot be used as labels: {problem}") from problem
    if len(labels) != n:
        raise InputError(f"X holds {n:,} pictures and y {len(labels):,} labels")
    if len(classes) < 2:
        raise InputError(f"y holds one class only ({classes[0]}): a classifier needs two or more")
    return classes, codes


def _seed(value: Any) -> int:
    if not isinstance(value, int | np.integer) or value < 0:
        raise OptionError(f"random_state is {value!r}: a whole number of 0 or more is needed")
    return int(value)


def _picture_tags(tags: Tags) -> Tags:
    tags.input_tags.one_d_array = True
    tags.input_tags.two_d_array = False
    tags.input_tags.string = True
    tags.input_tags.categorical = False
    tags.no_validation = True
    tags.requires_fit = tags.estimator_type == "classifier"
    return tags


def _shown(one: Any) -> str:
    if isinstance(one, bytes):
        return f"{len(one):,} bytes"
    text = repr(one) if isinstance(one, str) else str(one)
    return text if len(text) <= 120 else f"{text[:117]}..."


__all__ = ["ImageClassifier", "ImageEmbedder", "InputError"]
