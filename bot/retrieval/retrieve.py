"""What is wanted and an audience in, numbered passages out.

    begin → the question as typed, ranked while a chat model still thinks
    retrieve → _ranked (a leg a text) → _found (fused, read by the ledger, reranked) → evidence
             → the same once more, wider, where the evidence is weak → _chosen (versions, documents, surroundings)

Nothing is shown that the ledger does not let `visible_to` read now.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.model import Basis, Passage
from bot.retrieval.attached import leading, ranked
from bot.retrieval.interface import Evidence, Retrieved, Wanted, Witness
from bot.retrieval.surroundings import Neighbours, surrounded, within
from bot.retrieval.versions import collapsed, words
from bot.trace import SHOWN_HITS, TracedHit, TracedRanking
from ingest.index.fusion import Leg
from ingest.index.interface import Hit, ModelMisconfigured, ModelUnavailable, Reranker
from ingest.model import Chunk, ChunkId, Readers

CANDIDATES = 100
"""Fused hits that are looked at where no reranker asks for more: evidence and versions of a text are among them."""

WIDER = 2
"""Passages, tokens and documents of a widened search, as a multiple."""

TYPED = "typed"
"""Label of the legs of the question as typed, where the query says it otherwise."""

Readable = Callable[[Iterable[ChunkId], Readers], Awaitable[set[ChunkId]]]
"""Which of these chunks the ledger, the system of record, has and lets the holder of these tokens read now."""


class Searchable(Protocol):
    """The part of `ingest.index.hybrid.Index` that a question needs."""

    async def rank(
        self, text: str, *, visible_to: Readers, language: str | None, label: str = "", lexical_only: bool = False
    ) -> list[Leg]: ...

    async def hits(self, legs: Sequence[Leg], *, visible_to: Readers, limit: int) -> list[Hit]: ...

    def covers(self, language: str | None) -> bool: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Text:
    """One text to rank by."""

    text: str
    language: str | None
    label: str = ""
    lexical_only: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """The question as typed, already ranked for one audience."""

    asked: str
    language: str | None
    visible_to: Readers
    legs: tuple[Leg, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """Hits of all legs together, best first, at each stage."""

    fused: list[Hit]
    reranked: list[Hit] | None
    """None where nothing was reranked."""
    readable: list[Hit]
    withheld: Basis
    """Documents of fused hits that the ledger does not let the audience read."""
    evidence: Evidence
    notices: tuple[str, ...]


class Retriever:
    """Finds what an audience may read about what is wanted."""

    def __init__(
        self,
        index: Searchable,
        *,
        readable: Readable,
        neighbours: Neighbours,
        reranker: Reranker | None,
        candidates: int,
        passages: int,
        per_document: int,
        passage_tokens: int,
        witness: Witness,
    ) -> None:
        """`candidates` are reranked; of one document come at most `per_document` of the `passages`."""
        self._index = index
        self._readable = readable
        self._neighbours = neighbours
        self._reranker = reranker
        self._candidates = max(candidates, passages)
        self._passages = passages
        self._per_document = per_document
        self._passage_tokens = passage_tokens
        self._witness = witness

    async def begin(self, asked: str, language: str | None, *, visible_to: Readers) -> Begun:
        """Rank the question as typed, for a `retrieve` of the same audience. Raises as `retrieve`."""
        legs, notices = await self._ranked([_Text(text=asked, language=language)], visible_to)
        return Begun(
            asked=asked, language=language, visible_to=visible_to, legs=tuple(legs), notices=tuple(sorted(notices))
        )

    async def retrieve(
        self,
        wanted: Wanted,
        *,
        visible_to: Readers,
        attached: Sequence[Chunk] = (),
        begun: Begun | None = None,
        weak: Callable[[Evidence], bool] | None = None,
    ) -> Retrieved:
        """At most the configured number of passages that `visible_to` may read, those of `attached` files first.

        Where `weak` says so of the evidence, and the question is broad or has variants, one wider search follows. A
        dense leg or reranker that is down is left out, with a notice. Raises `IndexUnavailable`, `IndexMismatch`.
        """
        legs, notices = await self._first_legs(wanted, visible_to, begun)
        found = await self._found(wanted, legs, visible_to)
        widened = ""
        if (wanted.broad or wanted.variants) and weak is not None and weak(found.evidence):
            widened = _why(wanted)
            if wanted.variants:
                more, late = await self._ranked(self._variants(wanted, legs), visible_to)
                legs += more
                notices |= late
                found = await self._found(wanted, legs, visible_to)
        passages = await self._chosen(wanted, found.readable, visible_to, attached, WIDER if widened else 1)
        return Retrieved(
            passages=passages,
            evidence=found.evidence,
            notices=(*sorted(notices), *found.notices),
            rankings=_traced(wanted.query, legs, found, passages),
            withheld=found.withheld,
            widened=widened,
        )

    async def _first_legs(self, wanted: Wanted, visible_to: Readers, begun: Begun | None) -> tuple[list[Leg], set[str]]:
        """Of the query, of the question as typed where that differs, and of the translations."""
        asked = wanted.asked or wanted.query
        texts = [_Text(text=wanted.query, language=wanted.language)]
        if asked != wanted.query:
            texts.append(_Text(text=asked, language=wanted.language, label=TYPED))
        # A translation is worth an embedding where the model does not cover the question's own language.
        lexical_only = self._index.covers(wanted.language)
        texts += [
            _Text(text=text, language=language, label=language, lexical_only=lexical_only)
            for language, text in wanted.translations.items()
            if language != wanted.language
        ]
        if begun is None or (begun.asked, begun.language, begun.visible_to) != (asked, wanted.language, visible_to):
            return await self._ranked(texts, visible_to)
        known = next(text for text in texts if text.text == asked)
        texts.remove(known)
        legs, notices = await self._ranked(texts, visible_to)
        return [*(_labelled(leg, known.label) for leg in begun.legs), *legs], notices | set(begun.notices)

    def _variants(self, wanted: Wanted, legs: Sequence[Leg]) -> list[_Text]:
        had = {leg.query for leg in legs}
        return [
            _Text(text=text, language=wanted.language, label=f"variant{number}")
            for number, text in enumerate(wanted.variants, start=1)
            if text not in had
        ]

    async def _ranked(self, texts: Sequence[_Text], visible_to: Readers) -> tuple[list[Leg], set[str]]:
        """The legs of all texts, in their order, and what was left out."""
        if len(texts) == 1:
            ranked = [await self._legs(texts[0], visible_to)]
        else:
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._legs(text, visible_to)) for text in texts]
            except ExceptionGroup as failures:
                # They fail alike, for one reason: the index.
                raise failures.exceptions[0] from failures
            ranked = [task.result() for task in tasks]
        return [leg for legs, _ in ranked for leg in legs], {notice for _, notice in ranked if notice}

    async def _legs(self, text: _Text, visible_to: Readers) -> tuple[list[Leg], str]:
        async def rank(*, lexical_only: bool) -> list[Leg]:
            return await self._index.rank(
                text.text,
                visible_to=visible_to,
                language=text.language,
                label=text.label,
                lexical_only=lexical_only,
            )

        try:
            return await rank(lexical_only=text.lexical_only), ""
        except (ModelUnavailable, ModelMisconfigured) as error:
            return await rank(lexical_only=True), f"searched by words alone: {error}"

    async def _found(self, wanted: Wanted, legs: Sequence[Leg], visible_to: Readers) -> _Found:
        limit = max(CANDIDATES, self._candidates)
        fused = await self._index.hits(legs, visible_to=visible_to, limit=limit)
        # The index may be before or behind the ledger for as long as one commit group takes, and after an accident.
        allowed = await self._readable({hit.chunk.id for hit in fused}, visible_to)
        kept = [hit for hit in fused if hit.chunk.id in allowed]
        reranked, notices = await self._reranked(wanted.query, kept)
        readable = kept if reranked is None else reranked
        evidence = await asyncio.to_thread(self._witness, wanted, readable[:CANDIDATES])
        return _Found(
            fused=fused,
            reranked=reranked,
            readable=readable,
            withheld=frozenset((hit.chunk.source, hit.chunk.document) for hit in fused if hit.chunk.id not in allowed),
            evidence=evidence,
            notices=notices,
        )

    async def _reranked(self, query: str, hits: list[Hit]) -> tuple[list[Hit] | None, tuple[str, ...]]:
        if self._reranker is None or not hits:
            return None, ()
        try:
            return await rerank(self._reranker, query, hits[: self._candidates]), ()
        except (ModelUnavailable, ModelMisconfigured) as error:
            return None, (f"fused order kept: {error}",)

    async def _chosen(
        self, wanted: Wanted, readable: Sequence[Hit], visible_to: Readers, attached: Sequence[Chunk], wider: int
    ) -> tuple[Passage, ...]:
        """The best of the files and of the hits, with what stands around them."""
        own = await asyncio.to_thread(ranked, wanted.query, attached, wanted.language) if attached else []
        had = {words(chunk) for chunk, _ in own}
        most, tokens = self._passages * wider, self._passage_tokens * wider
        per_document = max(1, self._per_document // wider)
        others = [hit for hit in readable if words(hit.chunk) not in had]
        found = await asyncio.to_thread(_spread, others, wanted, per_document)
        chosen = [
            *(
                Passage(number=1, chunk=chunk, score=score)
                for chunk, score in leading(own, found=len(found), passages=most)
            ),
            *found,
        ][:most]
        fitting = within([replace(passage, number=at) for at, passage in enumerate(chosen, start=1)], tokens)
        return await surrounded(
            fitting, neighbours=self._neighbours, own=attached, visible_to=visible_to, tokens=tokens
        )


async def rerank(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """`hits` by the reranker's scores, best first. Raises `ModelUnavailable`, `ModelMisconfigured`."""
    scores = await reranker.scores(query, [hit.chunk.indexed_text for hit in hits])
    scored = [
        replace(hit, score=score, legs={**hit.legs, "reranker": score}) for hit, score in zip(hits, scores, strict=True)
    ]
    return sorted(scored, key=lambda hit: (-hit.score, hit.chunk.id))


