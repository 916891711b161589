"""One passage where several say the same: the same words kept in two places, and versions of one document.

Two documents are versions of one when nothing but a mark of version tells their names apart (a year, `v2`, `old`, a
folder `archive`): path and title within one source, or the path alone where one of the two has no mark; where ids are
no paths, titles of one source of which one has no mark. Two offices' pages on one template have different paths, and
stay two passages however alike they are.

Texts are compared by shingles of three words, numbers masked (Broder, "On the resemblance and containment of
documents", 1997). Of two versions the newer by `updated_at` wins: a passage of the older one that resembles one of the
newer is dropped. One that has a shingle in common in which only the numbers differ ("mindestens 10 Zeichen",
"mindestens 14 Zeichen"), or that stands under the same heading with other numbers, says otherwise and is kept directly
behind it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from ingest.index.interface import Hit
from ingest.index.lexical import fold
from ingest.model import Chunk, ChunkId

RESEMBLANCE = 0.6
"""Share of two passages' shingles that they must have in common to be near-duplicates: one changed word in twenty
leaves 0.7 of them; other paragraphs of one article share at most 0.15 (XQuAD in English, German and Chinese)."""

SHINGLE = 3

READ = 10
"""Best hits of each version that are compared, at half a millisecond for a passage of 120 words."""

TELLING = 2
"""Words beside the number that make a shingle say of what it is."""

MASK = "#"

_TOKEN = re.compile(
    r"\d+(?:[.,:/\-–]\d+)*|[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\u0e00-\u0eff]|[^\W\d_]+"
)
"""A number with its separators, a character of a script without spaces, a word."""

_MARK = re.compile(
    r"(?<!\d[-/.])\b(?:19|20)\d\d\b(?![-/.]?\d)"
    r"|\b(?:v|ver|vers|version|rev|revision|fassung|versión|versione|versão|versie|версия)[ ._-]*\d+(?:\.\d+)*\b"
    r"|\b(?:old|alt|archive[ds]?|archiv|archivo|obsolete|superseded|deprecated|outdated|veraltet|überholt|obsolète"
    r"|périmé|obsoleto|verouderd|kopie|copy|copie|copia|draft|entwurf|brouillon|borrador|final|latest|current)\b"
    r"|\((?:\d)\)",
    re.IGNORECASE,
)
"""What tells versions of one document apart in its name. A full date does not: it names another day's minutes."""

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_GAP = re.compile(r"[^\w]+|_+")


