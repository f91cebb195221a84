"""TIFF and PNG with more bands than three: which become the picture, and what is said."""

from __future__ import annotations

import lzma
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from tellapart.images.decode import ImageProblem, decode
from tellapart.settings import Decoding

PLAIN = Decoding()
GEO_KEYS = (34735, 3, 4, (1, 1, 0, 0), True)


def whole(data: bytes, *bands: str):
    return decode(data, short_side=10_000, decoding=Decoding(bands=bands or None))


def pixels(data: bytes, *bands: str) -> np.ndarray:
    return np.asarray(whole(data, *bands).image)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 50, 8), np.uint8)


NAMED = ["chico_2018_9", "claremont_2016_55", "palm_springs_2016_92"]
UNNAMED = ["long_beach_2020_10", "palm_springs_2020_57", "riverside_2020_21"]


@pytest.mark.parametrize("name", NAMED + UNNAMED)
def test_aerial_tiles(test_data, name):
    """Half of them call near infrared alpha: it is neither composited nor dropped unsaid."""
    data = (test_data / "naip_tif" / f"{name}.tif").read_bytes()
    truth = tifffile.imread(test_data / "naip_tif" / f"{name}.tif")
    decoded = whole(data)
    assert decoded.bands == 4
    assert decoded.mode == ("RGBA" if name in NAMED else "RGB")
    assert decoded.note == "the first three of 4 bands"
    assert np.array_equal(np.asarray(decoded.image), truth[:, :, :3])
    assert np.array_equal(pixels(data, "N", "R", "G"), truth[:, :, [3, 0, 1]])
    assert np.array_equal(pixels(data, "4", "2", "1"), truth[:, :, [3, 1, 0]])
    assert whole(data, "R", "G", "B").note == ""


def test_near_infrared_that_a_png_calls_alpha(test_data):
    data = (test_data / "naip_4band" / "images" / "bishop_2020_0.png").read_bytes()
    truth = np.asarray(Image.open(test_data / "naip_4band" / "images" / "bishop_2020_0.png"))
    assert np.array_equal(pixels(data, "R", "G", "B"), truth[:, :, :3])
    assert np.array_equal(pixels(data, "N", "G", "B"), truth[:, :, [3, 1, 2]])
    assert not np.array_equal(pixels(data), truth[:, :, :3])  # alpha, as far as a PNG can tell


def test_reducing_keeps_bands_apart(make):
    """Pillow multiplies colours by alpha before it averages; a band is not alpha."""
    stored = Image.merge("RGBA", [Image.new("L", (80, 80), level) for level in (10, 20, 30, 0)])
    data = make.encoded(stored, "PNG")
    image = decode(data, short_side=20, decoding=Decoding(bands=("R", "G", "N"))).image
    assert image.size == (20, 20)
    assert np.asarray(image)[5, 5].tolist() == [10, 20, 0]


def test_missing_band(make):
    with pytest.raises(ImageProblem, match="band N was asked for, but the file has 3 bands") as one:
        whole(make.encoded(make.photo(), "JPEG"), "N", "R", "G")
    assert one.value.kind == "bands"
    with pytest.raises(ImageProblem, match="band 9 was asked for, but the file has 8 bands"):
        whole(make.tiff(np.zeros((9, 9, 8), np.uint8)), "9", "1", "1")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16"])
def test_gray_and_palette_have_red_green_and_blue_by_name(make, mode):
    stored = make.photo().convert("L")
    if mode == "I;16":
        stored = Image.fromarray(np.asarray(stored).astype(np.uint16) * 257)
    else:
        stored = stored.convert(mode)
    data = make.encoded(stored, "PNG")
    assert np.array_equal(pixels(data, "R", "G", "B"), pixels(data))


def test_bands_by_number_are_the_files_own(make):
    stored = make.photo().convert("LA")
    data = make.encoded(stored, "PNG")
    first, second = (np.asarray(band) for band in stored.split())
    assert np.array_equal(pixels(data, "1", "2", "1"), np.stack([first, second, first], axis=2))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_eight_bands(make, values, kind, planar):
    stored = values.astype(kind) * (257 if kind == np.uint16 else 1)
    stored[0, 0] = np.iinfo(np.uint16).max if kind == np.uint16 else 255
    expected = values.copy()
    expected[0, 0] = 255
    shaped = np.moveaxis(stored, 2, 0) if planar == "separate" else stored
    data = make.tiff(shaped, planarconfig=planar)
    decoded = whole(data)
    assert decoded.bands == 8
    assert decoded.mode == f"8 x {np.dtype(kind).name}"
    assert "the first three of 8 bands" in decoded.note
    assert np.array_equal(np.asarray(decoded.image), expected[:, :, :3])
    assert np.array_equal(pixels(data, "8", "4", "3"), expected[:, :, [7, 3, 2]])


