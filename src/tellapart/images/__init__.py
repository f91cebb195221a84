"""Images: bytes to pixels (the only decoding code), transforms, and the facts of one decode."""

from tellapart.images.decode import DECODE_VERSION
from tellapart.images.facts import FACTS_VERSION, Facts
from tellapart.images.look import Seen, look_at, picture_id
from tellapart.images.transforms import Transform

__all__ = [
    "DECODE_VERSION",
    "FACTS_VERSION",
    "Facts",
    "Seen",
    "Transform",
    "look_at",
    "picture_id",
]
