"""Images: bytes to pixels (the only decoding code), transforms, and the facts of one decode."""

from tellapart.images.bands import RGB
from tellapart.images.decode import DECODE_VERSION
from tellapart.images.facts import FACTS_VERSION, Facts
from tellapart.images.look import Seen, decode_side, look_at, picture_id
from tellapart.images.transforms import Transform
from tellapart.images.views import VIEWS, WHOLE, Shown, first_views

__all__ = [
    "DECODE_VERSION",
    "FACTS_VERSION",
    "RGB",
    "VIEWS",
    "WHOLE",
    "Facts",
    "Seen",
    "Shown",
    "Transform",
    "decode_side",
    "first_views",
    "look_at",
    "picture_id",
]
