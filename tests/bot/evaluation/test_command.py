"""`bot eval` measures what an answer would be given, asks the assistant itself, and tells when it got worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.evaluation.command import Variation, evaluate_sets
from bot.llm.interface import ChatRefused
from bot.settings import BotSettings
from ingest.errors import ConfigurationError
from ingest.index.interface import ModelMisconfigured
from tests.fixtures.gateway import Gateway, says, status
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


HANDBOOK = "".join(
    json.dumps({"_id": id, "title": title, "text": text, "metadata": {"readers": readers}}) + "\n"
    for id, title, text, readers in (
        ("leave", "Annual leave", "Every employee has 30 days of annual leave in each calendar year.", ["everyone"]),
        ("travel", "Travel expenses", "The daily allowance for travel abroad is 64 euros.", ["everyone"]),
        ("forecast", "Forecast", "The hiring freeze begins on 1 September.", ["group:finance"]),
    )
)
GERMAN = (
    '{"_id": "leave", "title": "Urlaub", "text": "Alle Beschäftigten haben in jedem Jahr 30 Tage Urlaub."}\n'
    '{"_id": "travel", "title": "Reisekosten", "text": "Das Tagegeld für Reisen in das Ausland beträgt 64 Euro."}\n'
    '{"_id": "forecast", "title": "Prognose", "text": "Am ersten September beginnt der Einstellungsstopp."}\n'
)


def question(id: str, text: str, **metadata: object) -> str:
    return json.dumps({"_id": id, "text": text, "metadata": {"language": "en", **metadata}}) + "\n"


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    """Three questions with answers, of which one is for finance, and who must not get that one asks it too."""
    finance = ["everyone", "group:finance"]
    freeze = "When does the hiring freeze begin?"
    folder = make_set(
        tmp_path / "handbook",
        queries=question("leave", "How many days of annual leave do I have?", answers=["30 days"])
        + question("travel", "What is the daily allowance for travel abroad?", answers=["64 euros"])
        + question("freeze", freeze, readers=finance, **{"class": "restricted"})
        + question("spy", freeze, answerable=False, **{"class": "restricted"}),
        corpus=HANDBOOK,
    )
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nleave\tleave\t1\ntravel\ttravel\t1\nfreeze\tforecast\t1\n"
    )
    return folder


async def report(folder: Path, capsys: pytest.CaptureFixture[str], **given: Any) -> dict[str, Any]:
    await evaluate_sets(settings(None, folder.parent), [folder], as_json=True, **given)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)[0]
    return found


async def test_the_assistant_answers_over_the_documents_of_the_set_and_leaves_its_own_alone(
    handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await report(handbook, capsys, ask_answers=True)
    means = {name: measure["mean"] for name, measure in found["measures"].items()}
    assert (means["answered"], means["gold first"], means["gold answer"]) == (100, 100, 100)
    assert (means["citation precision"], means["citations exist"], means["sentences cited"]) == (100, 100, 100)
    assert (means["unreadable"], means["failed"], means["right language"]) == (0, 0, 100)
    assert sum(found["outcomes"].values()) == 4
    assert set(found["costs"]) >= {"seconds", "calls", "tokens"}
    assert not (handbook.parent / ".souffleur").exists()


async def test_a_set_with_a_corpus_is_not_asked_unless_it_is_said(
    handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "answered" not in (await report(handbook, capsys))["measures"]


async def test_who_may_not_read_a_document_does_not_find_it(
    handbook: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await report(handbook, capsys, write=tmp_path / "runs")
    ranked = [line.split() for line in (tmp_path / "runs" / "handbook.trec").read_text().splitlines()]
    assert "forecast" in {row[2] for row in ranked if row[0] == "freeze"}
    assert "forecast" not in {row[2] for row in ranked if row[0] == "spy"}


async def test_classes_readers_and_pairs_of_languages_have_rows(
    handbook: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    german = make_set(tmp_path / "german", corpus=GERMAN)
    found = await report(handbook, capsys, variation=Variation(corpus=german))
    assert set(found["slices"]["readers"]) == {"everyone", "everyone group:finance"}
    assert found["name"] == "handbook-over-german"
    assert await evaluate_sets(settings(None, tmp_path), [handbook], as_json=False, save_to=tmp_path / "run.json") == 0
    kept = json.loads((tmp_path / "run.json").read_text())["sets"][0]["results"]
    assert {row["id"]: row["slices"].get("pair") for row in kept} == {
        "leave": "en→en",
        "travel": "en→en",
        "freeze": "en→en",
        "spy": None,
    }
    await evaluate_sets(
        settings(None, tmp_path),
        [handbook],
        as_json=True,
        save_to=tmp_path / "run.json",
        variation=Variation(corpus=german),
    )
    kept = json.loads((tmp_path / "run.json").read_text())["sets"][0]["results"]
    assert {row["slices"].get("pair") for row in kept} == {"en→de", None}


async def test_a_run_that_got_worse_is_told_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [f"q{number}" for number in range(8)]
    folder = make_set(
        tmp_path / "set",
        queries="".join(question(id, f"What about {id}?") for id in ids),
        corpus='{"_id": "a", "text": "A."}\n',
    )
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(f"{id}\ta\t1\n" for id in ids))
    for name, document in (("good", "a"), ("bad", "z")):
        (tmp_path / name).write_text("".join(f"{id} Q0 {document} 1 1.0 t\n" for id in ids))

    async def evaluated(run: str, **given: Any) -> int:
        return await evaluate_sets(settings(None, tmp_path), [folder], read=tmp_path / run, as_json=False, **given)

    assert await evaluated("good", save_to=tmp_path / "before.json") == 0
    assert await evaluated("good", against=tmp_path / "before.json") == 0
    capsys.readouterr()
    assert await evaluated("bad", against=tmp_path / "before.json") == 1
    told = capsys.readouterr().out
    assert "| recall@5 | -100.00 | [-100.00, -100.00] | 0 | 8 | 0 | **regressed** |" in told
    assert "q7  1 → 0  What about q7?" in told


async def test_questions_whose_documents_are_gone_are_asked_as_unanswerable(
    handbook: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = await report(
        handbook,
        capsys,
        ask_answers=True,
        variation=Variation(without_gold=1.0),
        write_answered=tmp_path / "answers",
    )
    assert found["queries"] == 0
    assert "answered" not in found["measures"]
    assert found["measures"]["refused"]["questions"] == 4
    rows = (tmp_path / "answers" / "handbook-without-gold-1.answers.jsonl").read_text().splitlines()
    assert [json.loads(row)["question_id"] for row in rows] == ["leave", "travel", "freeze", "spy"]


async def test_answers_that_are_to_be_written_are_asked_for(
    handbook: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await report(handbook, capsys, write_answered=tmp_path / "answers")
    (written,) = (tmp_path / "answers").iterdir()
    assert len(written.read_text().splitlines()) == 4
    with pytest.raises(ConfigurationError, match=r"--write-answers .* --no-answers"):
        await report(handbook, capsys, write_answered=tmp_path / "none", ask_answers=False)


async def test_a_configured_judge_grades_and_is_named(handbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gateway = Gateway()
    gateway.always(says('{"why": "As in the gold answer.", "correct": true, "complete": 1, "invented": false}'))
    async with gateway.served() as base_url:
        models = {"judge": {"base_url": base_url, "model": "grader"}}
        judged = BotSettings.model_validate({"models": models}).placed(handbook.parent)
        await evaluate_sets(judged, [handbook], ask_answers=True, as_json=True)
    found = json.loads(capsys.readouterr().out)[0]
    assert found["judge"] == "grader"
    assert found["measures"]["judged correct"]["mean"] == 100
    assert {request.body["temperature"] for request in gateway.requests} == {0}


async def test_a_judge_that_is_refused_is_named_by_its_own_setting(handbook: Path) -> None:
    async with Gateway().served() as base_url:
        models = {"judge": {"base_url": base_url, "model": "another"}}
        judged = BotSettings.model_validate({"models": models}).placed(handbook.parent)
        with pytest.raises(ChatRefused, match=r"models\.judge.*SOUFFLEUR_JUDGE_API_KEY"):
            await evaluate_sets(judged, [handbook], ask_answers=True, as_json=True)


async def test_answers_that_the_judge_did_not_grade_are_counted(
    handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Gateway(reply="I like it.", model="grader")
    async with gateway.served() as base_url:
        models = {"judge": {"base_url": base_url, "model": "grader"}}
        judged = BotSettings.model_validate({"models": models}).placed(handbook.parent)
        await evaluate_sets(judged, [handbook], ask_answers=True, as_json=False)
    assert "grader graded 0 of " in capsys.readouterr().out


async def test_a_set_without_relevant_documents_is_refused(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "set", queries=QUERY, corpus=CORPUS)
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    with pytest.raises(ConfigurationError, match="no query has a relevant document"):
        await evaluate_sets(settings(None, tmp_path), [folder], as_json=False)
