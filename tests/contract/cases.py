"""What the bot promises to people on a chat platform, whichever it is."""

from __future__ import annotations

CASES = {
    # Asking
    "direct message": "answered, with sources that open and buttons for feedback",
    "mention in a channel": "answered in the thread of the question",
    "chatter in a channel": "nothing is said, nothing is kept",
    "nothing found": "told so, with the documents that come closest as a list, under their own label",
    "follow-up without a mention": "answered in a thread that the bot takes part in",
    "people talking to each other": "no word where a reply mentions somebody else, or is not meant for the bot",
    "slash command": "answered to the asker alone; shared with the channel by a button",
    "pointing at a message": "answered in its thread",
    "channel that answers everything": "each new question of a person is answered, their talk below it is not",
    "channel that is never answered": "not even a mention is",
    "before the bot came": "what people wrote earlier in the thread is known",
    "summarise this thread": "done from the thread itself, and marked so",
    "language of the asker": "status, answer and buttons are in it",
    # A visible life
    "status": "what happens is shown before there is any text",
    "streaming": "the answer grows in one place",
    "long answer": "split below the limits of the platform, with code fences closed and reopened",
    "mentions in an answer": "nobody is notified",
    "stopped": "what is written stays, and says who stopped it",
    "regenerated": "another answer takes the place of the first",
    "question edited": "answered anew in place",
    "question edited while the answer is written": "one answer, to the new question",
    "question deleted": "the answer is deleted",
    "question deleted while the answer is written": "nothing is left of it",
    "someone else's button": "told to them alone, nothing happens",
    # After it
    "feedback with a reason": "kept, and thanked for",
    "ask a person": "the owners are notified in the thread, with what was tried; they mark it resolved",
    "file with the question": "read, and cited by its name",
    "image with the question": "politely declined, the question is answered all the same",
    # Access
    "a guest joins a thread": "nothing that was answered before is in what they are answered",
    "more for the asker alone": "offered to them alone; shared by them, after a second thought",
    "revoked while the answer is written": "a sentence takes the place of what was shown",
    "file of another thread": "nothing of it is in a fuller answer, which has the files of its own thread",
    "private answer": "nothing of it is in what others are answered, even below a copy that was disclosed",
    "answered again after a document is revoked": "nothing is left of the first answer",
    "document taken back": "every answer from it goes, with what was shared of it, and is no history any more",
    "answer recalled": "a sentence takes its place, without sources and buttons",
    "private answer recalled": "gone, too, where it was told in a direct message",
    # Holding
    "delivered again": "one answer",
    "two replicas": "one answer",
    "killed while writing": "the next process completes the half-written message; one answer",
    "killed before the last edit": "the stored answer is shown; the model is not asked again",
    "connection lost": "what happened meanwhile is answered",
    "connection lost for good": "what happened meanwhile is found and answered",
    "down for ten minutes": "answered when the bot is back",
    "down for hours": "an apology instead of an answer",
    "429": "waited for; answered once",
    "stream expired": "the message is completed all the same",
    "another bot": "never answered, even when it mentions the bot",
    "shared with another company": "answered from public documents alone",
    "a guest in the channel": "answered from public documents alone",
    "a guest asks": "answered from public documents alone",
    "model away": "a sentence in the asker's language with a reference, and quoted passages",
    "thirty at once": "each gets an answer",
    "shut down while writing": "the running answer is finished first",
}
"""The cases of the suite, and what each one promises."""

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "slack": {},
    "mattermost": {"stream expired": "messages are edited, not streamed: nothing expires"},
}
"""Cases that cannot arise on a platform, each with the reason, for the table in the docs."""
