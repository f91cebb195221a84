"""Reading folders, tables and parquet files into a picture set, and pictures' bytes from it."""

from tellapart.data.inputs import Input, list_inputs
from tellapart.data.pictures import (
    SIDES,
    FileSource,
    MemorySource,
    Note,
    PictureSet,
    RowSource,
    Side,
    Source,
)
from tellapart.data.reading import read
from tellapart.data.sources import iterate_bytes, read_bytes

__all__ = [
    "SIDES",
    "FileSource",
    "Input",
    "MemorySource",
    "Note",
    "PictureSet",
    "RowSource",
    "Side",
    "Source",
    "iterate_bytes",
    "list_inputs",
    "read",
    "read_bytes",
]
