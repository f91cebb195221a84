"""The classifier: transform + backbone + head + class names; what predicts, what is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import FileSource, Source
from tellapart.errors import OptionError, counted
from tellapart.images.transforms import Transform
from tellapart.images.views import Shown, first_views
from tellapart.settings import Decoding

if TYPE_CHECKING:
    from tellapart.engines import Engine
    from tellapart.features.parts import Ready
    from tellapart.heads.saved import Head


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one picture; `problem` is set, and the rest empty, where it cannot.

    probability is that of the predicted class; probabilities holds every class, in class order.
    """

    path: str
    predicted: str | None
    probability: float | None
    probabilities: Mapping[str, float]
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record that `predict --json` prints."""
        return {
            "path": self.path,
            "predicted": self.predicted,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "problem": self.problem,
        }

    def _repr_html_(self) -> str:
        from tellapart.html import table

        if self.problem:
            return table(("path", "problem"), [(self.path, self.problem)])
        best = sorted(self.probabilities.items(), key=lambda item: -item[1])[:5]
        return table((self.path, "probability"), [(name, f"{p:.3f}") for name, p in best])


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one source: float32 [k] probabilities, or the problem that there were none.

    row is the index into the sources given; id is "" where no bytes could be read.
    """

    row: int
    id: str
    probabilities: NDArray[np.float32] | None
    problem: str | None


@dataclass(frozen=True)
class ModelPart:
    """Some columns of the features: what one backbone says of some bands, the mean of its views.

    network   its file beside model.json ("network.xml", with the numbers in "network.bin"); None
              for classical features, which are computed
    features  number of columns
    bands     indices among the decoded bands, as many as the backbone takes
    views     keys of images.VIEWS
    """

    name: str
    weights_digest: str
    licence: str
    network: str | None
    transform: Transform
    bands: tuple[int, ...]
    views: tuple[str, ...]
    features: int

    def shown(self) -> tuple[Shown, ...]:
        """Return what the backbone is shown, an input a view."""
        return tuple(Shown(self.transform, self.bands, view) for view in self.views)


