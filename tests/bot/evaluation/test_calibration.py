"""`bot calibrate`: learned from one half of a set's questions, measured on the other, written when it is worth it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.composition import open_index
from bot.evaluation.calibration import calibrate_sets
from bot.retrieval.gate import FILE_NAME, read_calibrations
from bot.settings import BotSettings
from ingest.index.interface import IndexSettings
from tests.fixtures.passages import chunk

TOWNS = ("Lyon", "Hamburg", "Dublin", "Nantes", "Malaga", "Turin", "Basel", "Ghent", "Porto", "Krakow")
THINGS = (
    "garage",
    "canteen",
    "library",
    "workshop",
    "reception",
    "warehouse",
    "kitchen",
    "studio",
    "laundry",
    "chapel",
)
HOURS = ("seven", "eight", "nine", "ten", "noon", "four", "five", "six")


def write_set(folder: Path, *, telling: bool) -> Path:
    """A hundred documents with a question each, which has nothing to do with them unless `telling`."""
    rows = [(f"d{t}{k}", TOWNS[t], THINGS[k], HOURS[(t * 3 + k) % 8]) for t in range(10) for k in range(10)]
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "\n".join(
            json.dumps({"_id": id, "title": "", "text": f"The {thing} in {town} closes at {hour}."})
            for id, town, thing, hour in rows
        )
    )
    (folder / "queries.jsonl").write_text(
        "\n".join(
            json.dumps({"_id": f"q{id}", "text": f"When does the {thing} in {town} close?" if telling else "Who pays?"})
            for id, town, thing, _ in rows
        )
    )
    (folder / "qrels" / "test.tsv").write_text(
        "\n".join(["query-id\tcorpus-id\tscore", *(f"q{id}\t{id}\t1" for id, *_ in rows)])
    )
    return folder


def settings(home: Path) -> BotSettings:
    return BotSettings(home=home, index=IndexSettings(path=home / "index"), languages=("en", "de"))


async def test_what_is_better_than_chance_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_set(tmp_path / "opening-hours", telling=True)
    assert await calibrate_sets(settings(tmp_path), [folder], over_refusal=0.1, write=True, as_json=False) == 0
    (learned,) = read_calibrations(tmp_path / FILE_NAME)
    assert (learned.over_refusal, learned.learned_from) == (0.1, ("opening-hours",))
    shown = capsys.readouterr().out
    assert "opening-hours" in shown
    assert "1%" in shown
    assert "15%" in shown
    assert f"written to {tmp_path / FILE_NAME}" in shown


async def test_half_of_the_answers_are_removed_from_the_corpus_that_it_is_measured_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path / "opening-hours", telling=True)
    await calibrate_sets(settings(tmp_path), [folder], over_refusal=0.1, write=False, as_json=True)
    (learned,) = json.loads(capsys.readouterr().out)
    held = learned["curves"][0]
    assert learned["calibration"]["questions"] + held["answerable"] + held["unanswerable"] == 100
    assert held["unanswerable"] >= 15
    assert held["area"] > 0.9
    assert not (tmp_path / FILE_NAME).exists()


async def test_what_is_no_better_than_chance_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_set(tmp_path / "riddles", telling=False)
    assert await calibrate_sets(settings(tmp_path), [folder], over_refusal=0.1, write=True, as_json=False) == 1
    assert not (tmp_path / FILE_NAME).exists()
    assert "no better than chance" in capsys.readouterr().out


async def test_too_few_questions_teach_nothing_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path / "few", telling=True)
    queries = folder / "queries.jsonl"
    queries.write_text("\n".join(queries.read_text().splitlines()[:20]))
    assert await calibrate_sets(settings(tmp_path), [folder], over_refusal=0.1, write=True, as_json=False) == 1
    assert not (tmp_path / FILE_NAME).exists()
    assert "too few questions" in capsys.readouterr().out


async def test_other_versions_of_what_answers_are_taken_away_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path / "opening-hours", telling=True)
    articles = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    (folder / "corpus.jsonl").unlink()
    judgements = (folder / "qrels" / "test.tsv").read_text().splitlines()
    (folder / "qrels" / "test.tsv").write_text(
        "\n".join([judgements[0], *(f"{row[:-2]}-hours.md\t1" for row in judgements[1:])])
    )
    async with open_index(settings(tmp_path)) as index:
        chunks = [
            chunk(text, document=f"{article['_id']}-hours{year}.md", title=article["_id"], headings=(), updated_at=at)
            for article in articles
            for year, at, text in (
                ("", datetime(2026, 1, 1, tzinfo=UTC), article["text"]),
                ("-2022", datetime(2022, 1, 1, tzinfo=UTC), article["text"].replace("closes", "closes daily")),
            )
        ]
        await index.prepare(chunks)
        await index.write(chunks)
        await index.flush()
    await calibrate_sets(settings(tmp_path), [folder], over_refusal=0.1, write=False, as_json=True)
    (learned,) = json.loads(capsys.readouterr().out)
    weights = dict(zip(learned["calibration"]["features"], learned["calibration"]["weights"], strict=True))
    # An older version would cover as much of the question as what was taken away.
    assert weights["cover"] > 0.5
    assert learned["curves"][1]["name"].endswith("random halves")
