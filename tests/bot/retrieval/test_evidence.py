"""What a search tells of whether it found an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.retrieval.evidence import DENSE_FEATURES, FEATURES, LEXICAL_FEATURES, RERANKER_FEATURES, witness
from bot.retrieval.interface import Wanted
from ingest.index.interface import Hit
from tests.fixtures.passages import chunk


def hit(text: str, language: str = "en", score: float = 1.0, legs: Mapping[str, float] | None = None) -> Hit:
    found = chunk(text, document=text[:40], title="", headings=(), language=language)
    return Hit(chunk=found, score=score, legs={"lexical": score} if legs is None else legs)


def features(query: str, *hits: Hit, language: str | None = "en", **wanted: object) -> Mapping[str, float]:
    return witness(Wanted(query=query, language=language, **wanted), hits).features  # type: ignore[arg-type]


OTHERS = tuple(hit(f"The office in {town} opens at eight.", score=0.5) for town in ("Lyon", "Hamburg", "Dublin"))


def test_a_passage_with_the_words_of_the_question_covers_more_than_its_sibling() -> None:
    asked = "When does the garage in Hamburg close at night?"
    answers = features(asked, hit("The garage in Hamburg closes at ten every night."), *OTHERS)
    sibling = features(asked, hit("The garage in Hamburg has eighteen places."), *OTHERS)
    assert answers["cover"] > sibling["cover"] + 0.2
    assert answers["lead"] > sibling["lead"]


def test_a_rare_word_counts_for_more_than_one_that_every_hit_has() -> None:
    rare = features("garage office", hit("The garage is open."), *OTHERS)
    common = features("garage office", hit("The office is open."), *OTHERS)
    assert rare["cover"] > common["cover"]


def test_function_words_prove_nothing() -> None:
    assert features("What is the weather?", hit("What is the price of the ticket?"), *OTHERS)["cover"] == 0.0
    assert features("什么是天气？", hit("什么是价格？", "zh"), language="zh")["cover"] == 0.0


@pytest.mark.parametrize(
    ("language", "asked", "answers", "sibling"),
    [
        (
            "de",
            "Wie hoch ist die Stellplatzmiete?",
            "Die Miete eines Stellplatzes ist 65 Euro.",
            "Der Urlaub ist kurz.",
        ),
        ("zh", "停车位的价格是多少？", "停车位的价格每月六十五欧元。", "年假有三十天。"),
        ("ar", "ما هو سعر الموقف؟", "سعر الموقف خمسة وستون يورو.", "مدة الإجازة ثلاثون يوما."),
        ("th", "ราคาที่จอดรถ", "ราคาที่จอดรถ เดือนละ", "วันลาพักร้อน"),
    ],
)
def test_words_are_compared_as_the_script_has_them(language: str, asked: str, answers: str, sibling: str) -> None:
    found = features(asked, hit(answers, language), language=language)["cover"]
    assert found > features(asked, hit(sibling, language), language=language)["cover"] + 0.1


def test_a_passage_in_another_language_is_compared_with_the_translation() -> None:
    found = hit("Der Urlaub beträgt dreißig Tage im Jahr.", "de")
    alone = features("How many days of leave per year?", found)
    translated = features(
        "How many days of leave per year?", found, translations={"de": "Wie viele Tage Urlaub im Jahr?"}
    )
    assert (alone["foreign"], translated["foreign"]) == (1.0, 0.0)
    assert translated["cover"] > alone["cover"] + 0.3


def test_words_that_no_passage_knows_do_not_count_against_one_in_another_language() -> None:
    asked, text = "Wann schließt die Tiefgarage in Dublin?", "The car park in Dublin closes at ten."
    foreign, own = (features(asked, hit(text, spoken), language="de")["cover"] for spoken in ("en", "de"))
    assert foreign > own + 0.2


def test_a_query_whose_language_cannot_be_told_is_foreign_nowhere() -> None:
    assert features("VPN P-211", hit("P-211: the certificate has expired."), language=None)["foreign"] == 0.0


def test_names_that_the_first_hit_lacks_are_told() -> None:
    asked = "where is the Skellig room in Dublin"
    assert features(asked, hit("Skellig is a room in Dublin."))["names"] == 0.0
    assert features(asked, hit("Watt is a room in Dublin."))["names"] == 0.5


def test_each_leg_that_took_part_has_its_features_and_no_other_leg_has() -> None:
    words = hit("The garage is open.")
    assert set(features("garage", words)) == set(LEXICAL_FEATURES)
    dense = hit("The garage is open.", legs={"lexical": 3.0, "dense": 0.7})
    assert set(features("garage", dense, words)) == {*LEXICAL_FEATURES, *DENSE_FEATURES}
    every = hit("The garage is open.", legs={"lexical:de": 3.0, "dense": 0.7, "reranker": 2.0})
    assert set(features("garage", every)) == {*LEXICAL_FEATURES, *DENSE_FEATURES, *RERANKER_FEATURES}
    assert features("garage", every)["weight"] == 3.0


def test_legs_agree_when_both_put_the_same_passage_first() -> None:
    one = hit("The garage is open.", legs={"lexical": 3.0, "dense": 0.7})
    other = hit("The office is open.", legs={"lexical": 1.0, "dense": 0.9})
    assert features("garage", one, other)["agreement"] == 0.0
    assert features("garage", one)["agreement"] == 1.0


def test_the_drop_is_to_the_fiftieth_hit_and_to_nothing_where_there_are_fewer() -> None:
    hits = [hit(f"Garage {place}.", legs={"lexical": 20.0 - 0.1 * place}) for place in range(60)]
    assert features("garage", *hits)["drop"] == pytest.approx(math.log1p(4.9))
    assert features("garage", *hits[:49])["drop"] == pytest.approx(math.log1p(20.0))


def test_to_find_nothing_is_evidence_too() -> None:
    found = features("Where is the garage?")
    assert set(found) == set(LEXICAL_FEATURES)
    assert found["cover"] == found["drop"] == found["weight"] == 0.0


@given(
    query=st.text(max_size=60),
    texts=st.lists(st.text(max_size=120), max_size=12),
    language=st.sampled_from(["en", "de", "zh", "ja", "ar", "th", "und", None]),
    spoken=st.sampled_from(["en", "zh", "und"]),
)
def test_whatever_is_asked_and_found_the_evidence_is_finite(
    query: str, texts: list[str], language: str | None, spoken: str
) -> None:
    found = features(
        query, *(hit(text, spoken, score=len(texts) - at) for at, text in enumerate(texts)), language=language
    )
    assert set(found) <= set(FEATURES)
    assert all(math.isfinite(value) for value in found.values())
    assert all(0 <= found[name] <= 1 for name in ("cover", "lead", "names"))
