"""The benches measure what they say; their figures are read by people, never asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import BotSettings
from tests.bench import ask, embed, formats
from tests.bench.process import ROOT, CommandFailed, command, run
from tests.bench.prose import articles
from tests.bench.table import Options, Table, percentile


def test_articles_are_all_different_and_the_same_for_the_same_seed() -> None:
    first = list(articles("seed", 30, smallest=500, largest=5_000))

    assert len({article.sections for article in first}) == 30
    assert all(article.size >= 500 for article in first)
    assert first == list(articles("seed", 30, smallest=500, largest=5_000))


@pytest.mark.parametrize("extension", formats.WRITERS)
def test_every_article_becomes_a_file_of_its_own(extension: str, tmp_path: Path) -> None:
    wanted = list(articles("seed", 2, smallest=500, largest=1_000))

    size = formats.write(wanted, extension, tmp_path / "files")

    first, second = (path.read_bytes() for path in sorted((tmp_path / "files").iterdir()))
    assert first != second
    assert size == len(first) + len(second)


async def test_questions_about_generated_passages_are_answered(tmp_path: Path) -> None:
    settings = BotSettings().placed(tmp_path)

    seconds = await ask.build(settings, 0, ask.GROUP)
    _, asked = await ask.ask(settings, ask.GROUP, count=3, warm_up=0)

    assert seconds > 0
    assert asked.answered == len(asked.passages) == 3


def test_a_command_is_watched_until_it_ends() -> None:
    ran = run(command("ingest", "--help"))

    assert "sync" in ran.output
    assert ran.peak_of_all >= ran.peak > 1_000_000


def test_a_command_that_fails_stops_the_bench_with_what_it_said() -> None:
    with pytest.raises(CommandFailed, match="No such command"):
        run(command("ingest", "nonsense"))


def test_without_a_model_the_embedding_bench_says_that_it_was_skipped(tmp_path: Path) -> None:
    (table,) = embed.measure(Options(folder=tmp_path))

    assert "Skipped" in table.markdown()


def test_an_unknown_bench_is_named_and_the_known_ones_are_listed() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "nonsense; there are start, serve" in ended.stderr


def test_a_table_is_printed_as_markdown() -> None:
    table = Table(title="speed", columns=("what", "s"), rows=[("a", 0.256), ("b", 12.34), ("c", 1234.5)], notes=("n",))

    assert table.markdown() == (
        "### speed\n\n| what | s |\n| :--- | ---: |\n| a | 0.26 |\n| b | 12.3 |\n| c | 1,234 |\n\nn\n"
    )


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([4, 1, 3, 2], share) for share in (0.0, 0.5, 0.95, 1.0)] == [1, 2, 4, 4]
