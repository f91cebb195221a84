"""`look`: every picture's facts and features, computing only what is not kept already."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.backbones.records import GRAPH_VERSION
from tellapart.data.pictures import FileSource, PictureSet
from tellapart.engines import Engine, EngineInfo, engine_info, open_engine, usable_cores
from tellapart.errors import CacheError
from tellapart.features.database import DamagedDatabase
from tellapart.features.embed import content_of, feed_of, reason
from tellapart.features.parts import Part, Recipe, joined
from tellapart.features.rounding import as_stored
from tellapart.features.store import Cache, file_state
from tellapart.features.stream import Examined, stream
from tellapart.images import (
    DECODE_VERSION,
    FACTS_VERSION,
    RGB,
    WHOLE,
    Facts,
    Shown,
    decode_side,
    look_at,
    picture_id,
)
from tellapart.images.budget import Budget
from tellapart.images.facts import REFERENCE_SIDE
from tellapart.optional import installed_version
from tellapart.progress import Progress
from tellapart.settings import Decoding

WRITE_AT = 64  # pictures in one transaction: what a kill loses at most
MOST_MENDED = 3  # damaged files of the cache that one look mends before it gives up


@dataclass(frozen=True)
class Look:
    """What is known of n pictures.

    ids         "" where no bytes could be read
    facts       without thumbnails and masters; `problem` set where a picture cannot be used
    usable      [m] rows of the pictures that have features, ascending
    features    [m, d] float16, or float32 where float16 cannot hold one of them
    decoded     pictures whose pixels were read now
    embedded    pictures that the network saw now
    engine      what makes such features
    of          the same look with the features of another recipe, one of those looked at; asks the
                cache, which must still be open
    thumbnails  ids -> JPEG bytes, 96 px; asks the cache, which must still be open
    masters     ids -> 128 x 128 gray bytes, likewise
    """

    ids: tuple[str, ...]
    facts: tuple[Facts, ...]
    usable: NDArray[np.intp]
    features: NDArray[Any]
    decoded: int
    embedded: int
    engine: EngineInfo
    of: Callable[[Recipe], Look]
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]]
    masters: Callable[[Sequence[str]], Mapping[str, bytes]]


def look(
    pictures: PictureSet,
    backbone: Backbone,
    engine_name: str,
    *,
    decoding: Decoding,
    cache: Cache,
    progress: Progress,
    also: Sequence[Recipe] = (),
    rehash: bool = False,
    threads: int | None = None,
) -> Look:
    """Look at every picture once, and never again while its file stays as it is.

    The features are those of `backbone`, of the whole picture; those of the recipes in `also` are
    made from the same decode, and `Look.of` returns them.

    A file whose path, size and times are known is not opened; `rehash` opens every one. Exact
    copies are decoded once. What has been computed is kept every WRITE_AT pictures, so that a kill
    loses little. `threads` None: one a core.
    """
    threads = threads or usable_cores()
    recipes = ((Part(backbone),), *also)
    engines = {
        part.backbone: open_engine(part.backbone, engine_name, cache, threads=threads)
        for part in dict.fromkeys(part for recipe in recipes for part in recipe)
    }
    plan = _Plan.of(recipes, engines, decoding)
    for _ in range(MOST_MENDED):
        try:
            return _look(pictures, plan, decoding, cache, progress, rehash, threads)
        except DamagedDatabase:  # mended by now; what it held is looked at again
            continue
    return _look(pictures, plan, decoding, cache, progress, rehash, threads)


def _look(
    pictures: PictureSet, plan: _Plan, decoding: Decoding, cache: Cache, progress: Progress,
    rehash: bool, threads: int,
) -> Look:  # fmt: skip
    known = _Known.load(pictures, cache, plan, rehash=rehash)
    todo = [row for row in range(len(pictures)) if not known.is_done(known.ids[row])]
    keeper = _Keeper(cache, plan, pictures)
    with progress.stage("look", len(pictures)) as stage:
        stage.advance(len(pictures) - len(todo))
        examine = _examiner(pictures, plan, decoding, known)
        feed = feed_of(pictures.sources, todo, decoding)
        engines = [one.engine for one in plan.inputs]
        try:
            with closing(stream(feed, examine, engines, min(threads, len(todo)))) as found:
                for one in found:
                    known.ids[one.row] = one.facts.id
                    keeper.add(one)
                    stage.advance()
        finally:
            keeper.write()
    return _gather(known, keeper, cache, plan)


@dataclass(frozen=True)
class _Input:
    """One vector of every picture: what is shown to which network, and the key it is kept under."""

    backbone: Backbone
    shown: Shown
    engine: Engine
    key: str

    @classmethod
    def of(cls, backbone: Backbone, shown: Shown, engine: Engine, decoding: Decoding) -> _Input:
        return cls(backbone, shown, engine, vectors_key(backbone, shown, engine, decoding))


@dataclass(frozen=True)
class _Plan:
    """What a look computes: the facts' key, and each input once; the base recipe stands first."""

    base: Recipe
    facts: str
    inputs: tuple[_Input, ...]

    @classmethod
    def of(
        cls, recipes: Sequence[Recipe], engines: Mapping[Backbone, Engine], decoding: Decoding
    ) -> _Plan:
        wanted = dict.fromkeys(
            (part.backbone, shown)
            for recipe in recipes
            for part in recipe
            for shown in part.shown()
        )
        inputs = tuple(_Input.of(*one, engines[one[0]], decoding) for one in wanted)
        return cls(recipes[0], facts_key(decoding), inputs)

    def inputs_of(self, part: Part) -> list[_Input]:
        """Return the inputs of a part, one a view; KeyError where it was not looked at."""
        mine = {(one.backbone, one.shown): one for one in self.inputs}
        return [mine[part.backbone, shown] for shown in part.shown()]


