"""Every format, mode and turn becomes the same upright RGB picture."""

from __future__ import annotations

import io
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageOps

from tellapart.images.decode import TURNS, ImageProblem, decode
from tellapart.settings import Decoding

PLAIN = Decoding()
WHOLE = 10_000  # a short side that no test picture has: nothing is reduced


def whole(data: bytes, decoding: Decoding = PLAIN):
    return decode(data, short_side=WHOLE, decoding=decoding)


# format, options of its writer, how far its loss may move a pixel on average
FORMATS = [
    ("JPEG", {"quality": 95}, 3),
    ("JPEG", {"quality": 95, "progressive": True}, 3),
    ("PNG", {}, 0),
    ("PNG", {"interlace": 1}, 0),
    ("WEBP", {"lossless": True}, 0),
    ("WEBP", {"quality": 95}, 5),
    ("BMP", {}, 0),
    ("TIFF", {}, 0),
    ("TIFF", {"compression": "tiff_lzw"}, 0),
    ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
    ("PPM", {}, 0),
    ("JPEG2000", {}, 1),
    ("GIF", {}, 8),
    ("AVIF", {"quality": 95}, 5),
]


@pytest.mark.parametrize(("file_format", "options", "loss"), FORMATS)
def test_formats(make, file_format, options, loss):
    photo = make.photo()
    decoded = whole(make.encoded(photo, file_format, **options))
    assert decoded.image.mode == "RGB"
    assert make.distance(decoded.image, photo) <= loss
    assert (decoded.width, decoded.height) == photo.size
    assert decoded.file_format == file_format
    assert (decoded.exif_turn, decoded.frames, decoded.taken, decoded.note) == (1, 1, "", "")
    assert decoded.bands == (1 if file_format == "GIF" else 3)
    assert (decoded.quantisation > 0) == (file_format == "JPEG")


def test_icons(make):
    decoded = whole(make.encoded(make.photo(64, 64), "ICO"))
    assert decoded.image.size == (64, 64)


def test_heic(make):
    heif = pytest.importorskip("pillow_heif")
    photo = make.photo(96, 64)
    file = heif.from_pillow(photo)
    buffer = io.BytesIO()
    file.save(buffer, quality=95)
    decoded = whole(buffer.getvalue())
    assert decoded.file_format == "HEIF"
    assert make.distance(decoded.image, photo) < 5


def test_heic_without_its_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    start = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
    with pytest.raises(ImageProblem, match=r'pip install "tellapart\[heic\]"') as caught:
        whole(start)
    assert caught.value.kind == "missing_library"


def test_quantisation_tells_qualities_apart(make):
    sums = [
        whole(make.encoded(make.photo(), "JPEG", quality=quality)).quantisation
        for quality in (60, 80, 95)
    ]
    assert sums[0] > sums[1] > sums[2] > 0


# --- modes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "file_format"),
    [
        ("L", "PNG"),
        ("L", "JPEG"),
        ("1", "PNG"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("CMYK", "TIFF"),
        ("CMYK", "JPEG"),
        ("YCbCr", "TIFF"),
        ("LAB", "TIFF"),
    ],
)
def test_modes(make, mode, file_format):
    """As Pillow converts them, where nothing is transparent."""
    stored = make.photo().convert("L") if mode in ("1", "LA") else make.photo()
    stored = Image.merge("LAB", stored.split()) if mode == "LAB" else stored.convert(mode)
    options = {"quality": 95} if file_format == "JPEG" else {}
    decoded = whole(make.encoded(stored, file_format, **options))
    assert decoded.image.mode == "RGB"
    assert decoded.mode == mode
    assert decoded.bands == len(stored.getbands())
    assert make.distance(decoded.image, stored.convert("RGB")) < 4


