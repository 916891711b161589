language-name = Italiano
answer-language = Risponda in italiano.

status-searching = Ricerca nei documenti…
status-writing = Scrittura della risposta…

not-found = Nei documenti che può consultare non c’è una risposta a questa domanda. Provi a formularla con altre parole.
nothing-indexed = Nessun documento è stato ancora indicizzato; quando lo sarà, ripetere la domanda.
extractive-intro = Questi sono i passaggi dei documenti che più si avvicinano:
uncited = Questa risposta non cita alcun passaggio dei documenti. La verifichi prima di farci affidamento.
sources = Fonti
page = pagina { NUMBER($page, useGrouping: 0) }
updated = data di aggiornamento: { DATETIME($date, dateStyle: "long") }

model-unavailable = Il servizio di scrittura al momento non è disponibile (riferimento: { $trace }).
interrupted = La risposta si è interrotta prima della fine. Ripeta la domanda, per favore; riferimento: { $trace }
try-again = Al momento non è possibile dare la risposta. Riprovi tra poco; riferimento: { $trace }
error = Qualcosa è andato storto da parte nostra. Se succede di nuovo, indichi questo riferimento: { $trace }
empty-question = Scriva una domanda, per favore.
question-too-long = La domanda è troppo lunga. Non deve superare i { $limit } caratteri.

web-title = Domande sui nostri documenti
web-welcome = Che cosa desidera sapere?
web-intro = Faccia una domanda sui documenti dell’azienda; la risposta indica le sue fonti.
web-question = La sua domanda
web-hint = Invio manda la domanda; Maiusc e Invio iniziano una nuova riga.
web-no-script = Questa pagina ha bisogno di JavaScript; lo consenta nel browser.
web-new = Nuova conversazione
web-send = Invia
web-stop = Interrompi
web-stopped = Interrotto.
web-answer-ready = La risposta:
web-copy = Copia la risposta
web-copied = Copiato
web-source = Fonte { $number }: { $title }
web-sources = { sources }

web-no-connection = La connessione si è interrotta. Controlli la rete e riprovi.

web-cancel = Annulla
web-continue = Continua
web-back = Torna alle domande

web-key = Chiave di accesso
web-key-title = L’accesso è limitato
web-key-needed = Qui serve una chiave di accesso. Può chiederla all’amministratore.
web-wrong-key = Questa chiave di accesso non è valida. La controlli o ne chieda un’altra all’amministratore.
web-other-site = Questa richiesta veniva da un altro sito web ed è stata rifiutata. Apra direttamente la pagina, per favore.
web-busy = Al momento ci sono troppe domande. Riprovi tra poco.
web-too-large = La richiesta è troppo grande; sono ammessi al massimo { $limit } kB.
web-unknown-model = Questo modello qui non esiste. Usi questo: { $model }
web-no-document = Questo documento non esiste o non è accessibile per lei.
web-not-found = Questa pagina non esiste.
