"""Another process at the same index: `python -m tests.ingest.index.holder FOLDER` does what its standard input says.

One word a line (`search`, `write`, `flush`), answered by one line when it is done; the index stays open between lines.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index
from tests.fixtures.chunks import MEMBER, chunk


async def obey(folder: Path) -> None:
    async with Index(EdgeStore(folder)) as index:
        written = 0
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            match word:
                case "search":
                    hits = await index.search("parental leave", visible_to=MEMBER, language="en")
                    answer = " ".join(hit.chunk.text for hit in hits)
                case "write":
                    await index.write([chunk("leave", document=f"holder-{written}.md", title="")])
                    written += 1
                    answer = f"wrote {written}"
                case "flush":
                    await index.flush()
                    answer = "flushed"
                case _:
                    raise ValueError(word)
            print(answer, flush=True)


if __name__ == "__main__":
    asyncio.run(obey(Path(sys.argv[1])))
