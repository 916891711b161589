language-name = Nederlands
answer-language = Antwoord in het Nederlands.

status-searching = De documenten worden doorzocht…
status-writing = Het antwoord wordt geschreven…

not-found = In de documenten die u mag lezen staat geen antwoord op deze vraag. Probeer de vraag anders te formuleren.
nothing-indexed = Er zijn nog geen documenten geïndexeerd; stel uw vraag daarna opnieuw.
extractive-intro = Deze passages uit de documenten komen het dichtst in de buurt:
sources = Bronnen
page = pagina { NUMBER($page, useGrouping: 0) }
updated = bijgewerkt op { DATETIME($date, dateStyle: "long") }
restricted = beperkte toegang

model-unavailable = De schrijfdienst is op dit moment niet beschikbaar (referentie: { $trace }).
budget-spent = Het budget voor geschreven antwoorden is voorlopig op. Stel uw vraag alstublieft later opnieuw.
interrupted = Het antwoord is halverwege afgebroken. Stel de vraag alstublieft opnieuw; referentie: { $trace }
try-again = Het antwoord kan op dit moment niet worden gegeven. Probeer het zo dadelijk opnieuw; referentie: { $trace }
error = Er is bij ons iets misgegaan. Gebeurt het opnieuw, vermeld dan deze referentie: { $trace }
empty-question = Schrijf alstublieft een vraag.
question-too-long = De vraag is te lang. Toegestaan zijn hoogstens { $limit } tekens.

nearest = Deze documenten komen het dichtst in de buurt:
answer-missing = In de documenten staat niet: { $what }
note-general = Dit antwoord is zonder de documenten geschreven.
note-alone = Hier wordt elke vraag op zichzelf gelezen. Schrijf vervolgvragen alstublieft volledig uit.
note-stale = Wat hier wordt aangehaald, is voor het laatst gewijzigd op { DATETIME($date, dateStyle: "long") }. Controleer of het nog geldt.
note-older = In een oudere versie staat iets anders; de datum daarvan: { DATETIME($date, dateStyle: "long") }
note-removed = Beweringen die de bronnen niet ondersteunen, zijn weggelaten.
note-groups-unknown = Uw groepen konden zojuist niet worden opgevraagd; documenten voor bepaalde groepen zijn daarom weggelaten. Ontbreekt er iets, stel de vraag dan later alstublieft opnieuw.
note-history-left-out = Eerdere antwoorden zijn buiten beschouwing gelaten, omdat niet iedereen die hier meeleest de bronnen ervan mag openen. Schrijf vervolgvragen alstublieft volledig uit.
note-unconfirmed = (niet bevestigd door de bronnen)
wrong-language = Het antwoord kon niet in het Nederlands worden geschreven.

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
web-key-expired = Deze toegangssleutel is verlopen. Vraag uw beheerder om een nieuwe.
web-other-site = Dit verzoek kwam van een andere website en is geweigerd. Open alstublieft de pagina zelf.
web-busy = Er zijn op dit moment te veel vragen. Probeer het zo dadelijk opnieuw.
web-too-fast = Er zijn te veel verzoeken gedaan met deze toegangssleutel. Probeer het over een minuut opnieuw.
web-too-large = Het verzoek is te groot; toegestaan is hoogstens { $limit } kB.
web-unknown-model = Dit model bestaat hier niet. Gebruik dit model: { $model }
web-no-document = Dit document bestaat niet of is voor u niet toegankelijk.
web-not-found = Deze pagina bestaat niet.

chat-searching = { $count ->
    [one] { $count } bron wordt doorzocht…
   *[other] { $count } bronnen worden doorzocht…
}
chat-searching-privately = Er wordt gezocht; alleen u ziet het antwoord.
chat-reading-files = De bijgevoegde bestanden worden gelezen…

chat-stop = Stoppen
chat-again = Opnieuw beantwoorden
chat-up = Nuttig
chat-down = Niet nuttig
chat-share = Delen in het kanaal
chat-fuller = Uitgebreider, alleen voor mij
chat-disclose = Toch aan iedereen hier tonen
chat-person = Een mens vragen
chat-resolved = Als opgelost markeren
chat-stopped-by = Gestopt door { $name }
chat-shared-by = Gedeeld door { $name }
chat-resolved-by = Opgelost door { $name }

