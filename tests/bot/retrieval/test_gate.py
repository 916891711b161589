"""Whether the evidence is enough, by what was learned for this configuration."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.retrieval.evidence import DENSE_FEATURES, LEXICAL_FEATURES, witness
from bot.retrieval.gate import (
    FILE_NAME,
    PACKAGED,
    CalibratedGate,
    Calibration,
    configuration_of,
    load_gate,
    read_calibrations,
    write_calibrations,
)
from bot.retrieval.interface import Evidence, Wanted
from ingest.errors import ConfigurationError
from ingest.index.interface import EmbeddingSettings, Hit, RerankerSettings
from tests.fixtures.passages import chunk

WORDS = configuration_of(None, None)
EMBEDDING = EmbeddingSettings(base_url="http://models/v1", model="bge-m3")


def calibration(
    configuration: str = WORDS, features: tuple[str, ...] = ("cover",), threshold: float = 0.5, deviation: float = 1.0
) -> Calibration:
    count = len(features)
    return Calibration(
        configuration=configuration,
        features=features,
        means=(0.0,) * count,
        deviations=(deviation,) * count,
        weights=(4.0,) * count,
        bias=-2.0,
        threshold=threshold,
        over_refusal=0.05,
    )


def evidence(**features: float) -> Evidence:
    return Evidence(features=features)


def searched(query: str, *texts: str, language: str = "en") -> Evidence:
    hits = [
        Hit(
            chunk=chunk(text, document=text, title="", headings=()),
            score=20.0 / (at + 1),
            legs={"lexical": 20.0 / (at + 1)},
        )
        for at, text in enumerate(texts)
    ]
    return witness(Wanted(query=query, language=language), hits)


def test_the_evidence_is_enough_from_the_threshold_on() -> None:
    gate = CalibratedGate([calibration()])
    assert gate.judge(evidence(cover=0.5)).enough
    assert not gate.judge(evidence(cover=0.4)).enough
    assert gate.judge(evidence(cover=0.9)).probability > gate.judge(evidence(cover=0.6)).probability


def test_a_question_is_judged_by_what_was_learned_for_the_same_legs() -> None:
    gate = CalibratedGate([calibration(features=("cover", "dense"), threshold=1.0), calibration(threshold=0.0)])
    assert not gate.judge(evidence(cover=0.5, dense=0.5)).enough
    assert gate.judge(evidence(cover=0.5)).enough


def test_legs_of_which_nothing_was_learned_refuse_nothing() -> None:
    assert CalibratedGate([calibration(threshold=1.0)]).judge(evidence(cover=0.0, dense=0.0)).enough


def test_evidence_unlike_anything_learned_from_refuses_nothing() -> None:
    gate = CalibratedGate([calibration(features=("cover", "foreign"), threshold=1.0, deviation=0.0)])
    assert not gate.judge(evidence(cover=0.0, foreign=0.0)).enough
    assert gate.judge(evidence(cover=0.0, foreign=1.0)).enough


def test_out_of_the_box_a_lexical_index_refuses_what_it_has_no_words_for(tmp_path: Path) -> None:
    gate = load_gate(tmp_path, WORDS)
    assert gate is not None
    texts = (
        "The garage in Hamburg closes at ten every night.",
        "Annual leave is thirty days.",
        "The office opens at eight.",
    )
    assert gate.judge(searched("When does the garage in Hamburg close at night?", *texts)).enough
    assert not gate.judge(searched("Which stock options does Corvandel Energy offer to new investors?", *texts)).enough
    assert not gate.judge(searched("When does the garage close?")).enough


def test_out_of_the_box_a_question_in_another_language_is_not_refused_for_its_words(tmp_path: Path) -> None:
    gate = load_gate(tmp_path, WORDS)
    assert gate is not None
    assert gate.judge(
        searched("Wann schließt die Tiefgarage nachts?", "The garage closes at ten.", language="de")
    ).enough


def test_what_is_packaged_was_learned_with_this_version_of_the_index() -> None:
    known = read_calibrations(PACKAGED)
    assert [(one.configuration, one.features) for one in known] == [(WORDS, LEXICAL_FEATURES)]


def test_a_companys_own_calibration_goes_before_the_packaged_one(tmp_path: Path) -> None:
    strict = calibration(features=LEXICAL_FEATURES).model_copy(update={"bias": -500.0})
    write_calibrations(tmp_path / FILE_NAME, [strict])
    gate = load_gate(tmp_path, WORDS)
    assert gate is not None
    assert not gate.judge(searched("garage", "The garage is open.")).enough


def test_a_calibration_for_another_configuration_is_left_out_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strict = calibration("an older one", LEXICAL_FEATURES).model_copy(update={"bias": -500.0})
    write_calibrations(tmp_path / FILE_NAME, [strict])
    with caplog.at_level(logging.WARNING):
        gate = load_gate(tmp_path, WORDS)
    assert gate is not None
    assert gate.judge(searched("garage closes", "The garage closes at ten.")).enough
    assert "bot calibrate" in caplog.text
    assert "an older one" in caplog.text


def test_with_an_embedding_model_nothing_is_refused_until_something_was_learned(tmp_path: Path) -> None:
    gate = load_gate(tmp_path, configuration_of(EMBEDDING, None))
    assert gate is not None
    low = dict.fromkeys((*LEXICAL_FEATURES, *DENSE_FEATURES), 0.0)
    assert gate.judge(Evidence(features=low)).enough


def test_whatever_changes_scores_changes_the_configuration() -> None:
    reranker = RerankerSettings(base_url="http://models/v1", model="reranker")
    configurations = [
        WORDS,
        configuration_of(EMBEDDING, None),
        configuration_of(EMBEDDING.model_copy(update={"weight": 0.5}), None),
        configuration_of(EMBEDDING.model_copy(update={"model": "other"}), None),
        configuration_of(EMBEDDING.model_copy(update={"languages": ("en",)}), None),
        configuration_of(EMBEDDING, reranker),
        configuration_of(None, reranker),
        configuration_of(None, reranker.model_copy(update={"candidates": 20})),
    ]
    assert len(set(configurations)) == len(configurations)


def test_writing_keeps_what_was_learned_for_other_configurations_and_legs(tmp_path: Path) -> None:
    path = tmp_path / "home" / FILE_NAME
    others = [calibration("other"), calibration(features=("cover", "dense"))]
    write_calibrations(path, [*others, calibration(threshold=0.1)])
    write_calibrations(path, [calibration(threshold=0.9)])
    assert sorted(read_calibrations(path), key=repr) == sorted([*others, calibration(threshold=0.9)], key=repr)


@pytest.mark.parametrize("text", ["", "{}", '{"calibrations": [{"configuration": "x"}]}', "not json"])
def test_a_broken_file_is_named_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigurationError, match=rf"{FILE_NAME} is no calibration .*bot calibrate"):
        load_gate(tmp_path, WORDS)


def test_a_file_whose_numbers_do_not_fit_its_features_is_broken(tmp_path: Path) -> None:
    fields = calibration().model_dump_json().replace('"weights":[4.0]', '"weights":[4.0,1.0]')
    (tmp_path / FILE_NAME).write_text(f'{{"calibrations": [{fields}]}}')
    with pytest.raises(ConfigurationError, match="one number for each"):
        load_gate(tmp_path, WORDS)
