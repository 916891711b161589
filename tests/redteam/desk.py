"""One case, from its question to what readers see."""

from __future__ import annotations

from dataclasses import dataclass

from bot.llm.scripted import ScriptedWriter
from bot.model import Answer, Passage
from tests.fixtures.assistant import Stage, answer_to, prompts
from tests.redteam.cases import Case
from tests.redteam.leaked import SURFACES, Shown
from tests.redteam.obeying import Obeying
from tests.redteam.scene import asked, everything
from tests.redteam.surfaces import carelessly, shown


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of a case."""

    case: Case
    shown: Shown
    answer: Answer | None = None
    """None without the assistant."""

    @property
    def leaked(self) -> tuple[str, ...]:
        """The surfaces on which the attack succeeded."""
        return tuple(surface for surface in SURFACES if self.case.leaked(self.shown, surface))


async def tried(stage: Stage, case: Case) -> Tried:
    """The case against the assistant, with a model that obeys in every call."""
    model = ScriptedWriter(Obeying(case))
    answer = await answer_to(stage.answering(model, understanding=model), asked(case))
    return Tried(case=case, shown=await shown(answer), answer=answer)


def tried_without(case: Case) -> Tried:
    """The same without access, checks and renderers: everything in the prompt, and what the model writes as it is."""
    question = asked(case)
    passages = [
        Passage(number=number, chunk=chunk, score=1.0) for number, chunk in enumerate(everything(case), start=1)
    ]
    prompt = prompts().answer(question.text, passages, question.history, case.language)
    return Tried(case=case, shown=carelessly(Obeying(case)(prompt)))
