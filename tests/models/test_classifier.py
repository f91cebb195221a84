import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tellapart as ta
from tellapart.errors import OptionError


@pytest.fixture(scope="module")
def classifier(finished: Path) -> ta.Classifier:
    return ta.load(finished)


def test_evaluation_pictures_are_predicted_as_in_the_run_to_the_bit(
    classifier: ta.Classifier, finished: Path, shapes: Path
) -> None:
    stored = pl.read_parquet(finished / "predictions.parquet")
    found = classifier.predict_proba([shapes / path for path in stored["path"]])
    assert found.dtype == np.float32
    columns = [f"p:{name}" for name in classifier.classes]
    assert np.array_equal(found, stored.select(columns).to_numpy().astype(np.float32))
    alone = np.concatenate([classifier.predict_proba([shapes / path]) for path in stored["path"]])
    assert np.array_equal(alone, found)


def test_predictions_come_in_order_with_everything_said(
    classifier: ta.Classifier, shapes: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_text("no picture")
    pictures = sorted(shapes.glob("*/*.png"))[::9]
    paths = [*pictures, tmp_path / "broken.png", tmp_path / "gone.png", *pictures[:1]]
    found = classifier.predict(paths)
    assert [one.path for one in found] == [str(path) for path in paths]
    for one in found[: len(pictures)]:
        assert one.problem is None
        assert list(one.probabilities) == list(classifier.classes)
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert one.predicted is not None
        assert one.probability == one.probabilities[one.predicted]
        assert one.probability == max(one.probabilities.values())
    broken, gone = found[-3:-1]
    assert "no picture format is known" in str(broken.problem)
    assert "No such file" in str(gone.problem) or "no such file" in str(gone.problem)
    assert (broken.predicted, broken.probability, dict(broken.probabilities)) == (None, None, {})
    assert found[-1] == found[0]
    rows = classifier.predict_proba(paths)
    assert np.isnan(rows[-3:-1]).all()
    assert np.isfinite(rows[:-3]).all()


def test_an_operating_point_goes_with_the_views_that_it_was_chosen_on(
    classifier: ta.Classifier,
) -> None:
    picked = replace(classifier, operating={"name": "boxes", "threshold": 0.25})
    assert picked.with_views(1) == picked
    line = (
        "--tta 2 cannot go with this model, which answers 'boxes' from 0.25 on: that was chosen on"
        " probabilities of 1 view; leave --tta out"
    )
    with pytest.raises(OptionError, match=re.escape(line)):
        picked.with_views(2)
    averaged = replace(classifier.with_views(3), operating={"name": "boxes", "threshold": 0.25})
    assert averaged.with_views(3) == averaged
    with pytest.raises(OptionError, match="chosen on probabilities of 3 views; leave --tta out"):
        averaged.with_views(1)


def test_the_number_of_threads_changes_no_bit(classifier: ta.Classifier, shapes: Path) -> None:
    from tellapart.data.pictures import FileSource

    sources = [FileSource(str(one)) for one in sorted(shapes.glob("*/*.png"))]

    def rows(threads: int) -> np.ndarray:
        answers = sorted(classifier.predict_sources(sources, threads=threads), key=lambda a: a.row)
        return np.array([one.probabilities for one in answers])

    assert np.array_equal(rows(1), rows(4))


def test_nothing_to_predict_is_no_error(classifier: ta.Classifier) -> None:
    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0, 3)


def test_one_path_instead_of_a_list_is_refused(classifier: ta.Classifier) -> None:
    with pytest.raises(OptionError, match=r"takes a list of paths.* write \['x.jpg'\]"):
        classifier.predict("x.jpg")
    with pytest.raises(OptionError, match="takes a list of paths"):
        classifier.predict_proba(Path("x.jpg"))  # type: ignore[arg-type]


def test_it_shows_itself_in_a_notebook(classifier: ta.Classifier, shapes: Path) -> None:
    page = classifier._repr_html_()
    assert "boxes, dots, lines" in page
    assert "lite0 (Apache-2.0)" in page
    assert "test pictures" in page
    good, bad = classifier.predict([next(shapes.glob("*/*.png")), "gone<b>.png"])
    assert "<td>" in good._repr_html_()
    assert "gone&lt;b&gt;.png" in bad._repr_html_()
