"""What a file is, by its first bytes; names and extensions are not asked."""

from __future__ import annotations

from typing import Literal

from tellapart.images.problems import ImageProblem

# first bytes -> format
STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"P1", "PPM"),
    (b"P2", "PPM"),
    (b"P3", "PPM"),
    (b"P4", "PPM"),
    (b"P5", "PPM"),
    (b"P6", "PPM"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\x00\x00\x01\x00", "ICO"),
)

# brands in the `ftyp` box (ISO 14496-12) -> format
BRANDS: tuple[tuple[bytes, str], ...] = (
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"heic", "HEIF"),
    (b"heix", "HEIF"),
    (b"heim", "HEIF"),
    (b"heis", "HEIF"),
    (b"hevc", "HEIF"),
    (b"hevx", "HEIF"),
    (b"mif1", "HEIF"),
    (b"msf1", "HEIF"),
)

# first bytes, lower case, without leading white space -> what it is instead of a picture
OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG drawing; convert it to PNG"),
    (b"<?xml", "an XML text"),
    (b"%pdf", "a PDF document; convert its pages to PNG"),
    (b"%!ps", "a PostScript document; convert it to PNG"),
    (b"pk\x03\x04", "a zip archive; unpack it first"),
    (b"version https://git-lfs", "a pointer of Git LFS; fetch the file with: git lfs pull"),
    (b"{", "a JSON text"),
)

_ZEROS = 512  # bytes; entropy-coded pixels hold no such run
_TIFF_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II": "little", b"MM": "big"}


def recognise(data: bytes) -> str:
    """Return the format that the first bytes name; raises ImageProblem("not_an_image")."""
    for start, file_format in STARTS:
        if data.startswith(start):
            return file_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _from_brands(data)
    raise ImageProblem("not_an_image", _what_else(data))


def looks_cut(data: bytes, file_format: str) -> bool:
    """Whether the end of a file of this format is missing, or was filled with zeros.

    Zeros in place of the rest are what an interrupted download leaves in a file whose whole length
    was set beforehand.
    """
    if file_format == "JPEG":
        return data.rfind(b"\xff\xd9") < 0
    if file_format == "PNG":
        return data.rfind(b"IEND") < 0
    if file_format == "GIF":
        return not data.endswith(b";")
    if file_format == "BMP":
        return int.from_bytes(data[2:6], "little") > len(data)
    if file_format == "TIFF":
        return int.from_bytes(data[4:8], _TIFF_ORDERS.get(data[:2], "big")) >= len(data)
    if file_format == "WEBP":
        end = int.from_bytes(data[4:8], "little") + 8
        return end > len(data) or _ends_in_zeros(data[:end])
    if file_format in ("AVIF", "HEIF", "JPEG2000") and not data.startswith(b"\xff\x4f"):
        return _boxes_are_cut(data)
    return False


def _boxes_are_cut(data: bytes) -> bool:
    """Whether a box of an ISO 14496-12 file that pixels need reaches past the end, or is zeros.

    What stands behind the last of these boxes is nobody's concern.
    """
    at = 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        end = at + max(size, 8) if size else len(data)
        if kind in (b"meta", b"mdat", b"jp2c") and end > len(data):
            return True
        if kind in (b"mdat", b"jp2c") and _ends_in_zeros(data[at:end]):
            return True
        at = end
    return False


def _ends_in_zeros(data: bytes) -> bool:
    return len(data) > 2 * _ZEROS and not any(data[-_ZEROS:])


def _from_brands(data: bytes) -> str:
    size = min(max(int.from_bytes(data[:4], "big"), 16), 128)
    brands = data[8:size]
    for brand, file_format in BRANDS:
        if brand in brands:
            return file_format
    raise ImageProblem("not_an_image", "this is a video, not a picture; take frames from it first")


def _what_else(data: bytes) -> str:
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, what in OTHERS:
        if start.startswith(mark):
            return f"this is {what}"
    if not any(data):
        return f"the file holds {len(data):,} zero bytes, no picture"
    return f"no picture format is known that starts with the bytes {data[:8].hex(' ')}"
