"""A model that reads statements with their passages decides what figures and names leave open."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.writing.grounding.detector import DetectorSupport
from bot.writing.grounding.settings import GroundingSettings
from bot.writing.interface import Statement, Supported
from ingest.index.interface import ModelMisconfigured, ModelUnavailable
from tests.fixtures import models
from tests.fixtures.passages import passage

PASSAGES = (passage(1, "The train ticket is booked. Leave is 30 days a year."), passage(2, "The office door is open."))


async def verdict(folder: Path, text: str, **settings: object) -> Supported:
    checker = DetectorSupport(GroundingSettings(local=str(folder), **settings))  # type: ignore[arg-type]
    statement = Statement(text=text, cited=(1, 2))
    try:
        return (await checker.check([statement], PASSAGES, question="leave?", language="en"))[0]
    finally:
        await checker.close()


async def test_a_statement_with_an_unsupported_span_does_not_hold(tmp_path: Path) -> None:
    found = await verdict(models.token_classifier(tmp_path), "The train ticket ticket is booked.")
    assert not found.holds
    assert found.why.endswith("finds no support for `ticket ticket`")


async def test_a_statement_without_one_holds_by_the_passages_that_say_it(tmp_path: Path) -> None:
    folder = models.token_classifier(tmp_path)
    assert await verdict(folder, "The office door is open.") == Supported(holds=True, by=(2,))


async def test_a_span_below_the_threshold_stays(tmp_path: Path) -> None:
    folder = models.token_classifier(tmp_path)
    assert not (await verdict(folder, "The office door is open.", threshold=0.01)).holds
    assert (await verdict(folder, "The office door is open.", threshold=0.5)).holds


async def test_what_the_model_may_think_of_a_wrong_number_does_not_matter(tmp_path: Path) -> None:
    found = await verdict(models.token_classifier(tmp_path), "Leave is 25 days a year.")
    assert found.why == "the number 25 is in no cited passage"


async def test_words_of_its_own_are_the_models_to_judge(tmp_path: Path) -> None:
    """Where the lexical checker would miss most of the words, in a paraphrase."""
    folder = models.token_classifier(tmp_path)
    assert (await verdict(folder, "Colleagues may be absent from work for 30 days annually.")).holds


async def test_passages_that_are_too_long_are_cut_and_not_the_statement(tmp_path: Path) -> None:
    folder = models.token_classifier(tmp_path)
    long = (passage(1, "The office door is open. " * 200 + "The train ticket is booked."),)
    checker = DetectorSupport(GroundingSettings(local=str(folder)))
    statements = [Statement(text=text, cited=(1,)) for text in ("The train ticket is booked.", "The door is open.")]
    found = await checker.check(statements, long, question="", language="en")
    await checker.close()
    assert [one.holds for one in found] == [False, True]


async def test_a_model_with_other_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMisconfigured, match=r"gives 3 labels a token.*models\.grounding\.local"):
        await verdict(models.token_classifier(tmp_path, labels=3), "The office door is open.")


async def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra `models` is not installed")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelMisconfigured, match="transformers can read"):
        await verdict(tmp_path, "The office door is open.")


async def test_a_model_that_is_too_slow_is_unavailable(tmp_path: Path) -> None:
    folder = models.token_classifier(tmp_path)
    with pytest.raises(ModelUnavailable, match=r"models\.grounding\.timeout_seconds"):
        await verdict(folder, "The office door is open. " * 400, timeout_seconds=1e-9)


def test_its_name_is_that_of_the_weights(tmp_path: Path) -> None:
    folder = models.token_classifier(tmp_path / "lettuce")
    assert DetectorSupport(GroundingSettings(local=str(folder))).name.startswith("lettuce@")