def _pixels_key(decoding: Decoding) -> tuple[Any, ...]:
    return (DECODE_VERSION, installed_version("pillow"), decoding)


def facts_key(decoding: Decoding) -> str:
    """Return the key under which facts are kept: everything that they depend on."""
    return _digest((*_pixels_key(decoding), FACTS_VERSION))


def vectors_key(backbone: Backbone, shown: Shown, engine: Engine, decoding: Decoding) -> str:
    """Return the key under which vectors are kept: everything that they depend on."""
    network = (backbone.weights_digest, backbone.name, backbone.features, GRAPH_VERSION)
    made_by = (*network, backbone.transform, engine_info(engine), _view_words(shown))
    return _digest((*_pixels_key(decoding), *made_by))


def _view_words(shown: Shown) -> str:
    words = ["whole picture" if shown.view == WHOLE else shown.view]
    if shown.bands != RGB:
        words.append(f"bands {shown.bands}")
    if decode_side(shown) != REFERENCE_SIDE:
        words.append(f"decoded at {decode_side(shown)}")
    return ", ".join(words)


def _digest(parts: tuple[Any, ...]) -> str:
    text = "\n".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class _Known:
    """Which ids the files have, and what the cache holds of each; threads ask it and claim ids."""

    def __init__(
        self, ids: list[str], facts: set[str], vectors: list[set[str]], bad: set[str]
    ) -> None:
        self.ids, self.facts, self.vectors, self.bad = ids, facts, vectors, bad
        self._everything = set(facts).intersection(*vectors)
        self._claimed: set[str] = set()
        self._lock = threading.Lock()

    @classmethod
    def load(cls, pictures: PictureSet, cache: Cache, plan: _Plan, *, rehash: bool) -> _Known:
        files = {
            row: source.file
            for row, source in enumerate(pictures.sources)
            if isinstance(source, FileSource) and not rehash
        }
        states = {file: state for file in files.values() if (state := file_state(file))}
        found = cache.known_ids(states)
        facts, bad = cache.ids_with_facts(plan.facts), cache.ids_with_problems(plan.facts)
        return cls(
            ids=[found.get(files.get(row, ""), "") for row in range(len(pictures))],
            facts=facts - bad if rehash else facts,
            vectors=[cache.ids_with_vectors(one.key) for one in plan.inputs],
            bad=set() if rehash else bad,
        )

    def is_done(self, id_: str) -> bool:
        """Whether nothing is left to compute for a picture."""
        return id_ in self.bad or id_ in self._everything

    def claim(self, id_: str) -> bool:
        """Return True for the first who asks for an id that is not done: who computes it."""
        with self._lock:
            if self.is_done(id_) or id_ in self._claimed:
                return False
            self._claimed.add(id_)
            return True


