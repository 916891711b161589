language-name = English
answer-language = Answer in English.

status-searching = Searching the documents…
status-writing = Writing the answer…

not-found = Nothing in the documents you may read answers this. Please try putting the question in other words.
nothing-indexed = No documents have been indexed yet; once they are, ask again.
extractive-intro = These passages from the documents come closest:
uncited = This answer names no passage of the documents. Please check it before relying on it.
sources = Sources
page = page { NUMBER($page, useGrouping: 0) }
updated = updated { DATETIME($date, dateStyle: "long") }

model-unavailable = The writing service is not available right now (reference: { $trace }).
interrupted = The answer stopped before it was complete. Please ask again; reference: { $trace }
try-again = The answer cannot be given right now. Please try again in a moment; reference: { $trace }
error = Something went wrong on our side. If it happens again, please quote this reference: { $trace }
empty-question = Please write a question.
question-too-long = The question is too long. It may have at most { $limit } characters.

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
web-other-site = This request came from another website and was refused. Please open the page itself.
web-busy = There are too many questions at the moment. Please try again shortly.
web-too-large = The request is too large; at most { $limit } kB are allowed.
web-unknown-model = There is no such model here. Please use this one: { $model }
web-no-document = There is no such document, or it is not open to you.
web-not-found = There is no such page.