_Shingles = Mapping[tuple[str, ...], frozenset[tuple[str, ...]]]
"""Shingle with its numbers masked -> the numbers that stand there, each time that it occurs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Versioned:
    """A hit that stays, and the chunk that replaces what it says."""

    hit: Hit
    newer: ChunkId | None = None


def collapsed(hits: Sequence[Hit], query: str = "") -> list[Versioned]:
    """`hits`, best first, without repetitions; an older version that says otherwise stands behind the newer one.

    The newer one takes the better place of the two. A version that `query` asks for by its mark (the year) is left
    where it is.
    """
    hits = _distinct(hits)
    replaced, dropped = _superseded(hits, query)
    behind: dict[ChunkId, list[Hit]] = defaultdict(list)
    by_id = {hit.chunk.id: hit for hit in hits}
    for hit in hits:
        if hit.chunk.id in replaced and hit.chunk.id not in dropped:
            behind[replaced[hit.chunk.id]].append(hit)
    kept: list[Versioned] = []
    placed: set[ChunkId] = set()
    for hit in hits:
        newest = by_id[replaced.get(hit.chunk.id, hit.chunk.id)]
        if newest.chunk.id in placed:
            continue
        placed.add(newest.chunk.id)
        kept.append(Versioned(hit=newest))
        kept += [Versioned(hit=older, newer=newest.chunk.id) for older in behind[newest.chunk.id]]
    return kept


def words(chunk: Chunk) -> str:
    """The words of a chunk, by which equal texts are known."""
    return " ".join(chunk.text.split())


def _distinct(hits: Iterable[Hit]) -> list[Hit]:
    """The first of each group with the same words; the newest of them where they are versions of one document."""
    first: dict[str, Hit] = {}
    for hit in hits:
        said = words(hit.chunk)
        known = first.setdefault(said, hit)
        if known is not hit and are_versions(known.chunk, hit.chunk) and _newer(hit.chunk, known.chunk):
            first[said] = hit
    return list(first.values())


def _superseded(hits: Sequence[Hit], query: str) -> tuple[dict[ChunkId, ChunkId], set[ChunkId]]:
    """Chunk -> the one that replaces it, which is itself not replaced; and which of them say nothing else."""
    replaced: dict[ChunkId, ChunkId] = {}
    dropped: set[ChunkId] = set()
    for versions in _documents(hits):
        read = [_Read(document[:READ]) for document in versions]
        # Newest first, so that what replaces is settled before what it replaces.
        for newer, older in combinations(read, 2):
            if _asked_for(older.chunk, newer.chunk, query):
                continue
            for id, own in older.shingles.items():
                if id not in replaced and (by := newer.replacement(own) or newer.section(older.chunks[id])) is not None:
                    best, otherwise = by
                    replaced[id] = replaced.get(best, best)
                    if not otherwise:
                        dropped.add(id)
    return replaced, dropped


class _Read:
    """The hits of one document by their shingles."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self.chunk = hits[0].chunk
        self.chunks = {hit.chunk.id: hit.chunk for hit in hits}
        self.shingles = {hit.chunk.id: _shingles(hit.chunk.text) for hit in hits}
        self._holding: dict[tuple[str, ...], list[ChunkId]] = defaultdict(list)
        for id, shingles in self.shingles.items():
            for shingle in shingles:
                self._holding[shingle].append(id)

    def replacement(self, own: _Shingles) -> tuple[ChunkId, bool] | None:
        """The chunk that says the same as a text with these shingles or otherwise, and whether it says otherwise.

        Of several the most alike one.
        """
        common: Counter[ChunkId] = Counter()
        otherwise: set[ChunkId] = set()
        for shingle, numbers in own.items():
            for id in self._holding.get(shingle, ()):
                common[id] += 1
                if numbers != self.shingles[id][shingle]:
                    otherwise.add(id)
        alike = {id: count / (len(own) + len(self.shingles[id]) - count) for id, count in common.items()}
        fit = [id for id in alike if id in otherwise or alike[id] >= RESEMBLANCE]
        best = max(fit, key=lambda id: (alike[id], id), default=None)
        return None if best is None else (best, best in otherwise)

    def section(self, older: Chunk) -> tuple[ChunkId, bool] | None:
        """As `replacement`: the best chunk under the heading of `older`, where that has numbers that it lacks."""
        numbers = _numbers(older.text)
        for id, chunk in self.chunks.items():
            if _of_one_section(older, chunk):
                return None if numbers <= _numbers(chunk.text) else (id, True)
        return None


def _documents(hits: Iterable[Hit]) -> list[list[list[Hit]]]:
    """The hits of documents that are versions of one: each group a list of documents, newest first."""
    documents: dict[tuple[str, str], list[Hit]] = defaultdict(list)
    for hit in hits:
        if hit.chunk.updated_at is not None:
            documents[hit.chunk.source, hit.chunk.document].append(hit)
    named: dict[tuple[str, str], list[list[Hit]]] = defaultdict(list)
    for (source, document), found in documents.items():
        named[source, _path(document) if _is_path(document) else _unmarked(found[0].chunk.title)].append(found)
    groups: list[list[list[Hit]]] = []
    for alike in named.values():
        if len(alike) > 1:
            groups += _groups(alike)
    return groups