def _examiner(
    pictures: PictureSet, plan: _Plan, decoding: Decoding, known: _Known
) -> Callable[[int, bytes | OSError | None], Examined]:
    """Return what a thread does with one picture: read, hash, and decode what is not known."""
    budget = Budget()  # shared: large pictures do not add up

    def examine(row: int, data: bytes | OSError | None) -> Examined:
        source = pictures.sources[row]
        state = file_state(source.file) if isinstance(source, FileSource) else None
        content = content_of(source, data, decoding)
        if isinstance(content, OSError):
            kind = "too_large" if content.errno == errno.EFBIG else "unreadable"
            facts = Facts(id="", problem=reason(content), problem_kind=kind)
            return Examined(row, facts, decoded=False)
        id_ = picture_id(content)
        if not known.claim(id_):
            return Examined(row, Facts(id=id_), decoded=False, state=state)
        missing = [number for number, have in enumerate(known.vectors) if id_ not in have]
        shown = [plan.inputs[number].shown for number in missing]
        facts_too = id_ not in known.facts
        seen = look_at(content, shown, decoding=decoding, facts=facts_too, budget=budget)
        pixels = dict(zip(missing, seen.pixels, strict=True)) if seen.pixels else {}
        return Examined(row, seen.facts, decoded=True, state=state, pixels=pixels)

    return examine


class _Keeper:
    """Collects what the threads found and writes it a batch at a time; one thread uses it."""

    def __init__(self, cache: Cache, plan: _Plan, pictures: PictureSet) -> None:
        self._cache, self._plan, self._pictures = cache, plan, pictures
        self.decoded = self.embedded = 0
        self.unkept: dict[int, Facts] = {}
        self._waiting: list[Examined] = []

    def add(self, one: Examined) -> None:
        """Take one picture; write where a batch is full.

        Not kept: a picture without bytes, which has no id, and one that another library would
        read, for it may be there next time.
        """
        if not one.facts.id or one.facts.problem_kind == "missing_library":
            self.unkept[one.row] = one.facts
            return
        self.decoded += one.decoded
        self.embedded += bool(one.vectors)
        self._waiting.append(one)
        if len(self._waiting) >= WRITE_AT:
            self.write()

    def write(self) -> None:
        """Keep what waits: vectors first and files last, so that a kill in between costs work only.

        Facts are written where they were measured (a decode with facts knows a size or a problem).
        """
        waiting, self._waiting = self._waiting, []
        facts = [one.facts for one in waiting if one.facts.width or one.facts.problem]
        files = [
            (source.file, one.state, one.facts.id)
            for one in waiting
            if one.state is not None
            and isinstance(source := self._pictures.sources[one.row], FileSource)
        ]
        for number, asked in enumerate(self._plan.inputs):
            vectors = {
                one.facts.id: as_stored(one.vectors[number])
                for one in waiting
                if number in one.vectors
            }
            if vectors:
                self._cache.save_vectors(asked.key, vectors)
        if facts:
            self._cache.save_facts(facts, self._plan.facts)
        if files:
            self._cache.save_files(files)


def _gather(known: _Known, keeper: _Keeper, cache: Cache, plan: _Plan) -> Look:
    """Put together what was kept and what is new, from the cache alone: both are read alike."""
    ids = known.ids
    found = cache.load_facts(list(dict.fromkeys(id_ for id_ in ids if id_)), plan.facts)
    for unkept in keeper.unkept.values():  # also for the copies of such a picture
        found[unkept.id] = unkept
    facts = tuple(
        keeper.unkept.get(row) or found.get(id_) or _gone(cache) for row, id_ in enumerate(ids)
    )
    usable = np.flatnonzero([one.problem is None for one in facts])
    usable_ids = [ids[row] for row in usable]

    def pictures_of(column: str) -> Callable[[Sequence[str]], Mapping[str, bytes]]:
        return lambda wanted: cache.load_images(column, wanted, plan.facts)

    def of(recipe: Recipe) -> Look:
        features = _load(recipe, plan, usable_ids, cache)
        return replace(base, features=features, engine=_engine(recipe, plan))

    base = Look(
        ids=tuple(ids),
        facts=facts,
        usable=usable,
        features=_load(plan.base, plan, usable_ids, cache),
        decoded=keeper.decoded,
        embedded=keeper.embedded,
        engine=_engine(plan.base, plan),
        of=of,
        thumbnails=pictures_of("thumbnail"),
        masters=pictures_of("master"),
    )
    return base


def _load(recipe: Recipe, plan: _Plan, ids: Sequence[str], cache: Cache) -> NDArray[Any]:
    return joined(
        [
            [cache.load_vectors(one.key, ids, part.backbone.features) for one in inputs]
            for part, inputs in ((part, plan.inputs_of(part)) for part in recipe)
        ]
    )


def _engine(recipe: Recipe, plan: _Plan) -> EngineInfo:
    """Return what runs a recipe's networks: that of its first one."""
    return engine_info(plan.inputs_of(recipe[0])[0].engine)


def _gone(cache: Cache) -> Facts:
    raise CacheError(
        f"facts have gone from the cache {cache.folder} meanwhile: run the same command again"
    )
