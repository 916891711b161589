language-name = Deutsch
answer-language = Antworten Sie auf Deutsch.

status-searching = Die Dokumente werden durchsucht …
status-writing = Die Antwort wird geschrieben …

not-found = In den Dokumenten, die Sie lesen dürfen, steht dazu keine Antwort. Bitte versuchen Sie es mit anderen Worten.
nothing-indexed = Es sind noch keine Dokumente indexiert; danach können Sie die Frage erneut stellen.
extractive-intro = Diese Stellen aus den Dokumenten kommen der Frage am nächsten:
uncited = Diese Antwort nennt keine Stelle aus den Dokumenten. Bitte prüfen Sie sie, bevor Sie sich darauf verlassen.
sources = Quellen
page = Seite { NUMBER($page, useGrouping: 0) }
updated = Stand: { DATETIME($date, dateStyle: "long") }

model-unavailable = Der Schreibdienst ist im Moment nicht erreichbar (Vorgangsnummer: { $trace }).
interrupted = Die Antwort ist vor dem Ende abgebrochen. Bitte fragen Sie noch einmal; Vorgangsnummer: { $trace }
try-again = Die Antwort lässt sich im Moment nicht geben. Bitte versuchen Sie es gleich noch einmal; Vorgangsnummer: { $trace }
error = Auf unserer Seite ist etwas schiefgegangen. Falls es wieder geschieht, nennen Sie bitte diese Vorgangsnummer: { $trace }
empty-question = Bitte schreiben Sie eine Frage.
question-too-long = Die Frage ist zu lang. Erlaubt sind höchstens { $limit } Zeichen.

web-title = Unsere Dokumente befragen
web-welcome = Was möchten Sie wissen?
web-intro = Stellen Sie eine Frage zu den Dokumenten des Unternehmens; die Antwort nennt ihre Quellen.
web-question = Ihre Frage
web-hint = Die Eingabetaste sendet die Frage; mit der Umschalttaste zusammen beginnt sie eine neue Zeile.
web-no-script = Diese Seite braucht JavaScript; bitte erlauben Sie es im Browser.
web-new = Neues Gespräch
web-send = Senden
web-stop = Anhalten
web-stopped = Angehalten.
web-answer-ready = Die Antwort:
web-copy = Antwort kopieren
web-copied = Kopiert
web-source = Quelle { $number }: { $title }
web-sources = { sources }

web-no-connection = Die Verbindung ist abgebrochen. Bitte prüfen Sie das Netz und versuchen Sie es noch einmal.

web-cancel = Abbrechen
web-continue = Weiter
web-back = Zurück zu den Fragen

web-key = Zugangsschlüssel
web-key-title = Der Zugang ist beschränkt
web-key-needed = Hier wird ein Zugangsschlüssel gebraucht. Sie erhalten ihn von Ihrer Administration.
web-wrong-key = Dieser Zugangsschlüssel ist ungültig. Bitte prüfen Sie ihn, oder bitten Sie Ihre Administration um einen neuen.
web-other-site = Diese Anfrage kam von einer anderen Website und wurde abgelehnt. Bitte öffnen Sie die Seite selbst.
web-busy = Im Moment gehen zu viele Fragen ein. Bitte versuchen Sie es gleich noch einmal.
web-too-large = Die Anfrage ist zu groß; erlaubt sind höchstens { $limit } kB.
web-unknown-model = Dieses Modell gibt es hier nicht. Bitte verwenden Sie dieses: { $model }
web-no-document = Dieses Dokument gibt es nicht, oder Sie dürfen es nicht lesen.
web-not-found = Diese Seite gibt es nicht.
