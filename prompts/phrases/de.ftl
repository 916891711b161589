language-name = Deutsch
answer-language = Antworten Sie auf Deutsch.

status-searching = Die Dokumente werden durchsucht …
status-writing = Die Antwort wird geschrieben …

not-found = In den Dokumenten, die Sie lesen dürfen, steht dazu keine Antwort. Bitte versuchen Sie es mit anderen Worten.
nothing-indexed = Es sind noch keine Dokumente indexiert; danach können Sie die Frage erneut stellen.
extractive-intro = Diese Stellen aus den Dokumenten kommen der Frage am nächsten:
sources = Quellen
page = Seite { NUMBER($page, useGrouping: 0) }
updated = Stand: { DATETIME($date, dateStyle: "long") }
restricted = eingeschränkter Zugang

model-unavailable = Der Schreibdienst ist im Moment nicht erreichbar (Vorgangsnummer: { $trace }).
budget-spent = Das Budget für geschriebene Antworten ist vorerst aufgebraucht. Bitte fragen Sie später noch einmal.
interrupted = Die Antwort ist vor dem Ende abgebrochen. Bitte fragen Sie noch einmal; Vorgangsnummer: { $trace }
try-again = Die Antwort lässt sich im Moment nicht geben. Bitte versuchen Sie es gleich noch einmal; Vorgangsnummer: { $trace }
error = Auf unserer Seite ist etwas schiefgegangen. Falls es wieder geschieht, nennen Sie bitte diese Vorgangsnummer: { $trace }
empty-question = Bitte schreiben Sie eine Frage.
question-too-long = Die Frage ist zu lang. Erlaubt sind höchstens { $limit } Zeichen.

nearest = Diese Dokumente kommen der Frage am nächsten:
answer-missing = In den Dokumenten steht nicht: { $what }
note-general = Diese Antwort wurde ohne die Dokumente geschrieben.
note-alone = Hier wird jede Frage für sich gelesen. Bitte formulieren Sie Anschlussfragen vollständig aus.
note-stale = Das Zitierte wurde zuletzt am { DATETIME($date, dateStyle: "long") } geändert. Bitte prüfen Sie, ob es noch gilt.
note-older = In einer älteren Fassung steht es anders; Stand: { DATETIME($date, dateStyle: "long") }
note-removed = Aussagen, die von den Quellen nicht gestützt werden, wurden weggelassen.
note-groups-unknown = Ihre Gruppen ließen sich gerade nicht abfragen; Dokumente für bestimmte Gruppen wurden deshalb weggelassen. Falls etwas fehlt, fragen Sie bitte später noch einmal.
note-history-left-out = Frühere Antworten wurden nicht berücksichtigt, weil nicht alle, die hier mitlesen, deren Quellen öffnen dürfen. Bitte formulieren Sie Anschlussfragen vollständig aus.
note-unconfirmed = (durch die Quellen nicht bestätigt)
wrong-language = Die Antwort ließ sich nicht auf Deutsch schreiben.

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
web-key-expired = Dieser Zugangsschlüssel ist abgelaufen. Bitte lassen Sie sich von Ihrer Administration einen neuen geben.
web-other-site = Diese Anfrage kam von einer anderen Website und wurde abgelehnt. Bitte öffnen Sie die Seite selbst.
web-busy = Im Moment gehen zu viele Fragen ein. Bitte versuchen Sie es gleich noch einmal.
web-too-fast = Mit diesem Zugangsschlüssel kamen zu viele Anfragen. Bitte versuchen Sie es in einer Minute noch einmal.
web-too-large = Die Anfrage ist zu groß; erlaubt sind höchstens { $limit } kB.
web-unknown-model = Dieses Modell gibt es hier nicht. Bitte verwenden Sie dieses: { $model }
web-no-document = Dieses Dokument gibt es nicht, oder Sie dürfen es nicht lesen.
web-not-found = Diese Seite gibt es nicht.

chat-searching = { $count ->
    [one] { $count } Quelle wird durchsucht …
   *[other] { $count } Quellen werden durchsucht …
}
chat-searching-privately = Die Suche läuft; die Antwort sehen nur Sie.
chat-reading-files = Die angehängten Dateien werden gelesen …

chat-stop = Anhalten
chat-again = Neu beantworten
chat-up = Hilfreich
chat-down = Nicht hilfreich
chat-share = Im Kanal teilen
chat-fuller = Ausführlicher, nur für mich
chat-disclose = Trotzdem allen hier zeigen
chat-person = Einen Menschen fragen
chat-resolved = Als geklärt markieren
chat-stopped-by = Angehalten von { $name }
chat-shared-by = Geteilt von { $name }
chat-resolved-by = Geklärt von { $name }

