language-name = Nederlands
answer-language = Antwoord in het Nederlands.

status-searching = De documenten worden doorzocht…
status-writing = Het antwoord wordt geschreven…

not-found = In de documenten die u mag lezen staat geen antwoord op deze vraag. Probeer de vraag anders te formuleren.
nothing-indexed = Er zijn nog geen documenten geïndexeerd; stel uw vraag daarna opnieuw.
extractive-intro = Deze passages uit de documenten komen het dichtst in de buurt:
uncited = Dit antwoord noemt geen passage uit de documenten. Controleer het voordat u erop vertrouwt.
sources = Bronnen
page = pagina { NUMBER($page, useGrouping: 0) }
updated = bijgewerkt op { DATETIME($date, dateStyle: "long") }

model-unavailable = De schrijfdienst is op dit moment niet beschikbaar (referentie: { $trace }).
interrupted = Het antwoord is halverwege afgebroken. Stel de vraag alstublieft opnieuw; referentie: { $trace }
try-again = Het antwoord kan op dit moment niet worden gegeven. Probeer het zo dadelijk opnieuw; referentie: { $trace }
error = Er is bij ons iets misgegaan. Gebeurt het opnieuw, vermeld dan deze referentie: { $trace }
empty-question = Schrijf alstublieft een vraag.
question-too-long = De vraag is te lang. Toegestaan zijn hoogstens { $limit } tekens.

web-title = Vraag het onze documenten
web-welcome = Wat wilt u weten?
web-intro = Stel een vraag over de documenten van het bedrijf; het antwoord vermeldt zijn bronnen.
web-question = Uw vraag
web-hint = Enter verstuurt de vraag; Shift en Enter beginnen een nieuwe regel.
web-no-script = Deze pagina heeft JavaScript nodig; sta het toe in de browser.
web-new = Nieuw gesprek
web-send = Versturen
web-stop = Stoppen
web-stopped = Gestopt.
web-answer-ready = Het antwoord:
web-copy = Antwoord kopiëren
web-copied = Gekopieerd
web-source = Bron { $number }: { $title }
web-sources = { sources }

web-no-connection = De verbinding is verbroken. Controleer het netwerk en probeer het opnieuw.

web-cancel = Annuleren
web-continue = Doorgaan
web-back = Terug naar de vragen

web-key = Toegangssleutel
web-key-title = De toegang is beperkt
web-key-needed = Hier is een toegangssleutel nodig. Uw beheerder kan hem geven.
web-wrong-key = Deze toegangssleutel is niet geldig. Controleer hem of vraag uw beheerder om een nieuwe.
web-other-site = Dit verzoek kwam van een andere website en is geweigerd. Open alstublieft de pagina zelf.
web-busy = Er zijn op dit moment te veel vragen. Probeer het zo dadelijk opnieuw.
web-too-large = Het verzoek is te groot; toegestaan is hoogstens { $limit } kB.
web-unknown-model = Dit model bestaat hier niet. Gebruik dit model: { $model }
web-no-document = Dit document bestaat niet of is voor u niet toegankelijk.
web-not-found = Deze pagina bestaat niet.
