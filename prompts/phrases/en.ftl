language-name = English
answer-language = Answer in English.

status-searching = Searching the documents…
status-writing = Writing the answer…

not-found = Nothing in the documents you may read answers this. Please try putting the question in other words.
nothing-indexed = No documents have been indexed yet; once they are, ask again.
extractive-intro = These passages from the documents come closest:
sources = Sources
page = page { NUMBER($page, useGrouping: 0) }
updated = updated { DATETIME($date, dateStyle: "long") }
restricted = restricted

model-unavailable = The writing service is not available right now (reference: { $trace }).
budget-spent = The budget for written answers is used up for now. Please ask again later.
interrupted = The answer stopped before it was complete. Please ask again; reference: { $trace }
try-again = The answer cannot be given right now. Please try again in a moment; reference: { $trace }
error = Something went wrong on our side. If it happens again, please quote this reference: { $trace }
empty-question = Please write a question.
question-too-long = The question is too long. It may have at most { $limit } characters.

nearest = These documents come closest:
answer-missing = The documents do not say: { $what }
note-general = This answer was written without the documents.
note-alone = Every question is read by itself here. Please write follow-up questions out in full.
note-stale = What is cited here was last changed on { DATETIME($date, dateStyle: "long") }. Please check whether it still holds.
note-older = An older version says otherwise; its date: { DATETIME($date, dateStyle: "long") }
note-removed = Statements that the sources do not support were left out.
note-groups-unknown = Your groups could not be looked up just now, so documents for certain groups were left out. Please ask again later if anything is missing.
note-history-left-out = Earlier answers were left out, because not everyone who reads here may open their sources. Please write follow-up questions out in full.
note-unconfirmed = (not confirmed by the sources)
wrong-language = The answer could not be written in English.

web-title = Ask our documents
web-welcome = What would you like to know?
web-intro = Ask a question about the company’s documents; the answer names its sources.
web-question = Your question
web-hint = Enter sends the question; Shift and Enter start a new line.
web-no-script = This page needs JavaScript; please allow it in the browser.
web-new = New conversation
web-send = Send
web-stop = Stop
web-stopped = Stopped.
web-answer-ready = The answer:
web-copy = Copy answer
web-copied = Copied
web-source = Source { $number }: { $title }
web-sources = { sources }

web-no-connection = The connection was lost. Please check the network and try again.

web-cancel = Cancel
web-continue = Continue
web-back = Back to the questions

web-key = Access key
web-key-title = Access is restricted
web-key-needed = An access key is needed here. Your administrator can give it to you.
web-wrong-key = This access key is not valid. Please check it, or ask your administrator for a new one.
web-key-expired = This access key has expired. Please ask your administrator for a new one.
web-other-site = This request came from another website and was refused. Please open the page itself.
web-busy = There are too many questions at the moment. Please try again shortly.
web-too-fast = Too many requests were made with this access key. Please try again in a minute.
web-too-large = The request is too large; at most { $limit } kB are allowed.
web-unknown-model = There is no such model here. Please use this one: { $model }
web-no-document = There is no such document, or it is not open to you.
web-not-found = There is no such page.

chat-searching = { $count ->
    [one] Searching { $count } source…
   *[other] Searching { $count } sources…
}
chat-searching-privately = Searching; only you will see the answer.
chat-reading-files = Reading the attached files…

chat-stop = Stop
chat-again = Answer again
chat-up = Helpful
chat-down = Not helpful
chat-share = Share with the channel
chat-fuller = Fuller answer, only for me
chat-disclose = Show to everyone here anyway
chat-person = Ask a person
chat-resolved = Mark as resolved
chat-stopped-by = Stopped by { $name }
chat-shared-by = Shared by { $name }
chat-resolved-by = Resolved by { $name }

chat-reason-title = Your feedback
chat-reason-label = What was missing?
chat-send = Send
chat-thanks = Thank you for your feedback.
chat-shared = The answer will be posted in the channel.
chat-only-you = Only you can see this answer.
chat-not-yours = Only the person who asked, or whoever is responsible, can do this.
chat-expired = This button no longer works. Please ask the question again.
chat-usage = Please write your question after the command, in the same line: { $command }

chat-late = We are sorry that your question was not answered in time. If it still matters, please ask again.
chat-gave-up = The question could not be answered after several attempts. Please ask again later; reference: { $trace }
chat-needs-model = Summaries, translations and drafts are not available here, because no chat model is set up.

chat-asks-person = Could you please help with the question above? The request comes from { $name }
chat-tried = { $count ->
    [one] So far, { $count } source has been searched, and the answer above was given.
   *[other] So far, { $count } sources have been searched, and the answer above was given.
}
chat-handed-over = The question has been passed on to the people responsible; they will reply in this thread.
chat-no-owner = Nobody is assigned to take over questions here. Please turn to a colleague who knows the subject.

chat-from-files = This answer draws on files from this conversation.
chat-from-conversation = This answer was written from the conversation, not from the documents.
chat-image-declined = Images cannot be read here. Please describe in words what is shown in { $name }
chat-file-unreadable = This file could not be read. Please check that it opens and has no password: { $name }
chat-file-too-large = This file is too large to be read. Please send only the part that matters: { $name }

access-offer = A fuller answer can be written for you; only you would see it.
access-disclose = This answer draws on documents that not everyone here may open. Should it be shown to everyone all the same?
access-may-not = You may not read everything that this answer rests on, so you cannot do this.
answer-withdrawn = This answer was withdrawn, because something it rests on may no longer be read here. Please ask again.

quota-spent = { $minutes ->
    [one] You have asked as many questions as are allowed for now. Please ask again in { $minutes } minute.
   *[other] You have asked as many questions as are allowed for now. Please ask again in { $minutes } minutes.
}
quota-workspace-spent = { $minutes ->
    [one] As many questions have been asked here as are allowed for now. Please ask again in { $minutes } minute.
   *[other] As many questions have been asked here as are allowed for now. Please ask again in { $minutes } minutes.
}
quota-tokens-spent = { $minutes ->
    [one] Your answers have used as much computing time as is allowed for now. Please ask again in { $minutes } minute.
   *[other] Your answers have used as much computing time as is allowed for now. Please ask again in { $minutes } minutes.
}

chat-prompts-title = What would you like to know?
chat-prompt-1-title = Holidays
chat-prompt-1 = How many days of holiday do I get, and how do I request them?
chat-prompt-2-title = IT help
chat-prompt-2 = I can no longer sign in to my computer. What should I do?
chat-prompt-3-title = Travel expenses
chat-prompt-3 = How do I claim travel expenses, and by when?