@dataclass(frozen=True)
class Classifier:
    """Predicts the class of pictures; get one from `tellapart.run(...)` or `tellapart.load(...)`.

    Examples
    --------
    >>> clf = tellapart.load("runs/ants")                          # doctest: +SKIP
    >>> clf.predict(["new/1.jpg"])[0].predicted                    # doctest: +SKIP
    'bees'
    """

    classes: tuple[str, ...]
    decoding: Decoding
    parts: tuple[ModelPart, ...]
    networks: Mapping[str, Path]  # the name of a part's network -> where its file is
    head: Head
    checked_with: Mapping[str, str]  # engine, version and precision that made the number
    headline: Mapping[str, Any] | None  # as in metrics.json, with "split"; None if never measured
    trained_on: frozenset[str]  # the first 16 hex digits of the ids of its training pictures
    card: Mapping[str, Any]  # what the model card tells beside all this
    weights: Mapping[str, NDArray[Any]] | None = None  # of a fine-tuned network, saved with it
    operating: Mapping[str, Any] | None = None  # OperatingPoint.to_json: from when on what is said
    tta: tuple[str, ...] = ()  # keys of images.VIEWS whose probabilities are averaged; (): none
    mirror: bool = True  # a mirrored picture is of the same class

    @property
    def backbone(self) -> str:
        """The backbones by name, joined with +; each once."""
        return "+".join(dict.fromkeys(part.name for part in self.parts))

    @property
    def licence(self) -> str:
        """The licences of the backbones' weights, each once."""
        return ", ".join(dict.fromkeys(part.licence for part in self.parts))

    @property
    def features(self) -> int:
        """Number of columns that the head takes."""
        return sum(part.features for part in self.parts)

    def open_parts(self, *, threads: int | None = None) -> list[Ready]:
        """Return the parts ready to embed, each network compiled once; about 0.1 s a network."""
        from tellapart.engines.openvino import load_network
        from tellapart.features.parts import Ready

        opened: dict[str, Engine] = {
            name: load_network(xml, threads=threads) for name, xml in self.networks.items()
        }
        by_view = [replace(part, views=(view,)) for view in self.tta for part in self.parts]
        return [
            Ready(part.shown(), opened[part.network] if part.network else _classical(part))
            for part in by_view or self.parts
        ]

    def predict_sources(
        self, sources: Sequence[Source], *, threads: int | None = None
    ) -> Iterator[Answer]:
        """Yield an answer a source, in whatever order they become known."""
        from tellapart.features.embed import embed

        if not sources:
            return
        parts = self.open_parts(threads=1 if len(sources) == 1 else threads)
        for one in embed(sources, parts, self.decoding, threads=threads):
            if one.vector is None:
                yield Answer(one.row, one.id, None, one.problem)
            else:
                yield Answer(one.row, one.id, self._probabilities(one.vector), None)

    def _probabilities(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 [k] for a picture's features, those of the views one after the other."""
        from tellapart.features.parts import mean_of

        views = vector.reshape(max(1, len(self.tta)), self.features)
        return np.asarray(mean_of(list(self.head.probabilities(views))), np.float32)

    def with_views(self, count: int) -> Classifier:
        """Return the classifier that averages the probabilities of `count` views of a picture.

        1 is the whole picture alone; raises OptionError where there are fewer views, or where the
        model has an operating point that was chosen on the probabilities of others.
        """
        if any(len(part.views) > 1 for part in self.parts):
            raise OptionError(
                "--tta cannot go with this model, which averages the features of"
                f" {len(self.parts[0].views)} views already"
            )
        views = first_views(count, mirror=self.mirror, option="--tta") if count != 1 else ()
        if self.operating is not None and views != self.tta:
            name, threshold = self.operating["name"], self.operating["threshold"]
            raise OptionError(
                f"--tta {count} cannot go with this model, which answers '{name}' from"
                f" {threshold:.3g} on: that was chosen on probabilities of"
                f" {counted(len(self.tta) or 1, 'view')}; leave --tta out"
            )
        return replace(self, tta=views)

    def predict(self, paths: Sequence[str | Path]) -> list[Prediction]:
        """Return one prediction a path, in order; a picture that cannot be read has a problem."""
        names, sources = _as_sources(paths)
        found: list[Prediction | None] = [None] * len(sources)
        for one in self.predict_sources(sources):
            found[one.row] = self.prediction(names[one.row], one.probabilities, one.problem)
        return [one for one in found if one is not None]

    def prediction(
        self, path: str, probabilities: NDArray[np.float32] | None, problem: str | None
    ) -> Prediction:
        """Return the record for one picture's probabilities float32 [k], or for its problem."""
        if probabilities is None:
            return Prediction(path, None, None, {}, problem or "no features")
        best = self.answer(probabilities)
        named = {name: float(p) for name, p in zip(self.classes, probabilities, strict=True)}
        return Prediction(path, self.classes[best], float(probabilities[best]), named)

    def answer(self, probabilities: NDArray[np.float32]) -> int:
        """Return the class that is answered for probabilities float32 [k].

        The likeliest; with an operating point its class wherever it reaches its threshold, and
        nowhere else.
        """
        if self.operating is None:
            return int(probabilities.argmax())
        name, threshold = self.operating["name"], self.operating["threshold"]
        own = self.classes.index(name)
        if probabilities[own] >= threshold:
            return own
        others = probabilities.copy()
        others[own] = -1.0
        return int(others.argmax())

    def predict_proba(self, paths: Sequence[str | Path]) -> NDArray[np.float32]:
        """Return probabilities float32 [n, classes]; rows of unreadable pictures are NaN."""
        _, sources = _as_sources(paths)
        out = np.full((len(sources), len(self.classes)), np.nan, np.float32)
        for one in self.predict_sources(sources):
            if one.probabilities is not None:
                out[one.row] = one.probabilities
        return out

    def save(self, folder: str | Path) -> Path:
        """Write the model folder (see DESIGN section 3) and return it; refuses what is not ours."""
        from tellapart.models.folder import save_classifier

        return save_classifier(self, Path(folder))

    def moved_to(self, folder: Path) -> Classifier:
        """Return the same classifier with its networks' files in a model folder."""
        return replace(self, networks={name: folder / name for name in self.networks})

    def _repr_html_(self) -> str:
        from tellapart.html import table

        rows = [
            ("classes", ", ".join(self.classes)),
            ("backbone", f"{self.backbone} ({self.licence})"),
            ("head", self.head.kind),
            *([("views", f"{len(self.tta)}, probabilities averaged")] if self.tta else []),
        ]
        if self.headline:
            rows.append((str(self.headline["name"]), headline_text(self.headline)))
        return table(("classifier", ""), rows)


def headline_text(headline: Mapping[str, Any]) -> str:
    """Return "0.954 (0.910 to 0.980), 153 val pictures" for a stored headline."""
    interval = ""
    if headline.get("low") is not None:
        interval = f" ({headline['low']:.3f} to {headline['high']:.3f})"
    pictures = f"{headline['pictures']:,} {headline['split']} pictures"
    if headline["split"] == "cv":
        pictures = f"{headline['pictures']:,} pictures in cross-validation"
    return f"{headline['value']:.3f}{interval}, {pictures}"


def _classical(part: ModelPart) -> Engine:
    from tellapart.backbones.classical import get_classical
    from tellapart.engines.classical import ClassicalEngine

    return ClassicalEngine(get_classical(part.name, part.transform.size, len(part.bands)))


def _as_sources(paths: Sequence[str | Path]) -> tuple[list[str], list[FileSource]]:
    if isinstance(paths, str | Path):
        raise OptionError(f"predict takes a list of paths, got one path: write [{str(paths)!r}]")
    names = [str(path) for path in paths]
    return names, [FileSource(str(Path(name).absolute())) for name in names]