def test_inverted_cmyk_of_adobe_is_no_negative(make):
    """Photoshop stores CMYK JPEG inverted, and says so in an Adobe marker, as Pillow's writer."""
    photo = make.photo()
    data = make.encoded(photo.convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data[:200]
    assert make.distance(whole(data).image, photo) < 4


def test_palette(make):
    stored = make.photo().quantize(32)
    decoded = whole(make.encoded(stored, "PNG"))
    assert make.distance(decoded.image, stored.convert("RGB")) == 0
    assert decoded.mode == "P"
    assert decoded.bands == 1


def test_transparent_parts_are_white(make):
    photo = make.photo()
    half = photo.width // 2
    alpha = Image.new("L", photo.size, 255)
    alpha.paste(0, (0, 0, half, photo.height))
    stored = photo.copy()
    stored.putalpha(alpha)
    for file_format, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        pixels = np.asarray(whole(make.encoded(stored, file_format, **options)).image)
        assert (pixels[:, :half] == 255).all(), file_format
        assert np.array_equal(pixels[:, half:], np.asarray(photo)[:, half:])


def test_half_transparent_is_mixed_with_white(make):
    stored = Image.new("RGBA", (30, 20), (0, 100, 200, 51))  # a fifth of it
    pixels = np.asarray(whole(make.encoded(stored, "PNG")).image)
    assert np.abs(pixels.astype(int) - (204, 224, 244)).max() <= 1


@pytest.mark.parametrize(
    ("mode", "value", "key"),
    [("RGB", (9, 8, 7), (9, 8, 7)), ("L", 9, 9), ("P", 3, 3), ("P", 3, bytes([255] * 3 + [0]))],
)
def test_transparent_colours_and_palettes_are_white(make, mode, value, key):
    stored = Image.new(mode, (30, 20), value)
    if mode == "P":
        stored.putpalette(list(range(60)))
    data = make.encoded(stored, "PNG", transparency=key)
    assert (np.asarray(whole(data).image) == 255).all()


def test_sixteen_bit_gray_png(make):
    values = np.round(make.ramp() * 4095).astype(np.uint16)
    decoded = whole(make.encoded(Image.fromarray(values), "PNG"))
    expected = np.round(values * (255 / 4095))
    assert np.abs(np.asarray(decoded.image)[:, :, 0] - expected).max() <= 1
    assert decoded.mode == "I;16"
    assert decoded.note == "values up to 4,095 read as 12 bits"


def test_float_tiff(make):
    decoded = whole(make.encoded(Image.fromarray(make.ramp().astype(np.float32)), "TIFF"))
    assert np.array_equal(np.asarray(decoded.image)[:, :, 2], np.round(make.ramp() * 255))
    assert decoded.note == "float values 0 to 1 read as 8 bits"


# --- animations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame(make, file_format):
    frames = [make.photo(seed=seed).quantize(64).convert("RGB") for seed in range(3)]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = make.encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    decoded = whole(data)
    assert make.distance(decoded.image, frames[0]) < 2
    assert decoded.frames == 3
    assert decoded.note == "the first of 3 frames"


# --- turns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_turned_pictures_stand_upright(make, turn, file_format):
    """What a camera stores turned, with the EXIF value that says so, is one upright picture."""
    upright = make.photo(96, 64)
    undo = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    step = undo.get(turn, TURNS.get(turn))
    stored = upright.transpose(step) if step is not None else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    options = {} if file_format in ("PNG", "TIFF") else {"quality": 95}
    decoded = whole(make.encoded(stored, file_format, exif=exif, **options))
    assert make.distance(decoded.image, upright) < 6
    assert (decoded.width, decoded.height) == (96, 64)
    assert decoded.exif_turn == turn


@pytest.mark.parametrize("turn", range(2, 9))
def test_turns_are_pillows(make, turn):
    stored = make.photo()
    stored.getexif()[0x0112] = turn
    expected = ImageOps.exif_transpose(stored)
    assert make.distance(stored.transpose(TURNS[turn]), expected) == 0


@pytest.mark.parametrize("turn", [0, 9, 77])
def test_impossible_turns_are_none(make, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    decoded = whole(make.encoded(make.photo(), "JPEG", exif=exif))
    assert decoded.exif_turn == 1


def test_damaged_exif_is_no_problem(make):
    data = make.encoded(make.photo(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f damaged")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of it in some versions
        decoded = whole(data)
    assert (decoded.exif_turn, decoded.taken) == (1, "")


def test_capture_time(make):
    exif = Image.Exif()
    exif[0x0132] = "2020:01:02 03:04:05"
    assert whole(make.encoded(make.photo(), "JPEG", exif=exif)).taken == "2020:01:02 03:04:05"
    exif.get_ifd(0x8769)[0x9003] = "2019:05:06 07:08:09\x00"
    assert whole(make.encoded(make.photo(), "JPEG", exif=exif)).taken == "2019:05:06 07:08:09"


# --- size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("size", [(800, 601), (599, 400), (299, 999)])
def test_reduced_but_never_below_the_asked_side(make, file_format, size):
    photo = make.photo(*size)
    data = make.encoded(photo, file_format, **({"quality": 95} if file_format == "JPEG" else {}))
    decoded = decode(data, short_side=150, decoding=PLAIN)
    short = min(decoded.image.size)
    assert 150 <= short < 300
    assert (decoded.width, decoded.height) == size
    assert make.distance(decoded.image, photo.resize(decoded.image.size, reducing_gap=3.0)) < 2.5


def test_draft_of_jpeg_is_the_picture_made_smaller(make, test_data):
    data = (test_data / "cats_dogs" / "cat" / "cat.1007.jpg").read_bytes()
    full = whole(data).image
    small = decode(data, short_side=100, decoding=PLAIN).image
    assert small.width < full.width
    assert make.distance(small, full.resize(small.size, Image.Resampling.BOX)) < 3


def test_small_pictures_are_not_enlarged(make):
    assert whole(make.encoded(make.photo(3, 2), "PNG")).image.size == (3, 2)
    assert whole(make.encoded(make.photo(1, 1), "JPEG")).image.size == (1, 1)


def test_threads_give_what_one_thread_gives(make):
    pictures = [
        make.encoded(make.photo(200 + seed, 130, seed), file_format)
        for seed in range(3)
        for file_format in ("JPEG", "PNG", "GIF", "WEBP", "TIFF")
    ]

    def pixels(data: bytes) -> bytes:
        return decode(data, short_side=60, decoding=PLAIN).image.tobytes()

    alone = [pixels(data) for data in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(pixels, pictures * 3))
    assert together == alone * 3


def test_pillows_own_settings_are_left_alone(make):
    from PIL import ImageFile

    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    whole(make.encoded(make.photo(), "JPEG"))
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    assert Image.MAX_IMAGE_PIXELS is not None


def test_the_placeholder_among_the_ants(test_data):
    data = (test_data / "ants_bees" / "train" / "ants" / "imageNotFound.gif").read_bytes()
    decoded = whole(data)
    assert (decoded.file_format, decoded.mode, decoded.frames) == ("GIF", "P", 1)
    assert decoded.image.size == (300, 300)
