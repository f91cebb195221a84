import json

import numpy as np
import polars as pl
import pytest

from tellapart.errors import OutputError
from tellapart.evaluation.evaluate import evaluate
from tellapart.evaluation.export import (
    predictions_table,
    predictions_text,
    to_metrics_json,
    write_predictions,
)
from tellapart.places import json_text

CLASSES = ("ants", "</script>", "=1+1")
SHARES = np.array([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25], [0.1, 0.1, 0.8]], np.float32)


def table():
    return predictions_table(
        paths=["a b.jpg", "über/x\ny.jpg", "c.jpg"],
        ids=["1", "2", "3"],
        labels=["ants", "=1+1", None],
        splits=["test"] * 3,
        probabilities=SHARES,
        classes=CLASSES,
    )


def test_table_has_the_columns_of_the_design():
    made = table()
    assert made.columns == [
        "path", "id", "label", "predicted", "p:ants", "p:</script>", "p:=1+1", "split",
    ]  # fmt: skip
    assert made["predicted"].to_list() == ["ants", "</script>", "=1+1"]
    assert (made.select(pl.selectors.starts_with("p:")).to_numpy() == SHARES).all()
    assert made["label"].to_list() == ["ants", "=1+1", None]


def test_text_holds_one_line_a_picture():
    lines = predictions_text(table()).decode().splitlines()
    assert lines == [
        "0.700000 0.200000 0.100000  1 0 0  1 0 0  a b.jpg",
        "0.250000 0.500000 0.250000  0 0 1  0 1 0  über/x%0Ay.jpg",
        "0.100000 0.100000 0.800000  0 0 0  0 0 1  c.jpg",
    ]


def test_written_files_read_back(tmp_path):
    write_predictions(tmp_path, table())
    assert pl.read_parquet(tmp_path / "predictions.parquet").equals(table())
    assert (tmp_path / "predictions.txt").read_bytes() == predictions_text(table())
    with pytest.raises(OutputError, match="cannot write"):
        write_predictions(tmp_path / "nowhere", table())


def test_metrics_json_has_the_fields_of_the_design():
    truth = np.array([0, 0, 2])
    found = evaluate(SHARES, truth, classes=CLASSES, components=None, baseline_class="ants")
    made = json.loads(json_text(to_metrics_json(found, "test")))  # no NaN, or this raises
    assert made["headline_split"] == "test"
    assert made["headline"]["name"] == "balanced_accuracy"
    assert made["headline"]["value"] == pytest.approx(0.75)
    assert made["headline"]["pictures"] == 3
    assert made["headline"]["low"] < 0.75 < made["headline"]["high"]
    assert {"accuracy", "macro_f1", "log_loss", "ece"} <= set(made["metrics"])
    assert {"value", "low", "high"} <= set(made["metrics"]["accuracy"])
    assert made["baseline"] == {"class": "ants", "accuracy": pytest.approx(2 / 3)}
    assert made["confusion"] == {
        "classes": list(CLASSES),
        "counts": [[1, 1, 0], [0, 0, 0], [0, 0, 1]],
    }
    empty = made["per_class"][1]
    assert (empty["class"], empty["pictures"], empty["recall"]["value"]) == ("</script>", 0, None)
    assert {"precision", "recall", "f1", "accuracy"} <= set(empty)
    assert made["missing_classes"] == ["</script>"]
    assert {one["kind"] for one in made["curves"]} == {"roc", "precision_recall", "calibration"}
