"""Questions of principals, and everything that comes out of one, held against everybody who reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from bot.answer import Answering
from bot.model import Answer, Asker, Delta, Finished, Passage, Place, Question, Status, Turn
from ingest.model import Chunk, Readers
from tests.canaries.company import Company
from tests.canaries.library import TOPICS, Paper, library
from tests.canaries.lookout import check, check_metrics
from tests.canaries.writer import ABOVE, NOBODY_KNOWS, Copying
from tests.fixtures.assistant import Stage

ABOUT = (
    "Who has the rules of the {topic} in hand?",
    "What are the limits of the {topic}?",
    "What do the plans say about the {topic}, and who knows more about it?",
    "Which contacts are there for the {topic} in the office?",
    f"Is there a plan for the {{topic}} {NOBODY_KNOWS}?",
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody asks. A `probed` paper's own words are in it: whoever asks has them from somewhere."""

    text: str
    probed: Paper | None = None

    @property
    def known(self) -> frozenset[str]:
        return frozenset() if self.probed is None else frozenset({self.probed.title_word})


def about(topic: str, wording: int = 0) -> Asked:
    return Asked(text=ABOUT[wording % len(ABOUT)].format(topic=topic))


def probe(paper: Paper) -> Asked:
    return Asked(text=f"What do the plans say about {paper.title_word}, the {paper.topic}?", probed=paper)


above = Asked(text=ABOVE)

questions: st.SearchStrategy[Asked] = st.one_of(
    st.builds(about, st.sampled_from(TOPICS), st.integers(0, len(ABOUT) - 1)),
    st.integers(0, len(library()) - 1).map(lambda number: probe(library()[number])),
)


@dataclass(kw_only=True)
class Out:
    """What came out, as far as it is compared between worlds; nothing in it depends on time."""

    answer: Answer
    statuses: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def question(
    asked: Asked,
    *,
    who: str,
    own: Readers,
    shared: Readers | None = None,
    history: Sequence[Turn] = (),
    attached: Sequence[Chunk] = (),
) -> Question:
    return Question(
        text=asked.text,
        asker=Asker(id=f"slack:{who}", readers=own, locale="en"),
        place=Place(platform="slack", thread="slack/T1/C1/1", readers=shared, workspace="T1"),
        history=tuple(history),
        attached=tuple(attached),
    )


def turns(asked: Asked, answer: Answer) -> tuple[Turn, Turn]:
    """What was said, as the next question in the thread has it before it."""
    return (
        Turn(role="user", text=asked.text),
        Turn(role="assistant", text=answer.text, basis=answer.basis),
    )


async def told(
    stage: Stage,
    answering: Answering,
    of: Question,
    *,
    company: Company,
    readers: Iterable[str],
    writer: Copying | None = None,
    where: str = "",
) -> Out:
    """Ask, and hold everything against all `readers` of the answer, what a model is told on their behalf too."""
    readers = tuple(readers)
    prompts = 0 if writer is None else len(writer.prompts)
    out: Out | None = None
    statuses: list[str] = []
    async for event in answering.answer(of):
        match event:
            case Status():
                statuses.append(event.text)
                check(company, f"{where}status", event.text, readers)
            case Delta():
                check(company, f"{where}pieces", (event.text, shown(event.cited)), readers)
            case Finished():
                out = Out(answer=event.answer, statuses=statuses)
    assert out is not None
    held(out.answer, company=company, readers=readers, where=where)
    for prompt in writer.prompts[prompts:] if writer is not None else ():
        check(company, f"{where}prompt", [message.content for message in prompt.messages], readers)
    check_metrics(stage.metrics.registry)
    return out


def held(answer: Answer, *, company: Company, readers: Iterable[str], where: str = "") -> None:
    """Each part of an answer, by itself."""
    parts = {
        "answer": answer.text,
        "citations": shown(answer.citations),
        "nearest": shown(answer.nearest),
        "passages": shown(answer.passages),
        "notes": answer.notes,
        "notices": answer.notices,
    }
    for name, part in parts.items():
        check(company, f"{where}{name}", part, readers)


def shown(passages: Iterable[Passage]) -> list[str]:
    return [repr(passage) for passage in passages]
