from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.index.fusion import FOREIGN, FOREIGN_SHARE, FURTHER, Leg, fuse
from ingest.index.interface import Ranked
from ingest.model import ChunkId


def leg(name: str, language: str | None = "en", **scores: float) -> Leg:
    ranking = [Ranked(id=ChunkId(id), score=score) for id, score in scores.items()]
    return Leg(name=name, query="leave", language=language, ranking=ranking)


def order(*legs: Leg, share: float = 0.3, languages: Mapping[str, str] | None = None) -> list[str]:
    known = None if languages is None else {ChunkId(id): language for id, language in languages.items()}
    return [id for id, _ in fuse(legs, dense_share=share, languages=known)]


def test_a_single_leg_keeps_its_order_whatever_the_dense_share() -> None:
    assert fuse([leg("lexical", a=9, b=5, c=1)], dense_share=0.9) == [("a", 1.0), ("b", 0.5), ("c", 0.0)]
    assert fuse([leg("dense", a=9, b=5, c=1)], dense_share=0.1) == [("a", 1.0), ("b", 0.5), ("c", 0.0)]


def test_legs_are_scaled_alike_before_they_are_weighed() -> None:
    legs = (leg("lexical", a=900, b=450, c=0), leg("dense", b=0.9, a=0.7, c=0.5))
    assert order(*legs, share=0.3) == ["a", "b", "c"]
    assert order(*legs, share=0.7) == ["b", "a", "c"]


def test_a_chunk_of_one_leg_only_gets_nothing_from_the_other() -> None:
    legs = (leg("lexical", a=2, b=1), leg("dense", x=0.9, y=0.1))
    assert fuse(legs, dense_share=0.25) == [("a", 0.75), ("x", 0.25), ("b", 0.0), ("y", 0.0)]


def test_an_empty_leg_leaves_the_other_as_it_is() -> None:
    assert fuse([leg("lexical"), leg("dense", a=2, b=1)], dense_share=0.3) == [("a", 1.0), ("b", 0.0)]
    assert fuse([leg("dense"), leg("lexical", a=2, b=1)], dense_share=0.3) == [("a", 1.0), ("b", 0.0)]


def test_of_several_texts_the_best_counts_and_the_first_weighs_most() -> None:
    legs = (leg("lexical", a=2, b=1), leg("lexical:typed", x=8, b=7, c=1))
    assert fuse(legs, dense_share=0.3) == [
        ("a", 1.0),
        ("x", FURTHER),
        ("b", pytest.approx(FURTHER * 6 / 7)),
        ("c", 0.0),
    ]


def test_a_translation_finds_what_the_words_of_another_language_do_not_outbid() -> None:
    german = leg("lexical", "de", hotel=3, leave=1, none=0)
    english = leg("lexical:en", "en", leave=30, travel=20, none=0)
    languages = {"hotel": "en", "leave": "en", "travel": "en", "none": "en"}
    scores = dict(fuse([german, english], dense_share=0.3, languages={ChunkId(k): v for k, v in languages.items()}))
    assert order(german, english) == ["hotel", "leave", "travel", "none"]
    assert order(german, english, languages=languages) == ["leave", "travel", "hotel", "none"]
    assert scores[ChunkId("hotel")] == FOREIGN


def test_of_equals_the_one_in_the_language_of_the_question_comes_first() -> None:
    german = leg("lexical", "de", x_urlaub=3, none=0)
    english = leg("lexical:en", "en", a_leave=30, none=0)
    assert order(german, english, languages={"x_urlaub": "de", "a_leave": "en", "none": "de"})[0] == "x_urlaub"


@pytest.mark.parametrize("language", ["fr", "und"])
def test_a_chunk_in_a_language_without_a_leg_of_its_own_counts_whole(language: str) -> None:
    legs = (leg("lexical", "de", vpn=2, none=0), leg("lexical:en", "en", vpn=1, other=5, none=0))
    languages = {ChunkId("vpn"): language, ChunkId("other"): "en", ChunkId("none"): "en"}
    assert dict(fuse(legs, dense_share=0.3, languages=languages))[ChunkId("vpn")] == 1.0


def test_where_no_words_are_in_the_language_of_the_chunk_meaning_counts_more() -> None:
    legs = (leg("lexical", "de", cognate=2, meant=1, none=0), leg("dense", "de", meant=2, cognate=1, none=0))
    english = {"cognate": "en", "meant": "en", "none": "en"}
    assert order(*legs, share=0.2) == ["cognate", "meant", "none"]
    assert order(*legs, share=0.2, languages=dict.fromkeys(english, "de")) == ["cognate", "meant", "none"]
    scores = dict(fuse(legs, dense_share=0.2, languages={ChunkId(k): v for k, v in english.items()}))
    assert scores[ChunkId("meant")] == pytest.approx((1 - FOREIGN_SHARE) * 0.5 + FOREIGN_SHARE)
    assert dict(fuse(legs, dense_share=0, languages={ChunkId(k): v for k, v in english.items()}))["meant"] == 0.5


def test_a_chunk_that_may_not_be_read_is_left_out_where_languages_are_given() -> None:
    assert order(leg("lexical", a=2, b=1), languages={"b": "en"}) == ["b"]


@given(ids=st.lists(st.text("abc", min_size=1), unique=True))
def test_equal_scores_are_ordered_by_id(ids: list[str]) -> None:
    legs = [leg(name, **dict.fromkeys(ids, 1.0)) for name in ("lexical", "dense")]
    assert order(*legs) == sorted(ids)
