language-name = Italiano
answer-language = Risponda in italiano.

status-searching = Ricerca nei documenti…
status-writing = Scrittura della risposta…

not-found = Nei documenti che può consultare non c’è una risposta a questa domanda. Provi a formularla con altre parole.
nothing-indexed = Nessun documento è stato ancora indicizzato; quando lo sarà, ripetere la domanda.
extractive-intro = Questi sono i passaggi dei documenti che più si avvicinano:
sources = Fonti
page = pagina { NUMBER($page, useGrouping: 0) }
updated = data di aggiornamento: { DATETIME($date, dateStyle: "long") }
restricted = accesso limitato

model-unavailable = Il servizio di scrittura al momento non è disponibile (riferimento: { $trace }).
budget-spent = Il budget per le risposte scritte è esaurito per ora. Riprovi più tardi, per favore.
interrupted = La risposta si è interrotta prima della fine. Ripeta la domanda, per favore; riferimento: { $trace }
try-again = Al momento non è possibile dare la risposta. Riprovi tra poco; riferimento: { $trace }
error = Qualcosa è andato storto da parte nostra. Se succede di nuovo, indichi questo riferimento: { $trace }
empty-question = Scriva una domanda, per favore.
question-too-long = La domanda è troppo lunga. Non deve superare i { $limit } caratteri.

nearest = Questi sono i documenti che più si avvicinano:
answer-missing = I documenti non lo indicano: { $what }
note-general = Questa risposta è stata scritta senza i documenti.
note-alone = Qui ogni domanda viene letta da sola. Per favore formuli per intero anche le domande successive.
note-stale = Ultima modifica di ciò che è citato qui: { DATETIME($date, dateStyle: "long") }. La preghiamo di verificare se vale ancora.
note-older = Una versione precedente dice altro; la sua data: { DATETIME($date, dateStyle: "long") }
note-removed = Le affermazioni che le fonti non confermano sono state omesse.
note-groups-unknown = Al momento non è stato possibile consultare i Suoi gruppi; i documenti riservati a determinati gruppi sono quindi stati esclusi. Se manca qualcosa, ripeta la domanda più tardi, per favore.
note-history-left-out = Le risposte precedenti non sono state considerate, perché non tutti coloro che leggono qui possono aprirne le fonti. Per favore formuli per intero anche le domande successive.
note-unconfirmed = (non confermato dalle fonti)
wrong-language = Non è stato possibile scrivere la risposta in italiano.

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
web-key-expired = Questa chiave di accesso è scaduta. Ne chieda una nuova all’amministratore.
web-other-site = Questa richiesta veniva da un altro sito web ed è stata rifiutata. Apra direttamente la pagina, per favore.
web-busy = Al momento ci sono troppe domande. Riprovi tra poco.
web-too-fast = Sono state fatte troppe richieste con questa chiave di accesso. Riprovi tra un minuto.
web-too-large = La richiesta è troppo grande; sono ammessi al massimo { $limit } kB.
web-unknown-model = Questo modello qui non esiste. Usi questo: { $model }
web-no-document = Questo documento non esiste o non è accessibile per lei.
web-not-found = Questa pagina non esiste.

chat-searching = { $count ->
    [one] Ricerca in { $count } fonte…
   *[other] Ricerca in { $count } fonti…
}
chat-searching-privately = Ricerca in corso; la risposta sarà visibile solo a Lei.
chat-reading-files = Lettura dei file allegati…

chat-stop = Interrompi
chat-again = Rispondi di nuovo
chat-up = Utile
chat-down = Non utile
chat-share = Condividi nel canale
chat-fuller = Più completa, solo per me
chat-disclose = Mostra comunque a tutti qui
chat-person = Chiedi a una persona
chat-resolved = Segna come risolta
chat-stopped-by = Interrotto da { $name }
chat-shared-by = Condiviso da { $name }
chat-resolved-by = Risolto da { $name }

