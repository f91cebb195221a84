"""The curves of a fine-tuning on the page."""

from __future__ import annotations

from tellapart.finetuning.records import Epoch, History
from tellapart.reports.histories import histories


def history(name, epochs, held):
    return History(
        name, tuple(Epoch(n, n, 1e-3, 1 / n, 0.5 if held else None, 0.9 if held else None)
                    for n in range(1, epochs + 1))
    )  # fmt: skip


def test_three_charts_with_every_training_and_epoch():
    figures = histories([history("fold 1", 3, True), history("all", 3, False)])
    assert [one.name for one in figures] == ["history-loss", "history-accuracy", "history-rate"]
    loss, accuracy, rate = (one.spec["datasets"]["rows"] for one in figures)
    assert (len(loss), len(accuracy), len(rate)) == (9, 3, 6)
    assert {row["training"] for row in loss} == {
        "fold 1 learned from", "fold 1 held out", "all learned from",
    }  # fmt: skip


def test_nothing_is_drawn_of_one_epoch():
    assert histories([history("all", 1, False)]) == []
    assert histories([]) == []