def test_bands_are_scaled_together(make):
    stored = np.zeros((20, 20, 3), np.uint16)
    stored[:, :, 0], stored[:, :, 1] = 1000, 4000
    data = make.tiff(stored, photometric="rgb")
    assert pixels(data)[3, 3].tolist() == [62, 249, 0]
    assert whole(data).note == "values up to 4,000 read as 12 bits"


def test_alpha_of_a_plain_tiff_is_composited(make, values):
    """Only a picture that knows its place on earth has near infrared under alpha's name."""
    four = values[:, :, :4].copy()
    four[:, :, 3] = 0
    plain = make.tiff(four, photometric="rgb", extrasamples=["unassalpha"])
    aerial = make.tiff(four, photometric="rgb", extrasamples=["unassalpha"], extratags=[GEO_KEYS])
    assert (pixels(plain) == 255).all()
    assert np.array_equal(pixels(aerial), four[:, :, :3])
    assert np.array_equal(pixels(plain, "R", "G", "B"), four[:, :, :3])


def test_compression_that_only_pillow_unpacks(make, values):
    """LZW needs imagecodecs under tifffile; Pillow's own four bands serve where they are whole."""
    four = Image.fromarray(values[:, :, :4])
    data = make.encoded(four, "TIFF", compression="tiff_lzw")
    assert np.array_equal(pixels(data, "N", "R", "G"), values[:, :, [3, 0, 1]])


def test_compression_that_needs_imagecodecs_says_so(make, values, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", refuse)
    with pytest.raises(ImageProblem, match="pip install imagecodecs") as caught:
        whole(make.tiff(values))
    assert caught.value.kind == "missing_library"


@pytest.mark.parametrize("turn", [3, 6, 7])
def test_turned(make, values, turn):
    data = make.tiff(values, extratags=[(274, 3, 1, turn, True)])
    decoded = whole(data)
    upright = {
        3: values[::-1, ::-1],
        6: np.rot90(values, -1),
        7: np.rot90(values, 2).transpose(1, 0, 2),
    }
    assert np.array_equal(np.asarray(decoded.image), upright[turn][:, :, :3])
    assert decoded.exif_turn == turn
    assert (decoded.width, decoded.height) == decoded.image.size


@pytest.mark.parametrize(
    ("kind", "largest", "white"),
    [
        (np.uint32, 4e9, 4e9),
        (np.int16, 3e4, 65535),
        (np.float64, 1, 1),
        (np.float16, 1, 1),
    ],
)
def test_gray_of_rare_types(make, kind, largest, white):
    gray = pixels(make.tiff((make.ramp() * largest).astype(kind)))[:, :, 0]
    assert np.abs(gray - make.ramp() * 255 * largest / white).max() <= 1


def test_two_bands_are_gray(make, values):
    two = values[:, :, :2]
    assert np.array_equal(pixels(make.tiff(two)), two[:, :, [0, 0, 0]])


def test_large_files(make, values):
    data = make.tiff(values[:, :, :3], bigtiff=True, photometric="rgb")
    assert np.array_equal(pixels(data), values[:, :, :3])


def test_cut(make, values):
    data = make.tiff(values)
    for left in (100, len(data) // 2, len(data) - 1):
        with pytest.raises(ImageProblem) as caught:
            whole(data[:left])
        assert caught.value.kind == "truncated"


def test_many_bands_are_limited_too(make):
    data = make.tiff(np.zeros((20, 20, 200), np.uint8))
    assert decode(data, short_side=9, decoding=Decoding(max_pixels=20_000)).bands == 200
    with pytest.raises(ImageProblem, match="20 x 20 pixels in 200 bands are more values") as caught:
        decode(data, short_side=9, decoding=Decoding(max_pixels=19_999))
    assert caught.value.kind == "too_large"


@pytest.mark.parametrize(
    ("compression", "pack"), [("zlib", zlib.compress), ("lzma", lzma.compress)]
)
def test_a_strip_that_inflates_to_more_than_its_pixels(make, values, tmp_path, compression, pack):
    sound = make.tiff(values, compression=compression, rowsperstrip=40)
    assert np.array_equal(pixels(sound), values[:, :, :3])
    bomb = pack(bytes(2 * values.size + 1))
    file = tmp_path / "bomb.tif"
    file.write_bytes(sound + bomb)
    with tifffile.TiffFile(file, mode="r+b") as opened:
        opened.pages.first.tags["StripOffsets"].overwrite(len(sound))
        opened.pages.first.tags["StripByteCounts"].overwrite(len(bomb))
    with pytest.raises(ImageProblem, match="more comes out of it than 50 x 40 pixels") as caught:
        whole(file.read_bytes())
    assert caught.value.kind == "too_large"


def test_a_stack_that_is_no_flat_picture(make):
    data = make.tiff(np.zeros((9, 16, 16, 5), np.uint8), volumetric=True, tile=(16, 16, 16))
    with pytest.raises(ImageProblem, match="no flat picture") as caught:
        whole(data)
    assert caught.value.kind == "unreadable"