chat-reason-title = Il Suo parere
chat-reason-label = Che cosa mancava?
chat-send = Invia
chat-thanks = Grazie per il Suo parere.
chat-shared = La risposta sarà pubblicata nel canale.
chat-only-you = Solo Lei può vedere questa risposta.
chat-not-yours = Possono farlo solo chi ha posto la domanda e i responsabili.
chat-expired = Questo pulsante non funziona più. Ripeta la domanda, per favore.
chat-usage = Scriva la domanda dopo il comando, sulla stessa riga: { $command }

chat-late = Ci dispiace di non aver risposto in tempo alla Sua domanda. Se è ancora importante, la ripeta, per favore.
chat-gave-up = Dopo diversi tentativi non è stato possibile rispondere alla domanda. La ripeta più tardi; riferimento: { $trace }
chat-needs-model = Riassunti, traduzioni e bozze qui non sono disponibili, perché non è configurato alcun modello linguistico.

chat-asks-person = Potrebbe aiutare con la domanda qui sopra, per favore? Lo chiede { $name }
chat-tried = { $count ->
    [one] Finora è stata consultata { $count } fonte ed è stata data la risposta qui sopra.
   *[other] Finora sono state consultate { $count } fonti ed è stata data la risposta qui sopra.
}
chat-handed-over = La domanda è stata passata ai responsabili, che risponderanno in questa conversazione.
chat-no-owner = Qui nessuno è incaricato di occuparsi delle domande. Si rivolga a un collega che conosce l’argomento, per favore.

chat-from-files = Questa risposta si basa su file di questa conversazione.
chat-from-conversation = Questa risposta è stata scritta a partire dalla conversazione, non dai documenti.
chat-image-declined = Qui non è possibile leggere immagini. Descriva a parole che cosa mostra { $name }
chat-file-unreadable = Non è stato possibile leggere questo file. Verifichi che si apra e che non abbia una password: { $name }
chat-file-too-large = Questo file è troppo grande per essere letto. Invii solo la parte che serve: { $name }

access-offer = È possibile scrivere per Lei una risposta più completa; la vedrebbe solo Lei.
access-disclose = Questa risposta si basa su documenti che non tutti qui possono aprire. Desidera mostrarla comunque a tutti?
access-may-not = Non può farlo, perché non ha accesso a tutto ciò su cui si basa questa risposta.
answer-withdrawn = Questa risposta è stata ritirata, perché qualcosa su cui si basa non può più essere letto qui. Ripeta la domanda, per favore.

quota-spent = { $minutes ->
    [one] Ha posto tutte le domande consentite per ora. Riprovi tra { $minutes } minuto, per favore.
   *[other] Ha posto tutte le domande consentite per ora. Riprovi tra { $minutes } minuti, per favore.
}
quota-workspace-spent = { $minutes ->
    [one] Qui sono già state poste tutte le domande consentite per ora. Riprovi tra { $minutes } minuto, per favore.
   *[other] Qui sono già state poste tutte le domande consentite per ora. Riprovi tra { $minutes } minuti, per favore.
}
quota-tokens-spent = { $minutes ->
    [one] Le Sue risposte hanno consumato tutta la capacità di calcolo consentita per ora. Riprovi tra { $minutes } minuto, per favore.
   *[other] Le Sue risposte hanno consumato tutta la capacità di calcolo consentita per ora. Riprovi tra { $minutes } minuti, per favore.
}

chat-prompts-title = Che cosa desidera sapere?
chat-prompt-1-title = Ferie
chat-prompt-1 = Quanti giorni di ferie ho e come li richiedo?
chat-prompt-2-title = Assistenza informatica
chat-prompt-2 = Non riesco più ad accedere al mio computer. Che cosa devo fare?
chat-prompt-3-title = Spese di viaggio
chat-prompt-3 = Come chiedo il rimborso delle spese di viaggio, ed entro quando?
