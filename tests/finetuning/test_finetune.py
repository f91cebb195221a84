"""Fine-tuning as a whole, on a small network: what it leaves, and that a kill costs an epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tellapart.advice.outlook import Outlook
from tellapart.advice.records import Guess
from tellapart.errors import OptionError, OutputError
from tellapart.finetuning import held, training
from tellapart.finetuning.bench import make_bench, recipe_of
from tellapart.finetuning.blending import Gain
from tellapart.finetuning.export import weights_of
from tellapart.finetuning.finetune import finetune, look_for_rate
from tellapart.finetuning.records import Tuned
from tellapart.progress import Progress

FREEZES = {"kept outputs": 0.5, "pixels": 0.0}


class Killed(Exception):
    pass


def kill_at(monkeypatch, number: int) -> None:
    """Let the process die when the checkpoints of the epoch `number` (from 1) are due."""
    save, count = training.save_checkpoint, [0]

    def once(trainer, folder, names):
        count[0] += 1
        if count[0] == number:
            raise Killed
        save(trainer, folder, names)

    monkeypatch.setattr("tellapart.finetuning.module.save_checkpoint", once)


def same(first: Tuned, second: Tuned) -> None:
    assert first.alpha == second.alpha
    assert first.mixes == second.mixes
    assert first.histories == second.histories
    assert np.array_equal(first.head.weights, second.head.weights)
    assert all(np.array_equal(first.weights[name], one) for name, one in second.weights.items())


@pytest.mark.parametrize("freeze", FREEZES.values(), ids=FREEZES)
def test_it_learns_and_leaves_a_network_and_what_chose_it(question, freeze):
    asked = question(freeze=freeze, alphas=(0.5, 1.0), rate=3e-3, epochs=3)
    found = finetune(asked, Progress())
    assert found.alpha in (0.5, 1.0)
    assert [one.name for one in found.histories] == ["fold 1", "fold 2", "fold 3"]
    for history in found.histories:
        assert [one.number for one in history.epochs] == [1, 2, 3]
        assert history.epochs[-1].train_loss < history.epochs[0].train_loss
        assert all(one.held_loss is not None for one in history.epochs)
    assert {one.alpha for one in found.mixes} == {0.5, 1.0}
    start = weights_of(asked.backbone.torch_module())
    changed = {name for name, one in found.weights.items() if not np.array_equal(one, start[name])}
    assert changed
    assert any(name.startswith("0.") for name in changed) == (freeze == 0)
    assert not any("running" in name for name in changed)  # batch norm's statistics are frozen
    assert found.backbone.weights_digest != asked.backbone.weights_digest
    assert found.head.weights.shape == (24, 3)


def test_the_weights_are_the_mean_of_the_trainings_that_were_judged(question):
    asked = question(alphas=(0.5, 0.6), rate=3e-3, folds=2)
    found = finetune(asked, Progress())
    start = weights_of(asked.backbone.torch_module())
    states = [load_file(asked.folder / f"fold-{fold}" / "state.safetensors") for fold in (1, 2)]
    for name, one in start.items():
        key = f"network.{name}"
        if key in states[0] and one.dtype == np.float32:
            mean = (states[0][key] + states[1][key]) / 2
            mixed = one + found.alpha * (mean - one)
            np.testing.assert_allclose(found.weights[name], mixed, rtol=1e-5, atol=1e-7)
    assert not np.array_equal(states[0]["head.weight"], states[1]["head.weight"])
    chosen = {one["what"]: one["chosen"] for one in found.choices}
    assert chosen["weights"] == "the mean of 2 trainings"


def test_a_class_of_one_picture_is_known_to_the_mean(question):
    asked = question(alphas=(0.5, 0.6), epochs=3, rate=3e-3, folds=2)
    examples, start = asked.examples, asked.start
    last = np.flatnonzero(examples.labels == 2)[1:]
    rows = np.setdiff1d(np.arange(len(examples.labels)), last)
    few = replace(
        examples,
        sources=[examples.sources[row] for row in rows],
        ids=[examples.ids[row] for row in rows],
        labels=examples.labels[rows],
        features=examples.features[rows],
        components=np.arange(len(rows)),
    )

    def fit_head(part):
        seen = np.isin(np.arange(3), few.labels[part])
        return replace(start, bias=np.where(seen, start.bias, -np.inf).astype(np.float32))

    found = finetune(replace(asked, examples=few, fit_head=fit_head), Progress())
    assert [one.name for one in found.histories] == ["fold 1", "fold 2"]
    assert (found.head.bias > -100).all()


def test_a_mean_that_is_no_model_is_not_taken(question, monkeypatch):
    monkeypatch.setattr("tellapart.finetuning.weights.APART", 0.5)  # as if they were far apart
    progress = Progress()
    found = finetune(question(alphas=(0.5, 1.0), epochs=1), progress)
    assert [one.name for one in found.histories] == ["fold 1", "fold 2", "fold 3", "all"]
    assert any("the trainings lie too far apart" in line for line in progress.lines)
    assert "weights" not in {one["what"] for one in found.choices}


def test_without_time_for_a_last_training_the_first_is_kept(question, monkeypatch):
    monkeypatch.setattr("tellapart.finetuning.weights.APART", 0.5)
    asked = []

    def is_past(bench, seconds):
        asked.append(seconds)
        return len(asked) > 1  # there is time for the folds, then no more

    for module in ("finetune", "weights"):
        monkeypatch.setattr(f"tellapart.finetuning.{module}.is_past", is_past)
    asked_of = question(alphas=(0.5, 1.0), epochs=1, imbalance="none")
    found = finetune(asked_of, Progress())
    assert [one.name for one in found.histories] == ["fold 1", "fold 2", "fold 3"]
    assert held.load(asked_of.folder).files == {"epoch-1": ("fold-1/last.ckpt",)}


def test_networks_that_began_at_random_are_not_averaged(question):
    found = finetune(question(mode="scratch", alphas=(0.5, 1.0), epochs=1, folds=2), Progress())
    assert found.histories[-1].name == "all"


def test_alpha_0_keeps_the_probe(question):
    asked = question(alphas=(0.0,), epochs=1)
    found = finetune(asked, Progress())
    assert (found.backbone, found.head, found.alpha) == (None, None, 0.0)
    assert "the probe is kept" in found.words[0]
    assert held.load(asked.folder).files == {}


def test_classic_trains_a_new_head_alone(question):
    asked = question(recipe="classic", alphas=None, epochs=2)
    found = finetune(asked, Progress())
    assert found.backbone is asked.backbone
    assert [one.name for one in found.histories] == ["fold 1", "all"]
    assert not np.array_equal(found.head.weights, asked.start.weights)


def test_scratch_forgets_the_weights_and_learns_batch_norms_statistics(question):
    asked = question(mode="scratch", alphas=None, epochs=1)
    found = finetune(asked, Progress())
    start = weights_of(asked.backbone.torch_module())
    assert not np.allclose(found.weights["1.0.0.weight"], start["1.0.0.weight"], atol=0.02)
    assert not np.allclose(found.weights["1.0.1.running_mean"], start["1.0.1.running_mean"])


def test_the_same_whatever_the_order_of_the_pictures(question):
    asked = question(epochs=1, alphas=(1.0,))
    rows = np.random.default_rng(1).permutation(len(asked.examples.ids))
    examples = replace(
        asked.examples,
        sources=[asked.examples.sources[row] for row in rows],
        ids=[asked.examples.ids[row] for row in rows],
        labels=asked.examples.labels[rows],
        features=asked.examples.features[rows],
        components=asked.examples.components[rows],
    ).sorted()
    again = replace(asked, examples=examples, folder=asked.folder / "again")
    same(finetune(asked, Progress()), finetune(again, Progress()))


@pytest.mark.parametrize(("number", "ema"), [(1, 0.0), (3, 0.9), (5, 0.0), (6, 0.9)])
def test_a_killed_training_goes_on_to_the_same_end(question, tmp_path, monkeypatch, number, ema):
    changes = {"alphas": (0.0, 1.0), "rate": 1e-3, "epochs": 3, "mixup": 0.2, "ema": ema}
    changes |= {"alphas": (0.5, 1.0), "folds": 2, "freeze": 0.5}
    whole = finetune(question(tmp_path / "whole", **changes), Progress())
    with monkeypatch.context() as patch:
        kill_at(patch, number)
        with pytest.raises(Killed):
            finetune(question(tmp_path / "killed", **changes), Progress())
    progress = Progress()
    again = finetune(question(tmp_path / "killed", resume=True, **changes), progress)
    same(whole, again)
    first, second = held.load(tmp_path / "whole"), held.load(tmp_path / "killed")
    assert set(first.scores) == {"kept", "epoch-3"}
    for name, one in first.scores.items():
        assert np.array_equal(one, second.scores[name])
    if number > 2:
        went_on = [line for line in progress.lines if "goes on after epoch" in line]
        trained = [line for line in progress.lines if ", epoch " in line]
        assert went_on or len(trained) < 9


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"epochs": 4}, "epochs was 2, is 4"), ({"batch": 4}, "batch was 8, is 4")],
)
def test_resuming_with_another_recipe_is_refused_and_told_apart(question, changes, words):
    finetune(question(alphas=(1.0,)), Progress())
    with pytest.raises(OptionError, match=words):
        finetune(question(alphas=(1.0,), resume=True, **changes), Progress())


def test_resuming_with_other_pictures_is_refused(question):
    asked = question(alphas=(1.0,), resume=True)
    finetune(asked, Progress())
    other = replace(asked.examples, ids=["0" * 32, *asked.examples.ids[1:]])
    with pytest.raises(OptionError, match=r"same data and recipe only: pictures was"):
        finetune(replace(asked, examples=other), Progress())
    together = asked.examples.components.copy()
    together[1] = together[0]
    other = replace(asked.examples, components=together)
    with pytest.raises(OptionError, match=r"same data and recipe only: pictures was"):
        finetune(replace(asked, examples=other), Progress())


def test_resuming_with_pictures_shown_in_another_way_is_refused(question):
    asked = question(alphas=(1.0,), resume=True)
    finetune(asked, Progress())
    shown = replace(asked.backbone.transform, mean=(1.0, 2.0, 3.0))
    backbone = replace(asked.backbone, transform=shown)
    with pytest.raises(OptionError, match=r"same data and recipe only: input was"):
        finetune(replace(asked, backbone=backbone), Progress())


def test_a_loss_that_is_no_number_ends_with_the_last_good_weights(question, monkeypatch):
    from tellapart.finetuning import losses

    plain, count = losses.Loss.__call__, [0]

    def spoilt(self, logits, targets):
        count[0] += 1
        value = plain(self, logits, targets)
        return value * float("nan") if count[0] == 6 else value  # 3 steps an epoch

    monkeypatch.setattr(losses.Loss, "__call__", spoilt)
    progress = Progress()
    found = finetune(question(alphas=(1.0,), epochs=3, rate=1e-3), progress)
    stopped = found.histories[0].stopped
    assert "the loss was no number at step" in stopped
    assert "at a learning rate of" in stopped
    assert len(found.histories[0].epochs) == 1
    assert all(np.isfinite(one).all() for one in found.weights.values())


def test_no_space_for_a_checkpoint_leaves_the_last_good_one(question, monkeypatch):
    asked = question(alphas=(1.0,), epochs=3)
    import lightning.pytorch as lightning

    save, count = lightning.Trainer.save_checkpoint, [0]

    def full(self, path, *_, **__):
        count[0] += 1
        if count[0] > 2:
            raise OSError(28, "No space left on device")
        save(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(lightning.Trainer, "save_checkpoint", full)
        with pytest.raises(OutputError, match=r"cannot write the checkpoint .*the last good one"):
            finetune(asked, Progress())
    assert (asked.folder / "fold-1" / "last.ckpt").is_file()
    assert not list(asked.folder.rglob("*.partial"))
    progress = Progress()
    finetune(question(alphas=(1.0,), epochs=3, resume=True), progress)
    assert any("fold 1: goes on after epoch" in line for line in progress.lines)


def test_the_best_checkpoint_is_that_of_the_epoch_with_the_least_held_out_loss(question):
    asked = question(alphas=(0.5, 1.0), epochs=3, rate=3e-2, save_every=2)
    history = finetune(asked, Progress()).histories[0]
    losses = [one.held_loss for one in history.epochs]
    folder = asked.folder / "fold-1"
    best = torch.load(folder / "best.ckpt", weights_only=True)["tellapart"][-1]["number"]
    assert best == 1 + losses.index(min(losses))
    assert {one.name for one in folder.glob("*.ckpt")} == {
        "best.ckpt", "last.ckpt", "epoch-002.ckpt"
    }  # fmt: skip


def test_one_of_several_processes_names_the_checkpoints(tmp_path):
    class Second:
        is_global_zero = False

        def save_checkpoint(self, path):
            assert path == tmp_path / ".last.ckpt.partial"

    training.save_checkpoint(Second(), tmp_path, ["best.ckpt", "last.ckpt"])
    assert not list(tmp_path.iterdir())


def too_large_for_memory(monkeypatch, most: int) -> None:
    """Let a batch of more than `most` pictures not fit, from the second one on."""
    from tellapart.finetuning import losses

    plain, count = losses.Loss.__call__, [0]

    def full(self, logits, targets):
        count[0] += 1
        if len(targets) > most and count[0] % 2 == 0:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, logits, targets)

    monkeypatch.setattr(losses.Loss, "__call__", full)


def test_a_gpu_without_enough_memory_is_told_what_to_lower(question, monkeypatch):
    too_large_for_memory(monkeypatch, 4)
    with pytest.raises(OptionError) as caught:
        finetune(question(alphas=(1.0,)), Progress())
    assert str(caught.value) == (
        "the GPU's memory does not hold 8 pictures of 32 px: give a smaller --batch (and"
        " --accumulate to keep its effect, or --auto-batch for both) or a smaller --size"
    )


def test_the_range_test_says_what_to_lower_too_or_halves(question, monkeypatch, tmp_path):
    too_large_for_memory(monkeypatch, 4)
    with pytest.raises(OptionError, match=r"^the GPU's memory does not hold 8 pictures of 32 px"):
        look_for_rate(question(tmp_path / "a"), Progress())
    progress = Progress()
    curve, _ = look_for_rate(question(tmp_path / "b", auto_batch=True), progress)
    assert curve is not None
    assert any("4 at once are tried, and 2 such batches" in line for line in progress.lines)


def test_auto_batch_halves_and_keeps_the_effective_batch(question, monkeypatch, tmp_path):
    changes = {"alphas": (1.0,), "rate": 1e-3}
    by_hand = finetune(question(tmp_path / "a", batch=2, accumulate=4, **changes), Progress())
    too_large_for_memory(monkeypatch, 2)
    progress = Progress()
    found = finetune(question(tmp_path / "b", auto_batch=True, **changes), progress)
    same(by_hand, found)
    told = [line for line in progress.lines if line.startswith("fold 1: the GPU's memory")]
    assert told == [
        "fold 1: the GPU's memory does not hold 8 pictures of 32 px: 4 at once are tried, and 2"
        " such batches added up",
        "fold 1: the GPU's memory does not hold 4 pictures of 32 px: 2 at once are tried, and 4"
        " such batches added up",
    ]


def test_a_frozen_half_that_memory_does_not_hold(question, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("tellapart.finetuning.bench.make_store", full)
    with pytest.raises(OptionError, match=r"16 images of 32 px: give a smaller --size or --im"):
        finetune(question(), Progress())


def test_patience_stops_and_takes_the_best_epoch(question):
    asked = question(alphas=(1.0,), epochs=12, patience=1, rate=0.3, clip=0.0, freeze=0.0)
    first = finetune(asked, Progress()).histories[0]
    assert len(first.epochs) < 12
    assert "no progress in 1 epoch" in first.stopped


def test_checkpoints_are_kept_as_asked(question):
    asked = question(alphas=(1.0,), epochs=3, save_every=2)
    finetune(asked, Progress())
    stored = held.load(asked.folder)
    assert stored.files == {"epoch-2": ("all/epoch-002.ckpt",), "epoch-3": ("all/last.ckpt",)}
    assert not stored.crossed
    np.testing.assert_allclose(stored.scores["epoch-3"], stored.scores["kept"], atol=1e-5)
    assert not np.allclose(stored.scores["epoch-2"], stored.scores["kept"], atol=1e-5)
    there = {one.name for one in (asked.folder / "all").iterdir()}
    assert there >= {"epoch-002.ckpt", "last.ckpt"}
    assert "epoch-003.ckpt" not in there


def test_openvino_gives_what_torch_gives(question):
    from tellapart.optional import import_openvino

    asked = question(alphas=(1.0,), epochs=1, rate=1e-2)
    found = finetune(asked, Progress()).backbone
    model = (
        import_openvino()
        .Core()
        .compile_model(found.build(), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    )
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    scaled = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.5) / 127.5
    with torch.no_grad():
        expected = found.torch_module()(scaled).numpy()
        before = asked.backbone.torch_module()(scaled).numpy()
    np.testing.assert_allclose(model([pixels])[0], expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(before, expected, rtol=1e-3)


def test_auto_keeps_the_probe_where_nothing_can_be_gained(question):
    few = finetune(question(mode="auto"), Progress())
    assert "36 training pictures are too few to tell" in few.words[0]
    assert few.histories == ()


def outlook(score: float = 0.8, doubling: float = 0.01) -> Outlook:
    return Outlook(
        Guess(score, score - 0.02, score + 0.02), Guess(doubling, doubling - 0.01, doubling + 0.01)
    )


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (outlook(0.996), "right on 99.6% (97.6 to 101.6 %) out of fold, which leaves nothing to"),
        (outlook(0.98, 0.0), "even twice the pictures would bring +0.0 points, -1.0 to 1.0: there"),
        (outlook(0.98), ""),
        (outlook(0.9, 0.0), ""),
    ],
    ids=["score", "learning curve", "a curve that rises", "a score with room"],
)
def test_auto_looks_at_the_score_and_the_learning_curve_first(question, monkeypatch, seen, words):
    monkeypatch.setattr("tellapart.finetuning.words.TOO_FEW", 10)
    progress = Progress()
    found = finetune(replace(question(mode="auto", epochs=1), outlook=seen), progress)
    assert bool(found.histories) == (not words)
    if words:
        assert words in found.words[0]
    else:
        assert progress.lines[0].startswith("fine-tuning is tried: the probe is right on 9")
        assert progress.lines[0].endswith("; a first training decides whether others follow")


def test_auto_takes_a_tie_for_the_cheaper(question, monkeypatch):
    monkeypatch.setattr("tellapart.finetuning.words.TOO_FEW", 10)
    monkeypatch.setattr("tellapart.finetuning.finetune.choose_alpha", lambda _: 0.5)
    tie, better = Gain(0.01, 0.02, 9, fair=True), Gain(0.03, 0.02, 9, fair=True)
    monkeypatch.setattr("tellapart.finetuning.finetune.gain", lambda *_: tie)
    asked = replace(question(mode="auto", rate=3e-3, epochs=3, freeze=0.0), outlook=outlook())
    found = finetune(asked, Progress())
    assert found.head is None
    assert (
        "+1.0 points of balanced accuracy out of fold are within one standard error (2.0)"
        in found.words[0]
    )
    monkeypatch.setattr("tellapart.finetuning.finetune.gain", lambda *_: better)
    other = finetune(replace(asked, folder=asked.folder / "other"), Progress())
    assert other.head is not None
    assert (
        "+3.0 points of balanced accuracy against the probe (standard error 2.0), on 9"
        in (other.words[0])
    )


def test_a_class_that_one_fold_holds_whole_takes_no_part_in_its_loss(question):
    asked = question(epochs=1, folds=2)
    components = asked.examples.components.copy()
    components[asked.examples.labels == 0] = components[asked.examples.labels == 0][0]
    asked = replace(asked, examples=replace(asked.examples, components=components))
    found = finetune(asked, Progress())
    assert all(one.loss < 20 for one in found.mixes)
    histories = [one for one in found.histories if one.name.startswith("fold")]
    assert len(histories) == 2
    assert all(epoch.held_loss < 20 for one in histories for epoch in one.epochs)


def test_the_pilot_chooses_the_rate_where_there_are_many_pictures(question, monkeypatch):
    monkeypatch.setattr("tellapart.finetuning.finetune.PILOT_FROM", 10)
    monkeypatch.setattr("tellapart.finetuning.finetune.PILOT_RATES", (3e-4, 3e-3))
    progress = Progress()
    finetune(question(alphas=(1.0,), epochs=1, freeze=0.0), progress)
    assert {line.split(",")[0] for line in progress.lines if ", epoch" in line} >= {
        "fold 1", "fold 1 at 0.003",
    }  # fmt: skip


def test_a_budget_that_is_used_up_ends_after_an_epoch_and_says_so(question):
    found = finetune(question(alphas=(0.5, 1.0), epochs=50, budget=1e-3), Progress())
    assert [one.name for one in found.histories] == ["fold 1"]
    assert found.histories[0].stopped == "the time budget was used up after epoch 1"
    assert found.head is not None


def test_memory_that_is_freed_on_a_cpu_is_kept(question, monkeypatch):
    kept = []
    monkeypatch.setattr("tellapart.finetuning.bench.keep_freed_pages", lambda: kept.append(True))
    monkeypatch.setattr("tellapart.finetuning.bench.torch_device", lambda: "cpu")
    asked = question(epochs=1)
    make_bench(asked, recipe_of(asked), Progress())
    assert kept
