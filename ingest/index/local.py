"""A sentence-transformers model in this process: loaded at its first use, on a thread of its own.

Nothing is fetched from a hub: a hub name stands for what `hf download` has put into this machine's cache.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ingest.index.interface import ModelMisconfigured, ModelUnavailable

LOAD_SECONDS = 600.0
"""For reading the weights, which may be gigabytes on a slow disk."""

SAMPLES = 64
SAMPLE_BYTES = 4096
"""How much of each file the fingerprint of a folder looks at."""

Result = TypeVar("Result")


class LocalModel:
    """Calls of one model, one after the other: its tokenizer may not be used by two threads at once.

    The thread is its own because torch keeps its thread count by thread, and because a long call must not take one of
    the threads that the rest of the program shares.
    """

    def __init__(
        self, local: str, *, section: str, load: Callable[[str], Any], reader: str = "sentence-transformers"
    ) -> None:
        """`load` makes the model from a folder or hub name, by `reader`; it runs on the model's thread."""
        self._local = local
        self._section = section
        self._load = load
        self._reader = reader
        self._model: Any = None
        self._threads = 1
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=section)
        self.name = fingerprint(local)
        self.who = f"{section}: {local!r}"
        """How messages begin."""

    async def run(self, work: Callable[[Any], Result], *, seconds: float, one_thread: bool = False) -> Result:
        """What `work` makes of the model, waiting at most `seconds`; with `one_thread` torch does not spread it.

        Raises `ModelMisconfigured` when the model cannot be loaded, `ModelUnavailable` when the work fails or takes
        longer.
        """
        if self._model is None:
            await self._in_thread(self._loaded, LOAD_SECONDS)
        return await self._in_thread(lambda: self._work(work, one_thread), seconds)

    def close(self) -> None:
        """Lets go of the model; a call under way ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._model = None

    async def _in_thread(self, call: Callable[[], Result], seconds: float) -> Result:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except TimeoutError as error:
            raise ModelUnavailable(
                f"{self.who} took more than {seconds:g} s; raise {self._section}.timeout_seconds or use an endpoint"
            ) from error

    def _loaded(self) -> None:
        if self._model is not None:
            return
        path = Path(self._local)
        if (path.is_absolute() or self._local.startswith(".")) and not path.is_dir():
            raise ModelMisconfigured(f"{self.who} is not a folder; correct {self._section}.local")
        try:
            import torch
            from safetensors import SafetensorError
            from transformers.utils.logging import disable_progress_bar
        except ImportError as error:
            raise ModelMisconfigured(
                f"{self.who} needs the extra `models`: .venv/bin/pip install -e '.[models]'"
            ) from error
        disable_progress_bar()
        try:
            self._model = self._load(self._local)
        except (ImportError, OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelMisconfigured(
                f"{self.who} cannot be loaded ({type(error).__name__}: {_first_line(error)}); name a folder that "
                f"{self._reader} can read, or a hub model fetched before with `hf download`"
            ) from error
        self._threads = torch.get_num_threads()

    def _work(self, work: Callable[[Any], Result], one_thread: bool) -> Result:
        import torch

        # With more threads than free cores a short query waits for the other threads: 13 ms become 270-500 ms on two
        # cores with a busy neighbour.
        torch.set_num_threads(1 if one_thread else self._threads)
        try:
            return work(self._model)
        except RuntimeError as error:  # Torch's own, out of memory among them.
            raise ModelUnavailable(
                f"{self.who} failed ({type(error).__name__}: {_first_line(error)}); is there memory enough?"
            ) from error


def fingerprint(local: str) -> str:
    """A name that stays with the weights: a hub name as it is, a folder's name with eight digits of its files' digest.

    The digest takes samples all over each file, so that two models in folders of one name differ, and moving a folder
    changes nothing.
    """
    folder = Path(local)
    if not folder.is_dir():
        return local
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".safetensors", ".bin", ".json") and path.is_file():
            size = path.stat().st_size
            digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
            with path.open("rb") as file:
                for offset in range(0, size, max(size // SAMPLES, SAMPLE_BYTES)):
                    file.seek(offset)
                    digest.update(file.read(SAMPLE_BYTES))
    return f"{folder.resolve().name}@{digest.hexdigest()[:8]}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def well_formed(text: str) -> str:
    """`text` with lone surrogates, which tokenizers refuse, as question marks."""
    return text.encode("utf-8", "replace").decode()
