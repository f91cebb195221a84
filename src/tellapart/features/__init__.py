"""Features: the threads that decode and infer, and the cache that keeps what they found."""

from tellapart.features.embed import Embedded, embed
from tellapart.features.ids import identify
from tellapart.features.kept import Vectors, embed_kept
from tellapart.features.look import Look, look
from tellapart.features.rounding import as_stored
from tellapart.features.store import Cache, cache_size, clear_cache, open_cache

__all__ = [
    "Cache",
    "Embedded",
    "Look",
    "Vectors",
    "as_stored",
    "cache_size",
    "clear_cache",
    "embed",
    "embed_kept",
    "identify",
    "look",
    "open_cache",
]