def _spread(hits: Sequence[Hit], wanted: Wanted, per_document: int) -> list[Passage]:
    """Each text once, and of no document more than `per_document`; not yet numbered."""
    had: Counter[tuple[str, str]] = Counter()
    kept: list[Passage] = []
    for versioned in collapsed(hits, f"{wanted.query} {wanted.asked}"):
        chunk = versioned.hit.chunk
        document = (chunk.source, chunk.document)
        if had[document] < per_document:
            had[document] += 1
            kept.append(Passage(number=1, chunk=chunk, score=versioned.hit.score, newer=versioned.newer))
    shown = {passage.chunk.id for passage in kept}
    return [replace(passage, newer=None) if passage.newer not in shown else passage for passage in kept]


def _labelled(leg: Leg, label: str) -> Leg:
    return replace(leg, name=f"{leg.name}:{label}") if label else leg


def _why(wanted: Wanted) -> str:
    variants = f" with {len(wanted.variants)} other wordings" if wanted.variants else ""
    return f"the evidence of the first search was weak: searched{variants} for more passages of more documents"


def _traced(query: str, legs: Sequence[Leg], found: _Found, passages: Sequence[Passage]) -> tuple[TracedRanking, ...]:
    """Every stage; of a chunk that the ledger withholds no title, and of one that no hit came of nothing."""
    titles = {hit.chunk.id: hit.chunk.title for hit in found.readable}
    chunks = {hit.chunk.id: hit.chunk for hit in found.fused}
    for passage in passages:
        chunks[passage.chunk.id] = passage.chunk
        titles[passage.chunk.id] = passage.chunk.title

    def traced(stage: str, query: str, ranking: Sequence[tuple[ChunkId, float]]) -> TracedRanking:
        best = ((chunks[id], score) for id, score in ranking[:SHOWN_HITS] if id in chunks)
        return TracedRanking(
            stage=stage,
            query=query,
            hits=tuple(
                TracedHit(
                    chunk=chunk.id,
                    source=chunk.source,
                    document=chunk.document,
                    title=titles.get(chunk.id, ""),
                    score=score,
                )
                for chunk, score in best
            ),
            found=len(ranking),
        )

    stages = {"fused": found.fused, "reranked": found.reranked, "readable": found.readable}
    return (
        *(traced(leg.name, leg.query, [(one.id, one.score) for one in leg.ranking]) for leg in legs),
        *(
            traced(stage, query, [(hit.chunk.id, hit.score) for hit in hits])
            for stage, hits in stages.items()
            if hits is not None
        ),
        traced("passages", query, [(passage.chunk.id, passage.score) for passage in passages]),
    )