chat-reason-title = Ihre Rückmeldung
chat-reason-label = Was hat gefehlt?
chat-send = Senden
chat-thanks = Vielen Dank für Ihre Rückmeldung.
chat-shared = Die Antwort wird im Kanal geteilt.
chat-only-you = Nur Sie können diese Antwort sehen.
chat-not-yours = Das können nur die Person, die gefragt hat, und die Zuständigen tun.
chat-expired = Diese Schaltfläche ist nicht mehr gültig. Bitte stellen Sie die Frage noch einmal.
chat-usage = Bitte schreiben Sie Ihre Frage in derselben Zeile hinter den Befehl { $command }

chat-late = Leider wurde Ihre Frage nicht rechtzeitig beantwortet. Falls sie noch wichtig ist, stellen Sie sie bitte erneut.
chat-gave-up = Die Frage ließ sich auch nach mehreren Versuchen nicht beantworten. Bitte fragen Sie später noch einmal; Vorgangsnummer: { $trace }
chat-needs-model = Zusammenfassungen, Übersetzungen und Entwürfe gibt es hier nicht, weil kein Sprachmodell eingerichtet ist.

chat-asks-person = Könnten Sie bitte bei der Frage oben weiterhelfen? Darum bittet { $name }
chat-tried = { $count ->
    [one] Bisher wurde { $count } Quelle durchsucht und die Antwort oben gegeben.
   *[other] Bisher wurden { $count } Quellen durchsucht und die Antwort oben gegeben.
}
chat-handed-over = Die Frage wurde an die Zuständigen weitergegeben; sie antworten in diesem Thread.
chat-no-owner = Hier ist niemand für die Übernahme von Fragen eingeteilt. Bitte wenden Sie sich an jemanden, der sich mit dem Thema auskennt.

chat-from-files = Diese Antwort stützt sich auf Dateien aus diesem Gespräch.
chat-from-conversation = Diese Antwort ist aus dem Gespräch geschrieben, nicht aus den Dokumenten.
chat-image-declined = Bilder können hier nicht gelesen werden. Bitte beschreiben Sie in Worten, was dieses zeigt: { $name }
chat-file-unreadable = Diese Datei war nicht lesbar. Bitte prüfen Sie, ob sie sich ohne Kennwort öffnen lässt: { $name }
chat-file-too-large = Diese Datei ist zu groß, um gelesen zu werden. Bitte senden Sie nur den wichtigen Teil: { $name }

access-offer = Für Sie lässt sich eine ausführlichere Antwort schreiben; nur Sie würden sie sehen.
access-disclose = Diese Antwort stützt sich auf Dokumente, die nicht alle hier öffnen dürfen. Soll sie trotzdem allen gezeigt werden?
access-may-not = Das ist nicht möglich, weil Sie nicht alles lesen dürfen, worauf sich diese Antwort stützt.
answer-withdrawn = Diese Antwort wurde zurückgezogen, weil etwas, worauf sie sich stützt, hier nicht mehr gelesen werden darf. Bitte fragen Sie noch einmal.

quota-spent = { $minutes ->
    [one] Sie haben so viele Fragen gestellt, wie zurzeit erlaubt sind. Bitte fragen Sie in { $minutes } Minute noch einmal.
   *[other] Sie haben so viele Fragen gestellt, wie zurzeit erlaubt sind. Bitte fragen Sie in { $minutes } Minuten noch einmal.
}
quota-workspace-spent = { $minutes ->
    [one] Hier wurden so viele Fragen gestellt, wie zurzeit erlaubt sind. Bitte fragen Sie in { $minutes } Minute noch einmal.
   *[other] Hier wurden so viele Fragen gestellt, wie zurzeit erlaubt sind. Bitte fragen Sie in { $minutes } Minuten noch einmal.
}
quota-tokens-spent = { $minutes ->
    [one] Ihre Antworten haben so viel Rechenleistung gebraucht, wie zurzeit erlaubt ist. Bitte fragen Sie in { $minutes } Minute noch einmal.
   *[other] Ihre Antworten haben so viel Rechenleistung gebraucht, wie zurzeit erlaubt ist. Bitte fragen Sie in { $minutes } Minuten noch einmal.
}

chat-prompts-title = Was möchten Sie wissen?
chat-prompt-1-title = Urlaub
chat-prompt-1 = Wie viele Urlaubstage habe ich, und wie beantrage ich sie?
chat-prompt-2-title = IT-Hilfe
chat-prompt-2 = Ich kann mich nicht mehr an meinem Computer anmelden. Was soll ich tun?
chat-prompt-3-title = Reisekosten
chat-prompt-3 = Wie rechne ich Reisekosten ab, und bis wann?
