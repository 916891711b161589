language-name = Polski
answer-language = Odpowiedz po polsku.

status-searching = Przeszukiwanie dokumentów…
status-writing = Pisanie odpowiedzi…

not-found = W dokumentach, do których jest dostęp, nie ma odpowiedzi na to pytanie. Proszę spróbować zadać je innymi słowami.
nothing-indexed = Nie zindeksowano jeszcze żadnych dokumentów; potem proszę zadać pytanie ponownie.
extractive-intro = Te fragmenty dokumentów są najbliższe pytaniu:
uncited = Ta odpowiedź nie wskazuje żadnego fragmentu dokumentów. Proszę ją sprawdzić, zanim posłuży do dalszej pracy.
sources = Źródła
page = strona { NUMBER($page, useGrouping: 0) }
updated = aktualizacja: { DATETIME($date, dateStyle: "long") }

model-unavailable = Usługa pisania odpowiedzi jest w tej chwili niedostępna (numer zgłoszenia: { $trace }).
interrupted = Odpowiedź urwała się przed końcem. Proszę zadać pytanie ponownie; numer zgłoszenia: { $trace }
try-again = W tej chwili nie można udzielić odpowiedzi. Proszę spróbować za chwilę; numer zgłoszenia: { $trace }
error = Po naszej stronie coś poszło nie tak. Jeśli to się powtórzy, proszę podać numer zgłoszenia: { $trace }
empty-question = Proszę wpisać pytanie.
question-too-long = Pytanie jest zbyt długie. Największa dozwolona liczba znaków: { $limit }

web-title = Pytania o nasze dokumenty
web-welcome = W czym możemy pomóc?
web-intro = Tu można zadać pytanie o dokumenty firmy; odpowiedź podaje swoje źródła.
web-question = Pytanie
web-hint = Enter wysyła pytanie; Shift i Enter zaczynają nowy wiersz.
web-no-script = Ta strona wymaga JavaScriptu; proszę zezwolić na niego w przeglądarce.
web-new = Nowa rozmowa
web-send = Wyślij
web-stop = Zatrzymaj
web-stopped = Zatrzymano.
web-answer-ready = Odpowiedź:
web-copy = Kopiuj odpowiedź
web-copied = Skopiowano
web-source = Źródło { $number }: { $title }
web-sources = { sources }

web-no-connection = Połączenie zostało przerwane. Proszę sprawdzić sieć i spróbować ponownie.

web-cancel = Anuluj
web-continue = Dalej
web-back = Wróć do pytań

web-key = Klucz dostępu
web-key-title = Dostęp jest ograniczony
web-key-needed = Potrzebny jest tu klucz dostępu. Można go otrzymać od administratora.
web-wrong-key = Ten klucz dostępu jest nieprawidłowy. Proszę go sprawdzić lub poprosić administratora o nowy.
web-other-site = To żądanie przyszło z innej witryny i zostało odrzucone. Proszę otworzyć samą stronę.
web-busy = W tej chwili jest zbyt wiele pytań. Proszę spróbować za chwilę.
web-too-large = Żądanie jest zbyt duże; dozwolone jest najwyżej { $limit } kB.
web-unknown-model = Nie ma tu takiego modelu. Proszę użyć tego: { $model }
web-no-document = Nie ma takiego dokumentu albo brak do niego dostępu.
web-not-found = Nie ma takiej strony.
