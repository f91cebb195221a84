"""What is cut, damaged, too large or no picture ends in a reason, never in half a picture."""

from __future__ import annotations

import random
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from tellapart.images.decode import KINDS, ImageProblem, decode
from tellapart.settings import Decoding

PLAIN = Decoding()


def problem_of(data: bytes, decoding: Decoding = PLAIN, short_side: int = 256) -> ImageProblem:
    with pytest.raises(ImageProblem) as caught:
        decode(data, short_side=short_side, decoding=decoding)
    problem = caught.value
    assert problem.kind in KINDS
    assert "\n" not in problem.reason
    return problem


CUT = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("GIF", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("PPM", {}),
    ("JPEG2000", {}),
    ("AVIF", {}),
]


@pytest.mark.parametrize(("file_format", "options"), CUT)
@pytest.mark.parametrize("short_side", [256, 20])  # 20: JPEG is read at an eighth of its size
def test_cut_files_are_truncated(make, file_format, options, short_side):
    data = make.encoded(make.photo(240, 170), file_format, **options)
    for left in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        problem = problem_of(data[: int(len(data) * left)], short_side=short_side)
        assert problem.kind == "truncated", (left, problem.reason)
        assert file_format in problem.reason


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_even_the_last_rows_may_not_miss(make, file_format):
    data = make.encoded(make.photo(240, 170), file_format)
    assert problem_of(data[:-16]).kind == "truncated"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP", "JPEG2000", "AVIF"])
def test_downloads_whose_rest_is_zeros_are_truncated(make, file_format):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8))
    data = make.encoded(noise, file_format)
    half = len(data) // 2
    assert problem_of(data[:half] + bytes(len(data) - half)).kind == "truncated"


def test_the_end_mark_of_an_exif_thumbnail_is_not_the_files(make):
    """A cut JPEG holds a whole one inside its EXIF part; its end mark must not count."""
    exif = b"Exif\x00\x00" + make.encoded(make.photo(20, 20), "JPEG")
    data = make.encoded(make.photo(240, 170), "JPEG", exif=exif)
    half = data[: len(data) * 3 // 4]
    assert b"\xff\xd9" in half
    assert problem_of(half + bytes(len(data) - len(half))).kind == "truncated"


def test_bytes_behind_a_picture_do_no_harm(make):
    for file_format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
        data = make.encoded(make.photo(), file_format) + b"MotionPhoto" + bytes(2000)
        assert decode(data, short_side=64, decoding=PLAIN).width == 90, file_format


def test_an_animation_needs_its_first_frame_only(make):
    frames = [make.photo(120, 90, seed) for seed in range(3)]
    data = make.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data[: len(data) * 2 // 3], short_side=256, decoding=PLAIN).width == 120
    assert problem_of(data[: len(data) // 6]).kind == "truncated"


def test_png_with_a_wrong_sum_is_unreadable(make):
    """Each byte of the pixels and the header is under a check sum."""
    data = bytearray(make.encoded(make.photo(200, 150), "PNG"))
    for place in (20, data.index(b"IDAT") + 40, len(data) // 2):
        damaged = bytearray(data)
        damaged[place] ^= 4
        problem = problem_of(bytes(damaged))
        assert problem.kind == "unreadable"
        assert "PNG file cannot be decoded" in problem.reason


def test_a_damaged_sum_alone_is_noticed(make):
    data = bytearray(make.encoded(make.photo(200, 150), "PNG"))
    data[data.index(b"IEND") - 5] ^= 1  # last byte of the pixels' sum: Pillow's decoder skips it
    assert problem_of(bytes(data)).kind == "unreadable"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"\n <HTML><head>", "a web page"),
        (b'<?xml version="1.0"?><svg/>', "XML"),
        (b"<svg xmlns='x'/>", "SVG"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"PK\x03\x04 zip", "zip archive"),
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(40), "video"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b'{"error": 404}', "JSON"),
        (bytes(500), "500 zero bytes"),
        (b"hello world", "68 65 6c 6c 6f"),
        (b"x", "78"),
    ],
)
def test_what_is_no_picture_is_named(data, words):
    problem = problem_of(data)
    assert problem.kind == "not_an_image"
    assert words in problem.reason


def test_empty_file():
    problem = problem_of(b"")
    assert (problem.kind, problem.reason) == ("empty_file", "the file is empty (0 bytes)")


# --- too large -----------------------------------------------------------------------------------


def test_bomb_is_refused_from_its_header(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem = problem_of(make.png_header(50_000, 50_000))
    assert problem.kind == "too_large"
    assert problem.reason == (
        "50,000 x 50,000 pixels are more than the limit of 200,000,000; --max-pixels raises it"
    )


def test_headers_of_other_formats(make):
    bmp = bytearray(make.encoded(make.photo(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    gif = bytearray(make.encoded(make.photo(), "GIF"))
    gif[6:10] = struct.pack("<HH", 60_000, 60_000)
    ppm = b"P6 60000 60000 255\n" + bytes(100)
    jpeg = bytearray(make.encoded(make.photo(), "JPEG"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 60_000, 60_000)
    for data in (bytes(bmp), bytes(gif), ppm, bytes(jpeg)):
        assert "60,000 x 60,000 pixels" in problem_of(data).reason


def test_limits_are_ours_and_not_pillows(make):
    """Between Pillow's limit (89 million: warning, 179 million: error) and ours it decodes."""
    data = make.png_header(14_000, 14_000)  # 196 million pixels: passes the header, then is cut
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert problem_of(data).kind != "too_large"


def test_limits_can_be_set(make):
    data = make.encoded(make.photo(100, 50), "PNG")
    assert decode(data, short_side=9, decoding=Decoding(max_pixels=5000)).width == 100
    assert "limit of 4,999;" in problem_of(data, Decoding(max_pixels=4999)).reason
    assert decode(data, short_side=9, decoding=Decoding(max_file_bytes=len(data))).width == 100
    problem = problem_of(data, Decoding(max_file_bytes=len(data) - 1))
    assert problem.kind == "too_large"
    assert f"{len(data):,} bytes are more than the limit" in problem.reason


# --- anything ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file_format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO"]
)
def test_damaged_bytes_give_a_picture_or_a_reason(make, file_format):
    data = make.encoded(make.photo(70, 50), file_format)
    rng = random.Random(file_format)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 4, 30))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                decoded = decode(
                    bytes(damaged), short_side=32, decoding=Decoding(max_pixels=1_000_000)
                )
                assert decoded.image.mode == "RGB"
            except ImageProblem as problem:
                assert problem.kind in KINDS