def _groups(documents: Sequence[list[Hit]]) -> list[list[list[Hit]]]:
    groups: list[list[list[Hit]]] = []
    for document in sorted(documents, key=lambda found: _age(found[0].chunk), reverse=True):
        for group in groups:
            if all(are_versions(document[0].chunk, other[0].chunk) for other in group):
                group.append(document)
                break
        else:
            groups.append([document])
    return [group for group in groups if len(group) > 1]


def _age(chunk: Chunk) -> tuple[float, str]:
    return (chunk.updated_at.timestamp() if chunk.updated_at else 0.0, chunk.document)


def _newer(chunk: Chunk, other: Chunk) -> bool:
    return chunk.updated_at is not None and other.updated_at is not None and chunk.updated_at > other.updated_at


def are_versions(one: Chunk, other: Chunk) -> bool:
    """Whether their documents are versions of one; see the module's words."""
    if one.source != other.source or one.document == other.document or one.updated_at == other.updated_at:
        return False
    one_title = bool(title := _unmarked(one.title)) and title == _unmarked(other.title)
    if not (_is_path(one.document) and _is_path(other.document)):
        return one_title and _is_one_marked(one.title, other.title)
    one_path = bool(path := _path(one.document)) and path == _path(other.document)
    return one_path and (one_title or _is_one_marked(one.document, other.document))


def _is_one_marked(one: str, other: str) -> bool:
    return bool(_marks(one)) is not bool(_marks(other))


def _asked_for(older: Chunk, newer: Chunk, query: str) -> bool:
    """Whether the query names what marks the older one."""
    own = _marks(f"{older.title} {older.document}") - _marks(f"{newer.title} {newer.document}")
    return not own.isdisjoint(_marks(query))


def _is_path(document: str) -> bool:
    return "/" in document or _EXTENSION.search(document) is not None


@lru_cache(maxsize=4096)
def _path(document: str) -> str:
    """The path without what marks a version; empty where nothing is left of the file's own name."""
    parts = [_unmarked(part) for part in _EXTENSION.sub("", document).split("/")]
    return "/".join(part for part in parts if part) if parts[-1] else ""


@lru_cache(maxsize=4096)
def _unmarked(name: str) -> str:
    return _GAP.sub(" ", _MARK.sub(" ", _GAP_OF_WORDS.sub(" ", name))).strip().casefold()


_GAP_OF_WORDS = re.compile(r"_+|(?<=[^\W\d_])-(?=\w)|(?<=\w)-(?=[^\W\d_])")
"""What stands for a space in a file's name; not the hyphen of a date."""


def _marks(text: str) -> frozenset[str]:
    return frozenset(mark.group().casefold() for mark in _MARK.finditer(_GAP_OF_WORDS.sub(" ", text)))


def _of_one_section(one: Chunk, other: Chunk) -> bool:
    """Whether the headings above one are the last ones above the other; the title is no heading of a section."""
    shorter, longer = sorted(([_unmarked(heading) for heading in chunk.headings] for chunk in (one, other)), key=len)
    titles = {_unmarked(chunk.title) for chunk in (one, other)}
    return bool(shorter) and shorter[-1] not in titles and longer[-len(shorter) :] == shorter


def _numbers(text: str) -> frozenset[str]:
    return frozenset(token for token in _TOKEN.findall(text) if token[0].isdigit())


def _shingles(text: str) -> _Shingles:
    """Every three words that follow each other; one that is mostly numbers does not say of what, and is given none."""
    tokens = [token.group() for token in _TOKEN.finditer(fold(text))]
    masked = [MASK if token[0].isdigit() else token for token in tokens]
    numbers: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for start in range(max(1, len(tokens) - SHINGLE + 1)):
        shingle = tuple(masked[start : start + SHINGLE])
        had = numbers.setdefault(shingle, set())
        if MASK in shingle and len(shingle) - shingle.count(MASK) >= TELLING:
            had.add(tuple(token for token in tokens[start : start + SHINGLE] if token[0].isdigit()))
    return {shingle: frozenset(had) for shingle, had in numbers.items()}
