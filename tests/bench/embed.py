"""Ingestion with an embedding model, from files to ledger, against bare `encode` of the same texts.

Both run in one process with one thread for the model, round about, so that what else the machine does hits both alike.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from ingest.commit import Writer
from ingest.index.embedder import open_embedder
from ingest.index.hybrid import Index, open_store
from ingest.ledger import Ledger
from ingest.parsers.sandbox import Sandbox
from ingest.settings import IngestSettings, Secrets, read
from ingest.sources.files import Files, FilesSettings
from ingest.sync import Run
from tests.bench import formats
from tests.bench.process import configured, run
from tests.bench.prose import Prose
from tests.bench.table import Options, Table

ROUNDS = 6
FILES = 10
"""In a round, of seven or eight chunks each."""
CHARACTERS = 8_000
BATCH = 32
"""The default of `models.embedding.batch_size`."""
AIM = 0.95


def measure(options: Options) -> Iterator[Table]:
    title = "embed: ingestion with an embedding model against bare `encode`"
    if options.embedding is None:
        yield Table(
            title=title, columns=(), rows=(), notes=("Skipped: no model was named (`make bench EMBEDDING=FOLDER`).",)
        )
        return
    rounds, files = (1, 3) if options.quick else (ROUNDS, FILES)
    for number in range(rounds + 1):
        prose = [Prose(f"embed {number} {file}", "en") for file in range(files if number else 3)]
        formats.write([each.article(CHARACTERS) for each in prose], "md", options.folder / f"round-{number}")
    configuration = configured(
        options.folder, models={"embedding": {"local": str(options.embedding.resolve()), "batch_size": BATCH}}
    )
    ran = run(["env", "OMP_NUM_THREADS=1", sys.executable, "-m", "tests.bench.embed", str(configuration)])
    yield _table(title, json.loads(ran.output.splitlines()[-1]))


def _table(title: str, rounds: list[dict[str, float]]) -> Table:
    rows: list[tuple[object, ...]] = []
    for number, each in enumerate(rounds, start=1):
        rows.append(_row(str(number), each["chunks"], each["ingest"], each["encode"]))
    total = {key: sum(each[key] for each in rounds) for key in ("chunks", "ingest", "encode")}
    rows.append(_row("together", total["chunks"], total["ingest"], total["encode"]))
    middle = median(each["encode"] / each["ingest"] for each in rounds)
    return Table(
        title=title,
        columns=("round", "chunks", "sync s", "encode s", "sync chunks/s", "encode chunks/s", "ratio"),
        rows=rows,
        notes=(f"The ratio is encode's seconds over sync's: {middle:.3f} in the median round; aim: at least {AIM}.",),
    )


def _row(name: str, chunks: float, ingest: float, encode: float) -> tuple[object, ...]:
    return name, int(chunks), ingest, encode, chunks / ingest, chunks / encode, f"{encode / ingest:.3f}"


async def _rounds(configuration: Path) -> list[dict[str, float]]:
    """Chunks, and seconds of both, for each folder `round-N` beside the configuration; number 0 only warms up."""
    settings = read(configuration, IngestSettings, Secrets())
    embedding = settings.models.embedding
    if embedding is None:
        raise ValueError(f"{configuration} has no embedding model")
    bare = _model(embedding.local)
    taken = []
    ledger = await Ledger.open(settings.state)
    async with (
        Index.of(open_store(settings.index, settings.home / "index"), open_embedder(embedding), embedding) as index,
        Sandbox(settings.parsing) as sandbox,
    ):
        for folder in sorted(configuration.parent.glob("round-*")):
            source = Files(folder.name, FilesSettings(root=folder))
            started = time.perf_counter()
            run = Run(
                source=source,
                ledger=ledger,
                writer=Writer(folder.name, ledger, index),
                parse=sandbox.parse,
                workers=settings.parsing.workers,
                languages=settings.languages,
            )
            async with ledger.writing(folder.name):
                await run.sync()
            synced = time.perf_counter()
            documents = await ledger.chunks(folder.name, await ledger.documents(folder.name))
            texts = [chunk.indexed_text for chunks in documents.values() for chunk in chunks]
            resumed = time.perf_counter()
            bare.encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
            ended = time.perf_counter()
            taken.append({"chunks": len(texts), "ingest": synced - started, "encode": ended - resumed})
    await ledger.close()
    return taken[1:]


def _model(folder: str | None) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(folder, local_files_only=True)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_rounds(Path(sys.argv[1])))))
