"""What is wanted and an audience in, passages out: over a real index, with a ledger that tests change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.model import ATTACHED
from bot.retrieval.interface import Evidence, Wanted
from bot.retrieval.retrieve import Retriever
from bot.trace import SHOWN_HITS
from ingest.chunk import estimate_tokens
from ingest.index.fusion import Leg
from ingest.index.hybrid import Index
from ingest.index.interface import EmbeddingSettings, Hit, IndexUnavailable, ModelUnavailable, Reranker
from ingest.index.server import MEMORY, ServerStore
from ingest.model import Chunk, ChunkId, DocumentId, Readers
from tests.fixtures.models import HashingEmbedder, OverlapReranker
from tests.fixtures.passages import chunk

MEMBER = frozenset({"everyone", "public"})

LEAVE = [
    chunk("Leave is for everyone.", document="leave.md", position=0, headings=("Leave",)),
    chunk("In Dublin you have 25 days of leave a year.", document="leave.md", position=1, headings=("Leave", "Dublin")),
    chunk(
        "In Hamburg you have 30 days of leave a year.", document="leave.md", position=2, headings=("Leave", "Hamburg")
    ),
    chunk("In Lyon you have 27 days of leave a year.", document="leave.md", position=3, headings=("Leave", "Lyon")),
    chunk("Unpaid leave is agreed with the manager.", document="unpaid.md", title="Unpaid leave", headings=()),
    chunk("Der Resturlaub verfällt im März.", document="urlaub.md", title="Urlaub", headings=(), language="de"),
    chunk("Die Kantine öffnet um elf.", document="kantine.md", title="Kantine", headings=(), language="de"),
    chunk("Badges open the office doors.", document="badges.md", title="Badges", headings=()),
    chunk("Nobody but finance knows the bonus.", document="bonus.md", title="Bonus", headings=()),
]

PASSWORDS = [
    chunk(
        f"Ein Passwort hat mindestens {characters} Zeichen. {rest}",
        document=document,
        title=title,
        headings=("Anforderungen",),
        language="de",
        updated_at=datetime(year, 4, 14, tzinfo=UTC),
    )
    for characters, rest, document, title, year in [
        (
            10,
            "Das Passwort muss alle 90 Tage geändert werden.",
            "it/passwort-2022.md",
            "Passwortrichtlinie (2022)",
            2022,
        ),
        (14, "Länge schlägt Sonderzeichen.", "it/passwort.html", "Passwortrichtlinie", 2025),
    ]
]


class Library:
    """Chunks in an index, and what the ledger says of them."""

    def __init__(self, index: Index, chunks: Sequence[Chunk]) -> None:
        self.index = index
        self.gone: set[ChunkId] = set()
        self.ranked: list[str] = []
        self.witnessed: list[Sequence[Hit]] = []
        self._chunks = chunks

    async def rank(
        self, text: str, *, visible_to: Readers, language: str | None, label: str = "", lexical_only: bool = False
    ) -> list[Leg]:
        self.ranked.append(text)
        return await self.index.rank(
            text, visible_to=visible_to, language=language, label=label, lexical_only=lexical_only
        )

    async def hits(self, legs: Sequence[Leg], *, visible_to: Readers, limit: int) -> list[Hit]:
        return await self.index.hits(legs, visible_to=visible_to, limit=limit)

    def covers(self, language: str | None) -> bool:
        return self.index.covers(language)

    async def readable(self, ids: Iterable[ChunkId], tokens: Readers) -> set[ChunkId]:
        known = {each.id for each in self._chunks if each.readers & tokens} - self.gone
        return known & set(ids)

    async def neighbours(self, places: Sequence[tuple[str, DocumentId, range]], tokens: Readers) -> list[Chunk]:
        return [
            each
            for each in self._chunks
            if each.readers & tokens
            and each.id not in self.gone
            and any((each.source, each.document) == place[:2] and each.position in place[2] for place in places)
        ]

    def witness(self, wanted: Wanted, hits: Sequence[Hit]) -> Evidence:
        self.witnessed.append(hits)
        return Evidence(features={"hits": float(len(hits))})

    def retriever(
        self,
        *,
        reranker: Reranker | None = None,
        candidates: int = 0,
        passages: int = 4,
        per_document: int = 2,
        tokens: int = 2000,
    ) -> Retriever:
        return Retriever(
            self,
            readable=self.readable,
            neighbours=self.neighbours,
            reranker=reranker,
            candidates=candidates,
            passages=passages,
            per_document=per_document,
            passage_tokens=tokens,
            witness=self.witness,
        )


async def library(
    chunks: Sequence[Chunk] = LEAVE, embedder: HashingEmbedder | None = None, **settings: object
) -> Library:
    configured = EmbeddingSettings(local="model", **settings) if embedder else None  # type: ignore[arg-type]
    index = Index.of(ServerStore(MEMORY, collection="x"), embedder, configured)
    await index.prepare(chunks)
    await index.write(chunks)
    return Library(index, chunks)


def wanted(query: str, language: str | None = "en", **fields: object) -> Wanted:
    return Wanted(query=query, language=language, **fields)  # type: ignore[arg-type]


async def documents(retriever: Retriever, what: Wanted, **options: object) -> list[str]:
    found = await retriever.retrieve(what, visible_to=MEMBER, **options)  # type: ignore[arg-type]
    return [passage.chunk.document for passage in found.passages]


async def test_passages_are_numbered_in_order_and_read_with_what_stands_around_them() -> None:
    shelf = await library()
    found = await shelf.retriever(passages=1).retrieve(wanted("days of leave in Hamburg"), visible_to=MEMBER)
    (passage,) = found.passages
    assert (passage.number, passage.chunk) == (1, LEAVE[2])
    assert "25 days" in passage.before
    assert "27 days" in passage.after
    assert found.notices == ()


async def test_of_one_document_come_only_so_many_passages() -> None:
    shelf = await library()
    for most in (1, 2, 3):
        found = await documents(shelf.retriever(per_document=most, passages=8), wanted("days of leave a year"))
        assert found.count("leave.md") == most
        assert "unpaid.md" in found


async def test_all_passages_together_stay_within_their_tokens() -> None:
    shelf = await library()
    for tokens in (1, 40, 60, 100, 400):
        found = await shelf.retriever(passages=8, tokens=tokens).retrieve(wanted("days of leave"), visible_to=MEMBER)
        taken = [estimate_tokens(f"{passage.chunk.heading}\n{passage.text}") for passage in found.passages]
        assert sum(taken) <= tokens + len(taken) or len(taken) == 1
        assert taken


async def test_the_question_as_typed_is_ranked_once_when_it_was_begun() -> None:
    shelf = await library()
    retriever = shelf.retriever()
    begun = await retriever.begin("days of leave", "en", visible_to=MEMBER)
    found = await retriever.retrieve(wanted("days of leave"), visible_to=MEMBER, begun=begun)
    assert shelf.ranked == ["days of leave"]
    assert [ranking.stage for ranking in found.rankings] == ["lexical", "fused", "readable", "passages"]


async def test_a_follow_up_is_searched_as_it_stands_alone_and_as_it_was_typed() -> None:
    shelf = await library()
    retriever = shelf.retriever()
    begun = await retriever.begin("and in Lyon?", "en", visible_to=MEMBER)
    what = wanted("days of leave in Lyon", asked="and in Lyon?")
    found = await retriever.retrieve(what, visible_to=MEMBER, begun=begun)
    assert shelf.ranked == ["and in Lyon?", "days of leave in Lyon"]
    assert {ranking.stage: ranking.query for ranking in found.rankings[:2]} == {
        "lexical": "days of leave in Lyon",
        "lexical:typed": "and in Lyon?",
    }
    assert found.passages[0].chunk == LEAVE[3]
    unbegun = await retriever.retrieve(what, visible_to=MEMBER)
    assert unbegun.passages == found.passages


async def test_a_question_that_was_put_wrongly_is_still_found_as_it_was_typed() -> None:
    shelf = await library()
    what = wanted("badges", asked="how many days in Hamburg")
    assert "leave.md" in await documents(shelf.retriever(), what)


async def test_what_was_begun_for_other_readers_is_not_used() -> None:
    secret = chunk("The bonus pool is 2 million.", document="pool.md", readers=frozenset({"group:finance"}))
    shelf = await library([*LEAVE, secret])
    retriever = shelf.retriever()
    begun = await retriever.begin("bonus pool", "en", visible_to=MEMBER | {"group:finance"})
    found = await retriever.retrieve(wanted("bonus pool"), visible_to=MEMBER, begun=begun)
    assert len(shelf.ranked) == 2
    assert all(hit.document != "pool.md" for ranking in found.rankings for hit in ranking.hits)


async def test_a_translation_finds_documents_in_its_language() -> None:
    shelf = await library()
    french = wanted("jours de congé", "fr")
    assert "urlaub.md" not in await documents(shelf.retriever(), french)
    translated = replace(french, translations={"de": "Wann verfällt der Resturlaub?", "fr": "ignored"})
    found = await shelf.retriever().retrieve(translated, visible_to=MEMBER)
    assert found.passages[0].chunk.document == "urlaub.md"
    assert "lexical:de" in [ranking.stage for ranking in found.rankings]
    assert "ignored" not in shelf.ranked


async def test_a_translation_is_embedded_only_where_the_model_does_not_cover_the_question() -> None:
    for language, stages in [("en", {"dense"}), ("fr", {"dense:en"})]:
        shelf = await library(embedder=HashingEmbedder(), languages=("en", "es"))
        translation = {"es": "permiso"} if language == "en" else {"en": "leave"}
        what = wanted("leave", language, translations=translation)
        found = await shelf.retriever().retrieve(what, visible_to=MEMBER)
        assert {ranking.stage for ranking in found.rankings if ranking.stage.startswith("dense")} == stages


async def test_a_model_that_is_down_is_told_once_and_words_find_alone() -> None:
    class Busy(HashingEmbedder):
        async def embed_query(self, text: str) -> list[float]:
            raise ModelUnavailable("the embedding model is busy")

    shelf = await library(embedder=Busy())
    what = wanted("days in Hamburg", asked="and there?")
    found = await shelf.retriever().retrieve(what, visible_to=MEMBER)
    assert found.notices == ("searched by words alone: the embedding model is busy",)
    assert found.passages[0].chunk == LEAVE[2]


@pytest.mark.parametrize("asked", ["", "and there?"])
async def test_an_index_that_is_away_is_told_as_what_it_is(asked: str) -> None:
    class Away(Library):
        async def rank(self, text: str, **options: object) -> list[Leg]:
            raise IndexUnavailable("the index is away")

    shelf = Away((await library()).index, LEAVE)
    with pytest.raises(IndexUnavailable, match="the index is away"):
        await shelf.retriever().retrieve(wanted("leave", asked=asked), visible_to=MEMBER)


class Counting(OverlapReranker):
    """Keeps what it read; finds Dublin best."""

    read: Sequence[str] = ()

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        self.read = texts
        return [float("Dublin" in text) for text in texts]


async def test_the_reranker_reads_its_candidates_and_decides_their_order() -> None:
    shelf = await library()
    counting = Counting()
    retriever = shelf.retriever(reranker=counting, candidates=3, passages=2)
    found = await retriever.retrieve(wanted("days of leave a year in Hamburg"), visible_to=MEMBER)
    assert len(counting.read) == 3
    assert found.passages[0].chunk == LEAVE[1]
    stages = {ranking.stage: ranking for ranking in found.rankings}
    assert stages["reranked"].found == 3
    assert stages["fused"].hits[0].chunk == LEAVE[2].id
    assert shelf.witnessed[-1][0].legs["reranker"] == 1.0


async def test_the_reranker_is_not_given_what_the_ledger_does_not_let_read() -> None:
    shelf = await library()
    shelf.gone = {LEAVE[1].id, LEAVE[2].id}
    counting = Counting()
    found = await shelf.retriever(reranker=counting, candidates=3).retrieve(
        wanted("days of leave a year in Hamburg"), visible_to=MEMBER
    )
    assert len(counting.read) == 3
    assert not any("Hamburg" in text or "Dublin" in text for text in counting.read)
    assert found.withheld == {(LEAVE[1].source, LEAVE[1].document)}


async def test_a_reranker_that_is_down_leaves_the_order_and_is_told() -> None:
    class Busy(OverlapReranker):
        async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
            raise ModelUnavailable("the reranker is busy")

    shelf = await library()
    found = await shelf.retriever(reranker=Busy()).retrieve(wanted("days in Hamburg"), visible_to=MEMBER)
    assert found.passages[0].chunk == LEAVE[2]
    assert found.notices == ("fused order kept: the reranker is busy",)


async def test_what_the_ledger_does_not_let_read_is_counted_and_neither_shown_nor_named() -> None:
    shelf = await library()
    shelf.gone = {LEAVE[2].id, LEAVE[8].id}
    found = await shelf.retriever().retrieve(wanted("days in Hamburg, and the bonus"), visible_to=MEMBER)
    assert found.withheld == {(LEAVE[at].source, LEAVE[at].document) for at in (2, 8)}
    assert not any("Hamburg" in passage.text or "bonus" in passage.text for passage in found.passages)
    assert all(hit.chunk.id not in shelf.gone for hit in shelf.witnessed[-1])
    named = {hit.title for ranking in found.rankings for hit in ranking.hits if hit.chunk in shelf.gone}
    assert named == {""}
    assert not {hit.chunk for ranking in found.rankings[-2:] for hit in ranking.hits} & shelf.gone


async def test_the_newer_of_two_versions_comes_first_with_the_older_that_says_otherwise_behind_it() -> None:
    shelf = await library([*LEAVE, *PASSWORDS])
    query = "wie lang muss mein passwort mindestens sein, alle wie viele tage geändert"
    found = await shelf.retriever().retrieve(wanted(query, "de"), visible_to=MEMBER)
    fused = next(ranking for ranking in found.rankings if ranking.stage == "fused")
    assert fused.hits[0].document == "it/passwort-2022.md"
    assert [passage.chunk for passage in found.passages[:2]] == PASSWORDS[::-1]
    assert [passage.newer for passage in found.passages[:2]] == [None, PASSWORDS[1].id]
    assert {hit.chunk.id for hit in shelf.witnessed[-1]} >= {each.id for each in PASSWORDS}


async def test_files_of_the_conversation_come_first_and_leave_room_for_the_index() -> None:
    pages = [
        chunk(
            f"Offer, part {at}: leave of {at} days.", document="offer.pdf", source=ATTACHED, position=at, title="Offer"
        )
        for at in range(6)
    ]
    shelf = await library()
    found = await documents(shelf.retriever(per_document=1), wanted("days of leave"), attached=pages)
    assert found == ["offer.pdf", "offer.pdf", "leave.md", "unpaid.md"]
    nothing = await documents(shelf.retriever(), wanted("qqq zzz"), attached=pages[:1])
    assert nothing == ["offer.pdf"]


async def test_a_page_that_is_attached_too_is_one_passage() -> None:
    shelf = await library()
    own = replace(LEAVE[2], source=ATTACHED, id=ChunkId("own"))
    found = await shelf.retriever().retrieve(wanted("days in Hamburg"), visible_to=MEMBER, attached=[own])
    assert [passage.chunk.id for passage in found.passages if passage.chunk.text == own.text] == ["own"]


@pytest.mark.parametrize(
    ("plan", "weak", "widened"),
    [
        ({}, True, False),
        ({"broad": True}, False, False),
        ({"broad": True}, True, True),
        ({"variants": ("office doors",)}, False, False),
        ({"variants": ("office doors",)}, True, True),
        ({"broad": True, "variants": ("office doors", "holidays")}, True, True),
    ],
)
async def test_a_weak_search_is_widened_where_the_question_calls_for_it(
    plan: dict[str, object], weak: bool, widened: bool
) -> None:
    shelf = await library()
    judged: list[Evidence] = []

    def judge(evidence: Evidence) -> bool:
        judged.append(evidence)
        return weak

    retriever = shelf.retriever(passages=1, per_document=2)
    found = await retriever.retrieve(wanted("days of leave", **plan), visible_to=MEMBER, weak=judge)
    assert bool(found.widened) is widened
    assert len(judged) <= 1
    assert len(found.passages) == (2 if widened else 1)
    variants = plan.get("variants", ()) if widened else ()
    assert shelf.ranked == ["days of leave", *variants]  # type: ignore[misc]
    if variants:
        assert "badges.md" in [passage.chunk.document for passage in found.passages]
        assert "lexical:variant1" in [ranking.stage for ranking in found.rankings]
    if widened:  # twice as many passages, and of a document half as many
        of = [passage.chunk.document for passage in found.passages]
        assert len(set(of)) == len(of) > 1


async def test_without_somebody_to_judge_nothing_is_widened() -> None:
    shelf = await library()
    found = await shelf.retriever().retrieve(wanted("leave", broad=True, variants=("days",)), visible_to=MEMBER)
    assert found.widened == ""


async def test_who_holds_nothing_finds_nothing_and_that_is_evidence_too() -> None:
    shelf = await library()
    found = await shelf.retriever().retrieve(wanted("leave"), visible_to=frozenset())
    assert (found.passages, found.evidence.features) == ((), {"hits": 0.0})


async def test_a_trace_shows_the_best_of_each_stage_and_how_many_there_were() -> None:
    many = [chunk(f"Leave rule {at}.", document=f"{at}.md", title=f"Rule {at}") for at in range(150)]
    shelf = await library(many)
    found = await shelf.retriever().retrieve(wanted("leave rule"), visible_to=MEMBER)
    stages = {ranking.stage: ranking for ranking in found.rankings}
    assert {stage: ranking.found for stage, ranking in stages.items()} == {
        "lexical": 150,
        "fused": 100,
        "readable": 100,
        "passages": 4,
    }
    assert all(len(ranking.hits) == min(SHOWN_HITS, ranking.found) for ranking in stages.values())
    assert [hit.chunk for hit in stages["passages"].hits] == [passage.chunk.id for passage in found.passages]
