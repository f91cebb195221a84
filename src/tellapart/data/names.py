"""Names: which files are pictures, how a path becomes a key, how labels are cleaned, what order."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Sequence

from tellapart.data.pictures import Side

# fmt: off
# What Pillow decodes of the formats that pictures are kept in; decoding has the last word.
PICTURE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".bmp", ".dib", ".webp",
    ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".jp2", ".j2k", ".j2c", ".jpc",
    ".jpf", ".jpx", ".avif", ".avifs", ".tga", ".pcx", ".qoi", ".dds", ".sgi", ".ico", ".icns",
})
HEIC_SUFFIXES = frozenset({".heic", ".heif", ".hif"})  # pillow-heif, the extra [heic]
ARCHIVE_SUFFIXES = frozenset({
    ".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar",
})
RAW_SUFFIXES = frozenset({
    ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".dng", ".orf", ".rw2",
    ".raf", ".pef", ".srw", ".raw", ".x3f", ".3fr",
})
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".flv", ".mpg", ".mpeg", ".mts",
    ".m2ts", ".3gp", ".ogv",
})

# What is left out under a name of its own, and what to do about it.
LEFT_OUT_KINDS: tuple[tuple[str, frozenset[str], str], ...] = (
    ("HEIC pictures", HEIC_SUFFIXES, 'pip install "tellapart[heic]" reads them'),
    ("RAW photographs", RAW_SUFFIXES, "convert them to JPEG or TIFF first, e.g. with darktable"),
    (
        "videos",
        VIDEO_SUFFIXES,
        "take pictures out of them first, e.g. with ffmpeg -i FILE -vf fps=1 picture-%05d.jpg",
    ),
    ("JPEG XL pictures", frozenset({".jxl"}), "convert them to PNG or JPEG first, e.g. with djxl"),
    (
        "documents",
        frozenset({".svg", ".pdf", ".eps", ".ps", ".ai", ".psd", ".xcf"}),
        "export them as PNG first",
    ),
    (
        "scientific images",
        frozenset({".dcm", ".dicom", ".nii", ".mha", ".fits", ".h5", ".hdf5", ".npy", ".npz"}),
        "export them as PNG or TIFF first",
    ),
    ("archives", ARCHIVE_SUFFIXES, "unpack them first"),
    (
        "tables",
        frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq"}),
        "give a table by its own name to read labels from it",
    ),
)

# fmt: on
STRAY_FOLDERS = frozenset(
    {
        ".ipynb_checkpoints",
        "__MACOSX",
        "__pycache__",
        "@eaDir",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
        ".Trashes",
        ".Spotlight-V100",
        ".fseventsd",
    }
)
STRAY_FILES = frozenset({"Thumbs.db", "ehthumbs.db", "desktop.ini", ".DS_Store", "Icon\r"})

SPLIT_WORDS: dict[str, Side] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def side_of(word: str) -> Side | None:
    """Return the side that a folder's name or a cell names, None where it names none."""
    return SPLIT_WORDS.get(word.strip().casefold())


def suffix_of(name: str) -> str:
    """Return the lower-case suffix of a file's name with its dot, "" where it has none."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def readable_suffixes() -> frozenset[str]:
    """Return the suffixes of files that are listed as pictures here (HEIC only with its extra)."""
    if importlib.util.find_spec("pillow_heif") is not None:
        return PICTURE_SUFFIXES | HEIC_SUFFIXES
    return PICTURE_SUFFIXES


def type_of(name: str) -> tuple[str, str]:
    """Return the type under which a file that is no picture is counted, and advice ("" if none)."""
    if name.startswith("."):
        return "hidden files", ""
    suffix = suffix_of(name)
    for kind, suffixes, advice in LEFT_OUT_KINDS:
        if suffix in suffixes:
            return kind, advice
    if not suffix:
        return "files without suffix", "pictures are known by theirs (.jpg, .png, ...)"
    return f"{key_of(suffix)} files", ""


def key_of(name: str) -> str:
    """Return an operating system's name as text: bytes that are no UTF-8 are escaped as %XX."""
    if name.isascii():
        return name
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "".join(_escaped(letter) for letter in name)
    return name


def _escaped(letter: str) -> str:
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not read
        return f"%{code - 0xDC00:02X}"
    if 0xD800 <= code <= 0xDFFF:  # half of a pair, as Windows allows in names
        return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))
    return letter


def clean_label(text: str) -> str:
    """Return a label trimmed and in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", text).strip()


_DIGITS = re.compile(r"([0-9]+)")


def natural(text: str) -> tuple[list[str | int], str]:
    """Return a sorting key: a2 before a10, small and capital letters side by side."""
    parts: list[str | int] = list(_DIGITS.split(text.casefold()))
    parts[1::2] = [int(digits) for digits in parts[1::2]]
    return parts, text


def name_list(names: Sequence[str]) -> str:
    """Join names for a sentence: ``a, b and c``."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def counted_type(count: int, kind: str) -> str:
    """Return ``1 video`` or ``3 videos`` for a type that `type_of` names in the plural."""
    if count > 1:
        return f"{count:,} {kind}"
    return f"1 {kind.replace('files', 'file') if 'files' in kind else kind.removesuffix('s')}"