chat-reason-title = Uw feedback
chat-reason-label = Wat ontbrak er?
chat-send = Versturen
chat-thanks = Hartelijk dank voor uw feedback.
chat-shared = Het antwoord wordt in het kanaal geplaatst.
chat-only-you = Alleen u kunt dit antwoord zien.
chat-not-yours = Dit kan alleen degene die de vraag heeft gesteld, of wie ervoor verantwoordelijk is.
chat-expired = Deze knop werkt niet meer. Stel de vraag alstublieft opnieuw.
chat-usage = Schrijf uw vraag achter de opdracht, op dezelfde regel: { $command }

chat-late = Het spijt ons dat uw vraag niet op tijd is beantwoord. Is het antwoord nog van belang, stel de vraag dan alstublieft opnieuw.
chat-gave-up = De vraag kon na meerdere pogingen niet worden beantwoord. Stel de vraag later opnieuw; referentie: { $trace }
chat-needs-model = Samenvattingen, vertalingen en concepten zijn hier niet beschikbaar, omdat er geen taalmodel is ingesteld.

chat-asks-person = Kunt u helpen met de bovenstaande vraag? Het verzoek komt van { $name }
chat-tried = { $count ->
    [one] Tot nu toe is { $count } bron doorzocht en is het bovenstaande antwoord gegeven.
   *[other] Tot nu toe zijn { $count } bronnen doorzocht en is het bovenstaande antwoord gegeven.
}
chat-handed-over = De vraag is doorgegeven aan de verantwoordelijken; zij antwoorden in dit gesprek.
chat-no-owner = Hier is niemand aangewezen om vragen over te nemen. Wend u tot een collega die het onderwerp kent.

chat-from-files = Dit antwoord steunt op bestanden uit dit gesprek.
chat-from-conversation = Dit antwoord is op basis van het gesprek geschreven, niet op basis van de documenten.
chat-image-declined = Afbeeldingen kunnen hier niet worden gelezen. Beschrijf in woorden wat er te zien is op { $name }
chat-file-unreadable = Dit bestand kon niet worden gelezen. Controleer of het zonder wachtwoord te openen is: { $name }
chat-file-too-large = Dit bestand is te groot om te lezen. Stuur alleen het deel dat ertoe doet: { $name }

access-offer = Voor u kan een uitgebreider antwoord worden geschreven; alleen u zou het zien.
access-disclose = Dit antwoord berust op documenten die niet iedereen hier mag openen. Moet het toch aan iedereen worden getoond?
access-may-not = Dit is niet mogelijk, omdat u niet alles mag lezen waarop dit antwoord berust.
answer-withdrawn = Dit antwoord is ingetrokken, omdat iets waarop het berust hier niet meer mag worden gelezen. Stel de vraag alstublieft opnieuw.

quota-spent = { $minutes ->
    [one] U hebt zoveel vragen gesteld als voorlopig is toegestaan. Stel uw vraag alstublieft opnieuw over { $minutes } minuut.
   *[other] U hebt zoveel vragen gesteld als voorlopig is toegestaan. Stel uw vraag alstublieft opnieuw over { $minutes } minuten.
}
quota-workspace-spent = { $minutes ->
    [one] Er zijn hier zoveel vragen gesteld als voorlopig is toegestaan. Stel uw vraag alstublieft opnieuw over { $minutes } minuut.
   *[other] Er zijn hier zoveel vragen gesteld als voorlopig is toegestaan. Stel uw vraag alstublieft opnieuw over { $minutes } minuten.
}
quota-tokens-spent = { $minutes ->
    [one] Uw antwoorden hebben zoveel rekenkracht gebruikt als voorlopig is toegestaan. Stel uw vraag alstublieft opnieuw over { $minutes } minuut.
   *[other] Uw antwoorden hebben zoveel rekenkracht gebruikt als voorlopig is toegestaan. Stel uw vraag alstublieft opnieuw over { $minutes } minuten.
}

chat-prompts-title = Wat wilt u weten?
chat-prompt-1-title = Vakantiedagen
chat-prompt-1 = Hoeveel vakantiedagen heb ik, en hoe vraag ik ze aan?
chat-prompt-2-title = Hulp bij de computer
chat-prompt-2 = Ik kan niet meer inloggen op mijn computer. Wat moet ik doen?
chat-prompt-3-title = Reiskosten
chat-prompt-3 = Hoe declareer ik reiskosten, en vóór wanneer?
