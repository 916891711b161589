"""Support by a token-classification model such as LettuceDetect (arXiv 2502.17125), in this process.

Figures and names are held against the passages first, as `lexical` does; the model then reads each statement that
stands with the passages it rests on, and labels every token of it as supported or not. The input is laid out as the
RAGTruth corpus has it (arXiv 2401.00396), on which these models are trained, in English for every language, as the
package `lettucedetect` does where it is told none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bot.model import Passage
from bot.writing.grounding.lexical import supports
from bot.writing.grounding.settings import GroundingSettings
from bot.writing.interface import Statement, Supported
from ingest.index.interface import ModelMisconfigured
from ingest.index.local import LocalModel, well_formed

SECTION = "models.grounding"

LAYOUT = """Briefly answer the following question:
{question}
Bear in mind that your response should be strictly based on the following {count} passages:
{passages}
In case the passages do not contain the necessary information to answer the question, please reply with: \
"Unable to answer based on given passages."
output:"""

UNSUPPORTED = 1
"""Label of a token that no passage supports; 0 is that of any other."""

QUOTED_CHARACTERS = 60
"""Of an unsupported span, for the reason."""


class DetectorSupport:
    """Holds statements against passages by figures, names and a model. The model is loaded by the first statement."""

    def __init__(self, settings: GroundingSettings) -> None:
        self._settings = settings
        self._model = LocalModel(settings.local, section=SECTION, load=_load, reader="transformers")
        self.name = self._model.name

    async def check(
        self, statements: Sequence[Statement], passages: Sequence[Passage], *, question: str, language: str
    ) -> list[Supported]:
        verdicts = await asyncio.to_thread(
            supports, statements, passages, question=question, language=language, by_words=False
        )
        by_number = {passage.number: passage for passage in passages}
        asked = [index for index, verdict in enumerate(verdicts) if verdict.holds and verdict.by]
        if not asked:
            return verdicts
        pairs = [
            (_context(question, [by_number[n] for n in verdicts[i].by]), well_formed(statements[i].text)) for i in asked
        ]

        def detect(loaded: tuple[Any, Any]) -> list[str]:
            return [self._unsupported(*loaded, context, statement) for context, statement in pairs]

        spans = await self._model.run(detect, seconds=self._settings.timeout_seconds)
        for index, span in zip(asked, spans, strict=True):
            if span:
                verdicts[index] = Supported(holds=False, why=f"{self.name} finds no support for `{span}`")
        return verdicts

    async def close(self) -> None:
        self._model.close()

    def _unsupported(self, tokenizer: Any, model: Any, context: str, statement: str) -> str:
        """The first span of the statement that is not supported; empty when there is none."""
        import torch

        if model.config.num_labels != 2:
            raise ModelMisconfigured(
                f"{self._model.who} gives {model.config.num_labels} labels a token, a detector of unsupported spans "
                f"gives two; correct {SECTION}.local"
            )
        room = min(
            self._settings.max_tokens, getattr(model.config, "max_position_embeddings", self._settings.max_tokens)
        )
        # Tokenizers cannot cut the first text alone when the second fills the room by itself.
        size = len(tokenizer(statement, add_special_tokens=False)["input_ids"])
        cut = "only_first" if size + tokenizer.num_special_tokens_to_add(pair=True) < room else "longest_first"
        encoded = tokenizer(
            context, statement, truncation=cut, max_length=room, return_offsets_mapping=True, return_tensors="pt"
        )
        offsets = encoded.pop("offset_mapping")[0].tolist()
        with torch.inference_mode():
            logits = model(input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"]).logits
        odds = torch.softmax(logits[0].float(), dim=-1)[:, UNSUPPORTED].tolist()
        begin = end = -1
        for (first, last), part, odd in zip(offsets, encoded.sequence_ids(0), odds, strict=True):
            if part != 1 or first == last:
                continue
            if odd >= self._settings.threshold:
                begin, end = (first if begin < 0 else begin), last
            elif begin >= 0:
                break
        return statement[begin:end][:QUOTED_CHARACTERS] if begin >= 0 else ""


def _context(question: str, passages: Sequence[Passage]) -> str:
    lines = "\n".join(
        f"passage {at}: {passage.chunk.heading}\n{passage.text}" for at, passage in enumerate(passages, 1)
    )
    return well_formed(LAYOUT.format(question=question, count=len(passages), passages=lines))


def _load(local: str) -> tuple[Any, Any]:
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(local, local_files_only=True)
    model = AutoModelForTokenClassification.from_pretrained(local, local_files_only=True)
    return tokenizer, model.eval()
