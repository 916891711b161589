"""`bot eval` measures what an answer would be given: the reranker's order where one is configured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.evaluation.command import evaluate_sets
from bot.settings import BotSettings
from ingest.index.interface import ModelMisconfigured
from tests.fixtures.gateway import Gateway, status
from tests.ingest.test_questions import make_set

CORPUS = "".join(
    json.dumps({"_id": id, "title": title, "text": text}) + "\n"
    for id, title, text in (
        ("a", "Unicorn", "Unicorn, unicorn."),
        ("b", "Leave", "What is in the notes of a year."),
        ("c", "Travel", "Notes of the year."),
        ("d", "Laptop", "In the notes of the year."),
    )
)
QUERY = '{"_id": "q", "text": "what is in the notes of a unicorn"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set whose relevant document has most of the words, and another one the rarest."""
    folder = make_set(tmp_path / "set", queries=QUERY, corpus=CORPUS)
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tb\t1\n")
    return folder


def settings(base_url: str | None, home: Path, candidates: int = 50) -> BotSettings:
    reranker = {"base_url": base_url, "model": "assistant", "candidates": candidates}
    models = {"reranker": reranker} if base_url else {}
    return BotSettings.model_validate({"models": models, "answer": {"passages": 1}}).placed(home)


async def recall_at_1(folder: Path, base_url: str | None, capsys: pytest.CaptureFixture[str], **given: int) -> float:
    await evaluate_sets(settings(base_url, folder.parent, **given), [folder], read=None, write=None, as_json=True)
    recall: float = json.loads(capsys.readouterr().out)[0]["measures"]["recall@1"]["mean"]
    return recall


async def test_the_reranker_decides_the_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await recall_at_1(folder, None, capsys) == 0.0
    async with Gateway().served() as base_url:
        assert await recall_at_1(folder, base_url, capsys) == 100.0


async def test_the_reranker_is_given_its_candidates_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gateway = Gateway()
    async with gateway.served() as base_url:
        assert await recall_at_1(folder, base_url, capsys, candidates=1) == 0.0
    assert [len(request.body["documents"]) for request in gateway.requests] == [1]


async def test_a_reranker_that_fails_ends_the_measurement(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gateway = Gateway()
    gateway.always(status(401))
    async with gateway.served() as base_url:
        with pytest.raises(ModelMisconfigured):
            await recall_at_1(folder, base_url, capsys)
    assert capsys.readouterr().out == ""
