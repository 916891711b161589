language-name = Polski
answer-language = Odpowiedz po polsku.

status-searching = Przeszukiwanie dokumentów…
status-writing = Pisanie odpowiedzi…

not-found = W dokumentach, do których jest dostęp, nie ma odpowiedzi na to pytanie. Proszę spróbować zadać je innymi słowami.
nothing-indexed = Nie zindeksowano jeszcze żadnych dokumentów; potem proszę zadać pytanie ponownie.
extractive-intro = Te fragmenty dokumentów są najbliższe pytaniu:
sources = Źródła
page = strona { NUMBER($page, useGrouping: 0) }
updated = aktualizacja: { DATETIME($date, dateStyle: "long") }
restricted = dostęp ograniczony

model-unavailable = Usługa pisania odpowiedzi jest w tej chwili niedostępna (numer zgłoszenia: { $trace }).
budget-spent = Budżet na pisane odpowiedzi jest na razie wyczerpany. Proszę zapytać ponownie później.
interrupted = Odpowiedź urwała się przed końcem. Proszę zadać pytanie ponownie; numer zgłoszenia: { $trace }
try-again = W tej chwili nie można udzielić odpowiedzi. Proszę spróbować za chwilę; numer zgłoszenia: { $trace }
error = Po naszej stronie coś poszło nie tak. Jeśli to się powtórzy, proszę podać numer zgłoszenia: { $trace }
empty-question = Proszę wpisać pytanie.
question-too-long = Pytanie jest zbyt długie. Największa dozwolona liczba znaków: { $limit }

nearest = Te dokumenty są najbliższe pytaniu:
answer-missing = W dokumentach nie ma informacji: { $what }
note-general = Ta odpowiedź powstała bez użycia dokumentów.
note-alone = Każde pytanie jest tu odczytywane osobno. Proszę zadawać kolejne pytania w pełnym brzmieniu.
note-stale = Ostatnia zmiana cytowanych tu treści: { DATETIME($date, dateStyle: "long") }. Proszę sprawdzić, czy są nadal aktualne.
note-older = Starsza wersja mówi co innego; jej data: { DATETIME($date, dateStyle: "long") }
note-removed = Pominięto stwierdzenia, których źródła nie potwierdzają.
note-groups-unknown = Nie udało się teraz sprawdzić przynależności do grup, dlatego pominięto dokumenty przeznaczone dla określonych grup. Jeśli czegoś brakuje, proszę zadać pytanie ponownie później.
note-history-left-out = Pominięto wcześniejsze odpowiedzi, ponieważ nie wszyscy, którzy tu czytają, mają dostęp do ich źródeł. Proszę zadawać kolejne pytania w pełnym brzmieniu.
note-unconfirmed = (niepotwierdzone w źródłach)
wrong-language = Nie udało się napisać odpowiedzi po polsku.

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
web-key-expired = Ten klucz dostępu wygasł. Proszę poprosić administratora o nowy.
web-other-site = To żądanie przyszło z innej witryny i zostało odrzucone. Proszę otworzyć samą stronę.
web-busy = W tej chwili jest zbyt wiele pytań. Proszę spróbować za chwilę.
web-too-fast = Z tym kluczem dostępu wysłano zbyt wiele żądań. Proszę spróbować ponownie za minutę.
web-too-large = Żądanie jest zbyt duże; dozwolone jest najwyżej { $limit } kB.
web-unknown-model = Nie ma tu takiego modelu. Proszę użyć tego: { $model }
web-no-document = Nie ma takiego dokumentu albo brak do niego dostępu.
web-not-found = Nie ma takiej strony.

chat-searching = { $count ->
    [one] Przeszukiwanie { $count } źródła…
    [few] Przeszukiwanie { $count } źródeł…
    [many] Przeszukiwanie { $count } źródeł…
   *[other] Przeszukiwanie { $count } źródła…
}
chat-searching-privately = Trwa wyszukiwanie; odpowiedź zobaczy tylko osoba pytająca.
chat-reading-files = Odczytywanie załączonych plików…

chat-stop = Zatrzymaj
chat-again = Odpowiedz ponownie
chat-up = Pomocne
chat-down = Niepomocne
chat-share = Udostępnij na kanale
chat-fuller = Pełniejsza, tylko dla mnie
chat-disclose = Pokaż mimo to wszystkim tutaj
chat-person = Zapytaj człowieka
chat-resolved = Oznacz jako rozwiązane
chat-stopped-by = Zatrzymane przez: { $name }
chat-shared-by = Udostępnione przez: { $name }
chat-resolved-by = Rozwiązane przez: { $name }

chat-reason-title = Opinia o odpowiedzi
chat-reason-label = Czego zabrakło?
chat-send = Wyślij
chat-thanks = Dziękujemy za opinię.
chat-shared = Odpowiedź zostanie opublikowana na kanale.
chat-only-you = Tę odpowiedź widzi tylko osoba pytająca.
chat-not-yours = Może to zrobić tylko osoba pytająca albo ktoś, kto za to odpowiada.
chat-expired = Ten przycisk już nie działa. Proszę zadać pytanie ponownie.
chat-usage = Proszę wpisać pytanie po poleceniu, w tym samym wierszu: { $command }

chat-late = Przepraszamy, że to pytanie nie doczekało się odpowiedzi na czas. Jeśli nadal jest ważne, proszę zadać je ponownie.
chat-gave-up = Mimo kilku prób nie udało się odpowiedzieć na pytanie. Proszę zadać je później; numer zgłoszenia: { $trace }
chat-needs-model = Streszczenia, tłumaczenia i szkice nie są tu dostępne, ponieważ nie skonfigurowano modelu językowego.

chat-asks-person = Czy można prosić o pomoc w powyższej sprawie? O pomoc prosi { $name }
chat-tried = { $count ->
    [one] Dotychczas przeszukano { $count } źródło i podano powyższą odpowiedź.
    [few] Dotychczas przeszukano { $count } źródła i podano powyższą odpowiedź.
    [many] Dotychczas przeszukano { $count } źródeł i podano powyższą odpowiedź.
   *[other] Dotychczas przeszukano { $count } źródła i podano powyższą odpowiedź.
}
chat-handed-over = Pytanie przekazano osobom odpowiedzialnym; odpowiedzą one w tym wątku.
chat-no-owner = Nikt nie został tu wyznaczony do przejmowania pytań. Proszę zwrócić się do kogoś, kto zna ten temat.

chat-from-files = Ta odpowiedź opiera się na plikach z tej rozmowy.
chat-from-conversation = Ta odpowiedź powstała na podstawie rozmowy, a nie dokumentów.
chat-image-declined = Nie można tu odczytywać obrazów. Proszę opisać słowami, co przedstawia { $name }
chat-file-unreadable = Nie udało się odczytać tego pliku. Proszę sprawdzić, czy otwiera się bez hasła: { $name }
chat-file-too-large = Ten plik jest zbyt duży, aby go odczytać. Proszę przesłać tylko potrzebną część: { $name }

access-offer = Można przygotować pełniejszą odpowiedź; zobaczy ją tylko osoba, która o nią poprosi.
access-disclose = Ta odpowiedź opiera się na dokumentach, których nie wszyscy tutaj mogą otworzyć. Czy mimo to pokazać ją wszystkim?
access-may-not = Nie można tego zrobić bez dostępu do wszystkiego, na czym opiera się ta odpowiedź.
answer-withdrawn = Tę odpowiedź wycofano, ponieważ czegoś, na czym się opiera, nie wolno już tutaj czytać. Proszę zadać pytanie ponownie.

quota-spent = { $minutes ->
    [one] Wykorzystano już liczbę pytań dozwoloną na razie dla jednej osoby. Proszę zapytać ponownie za { $minutes } minutę.
    [few] Wykorzystano już liczbę pytań dozwoloną na razie dla jednej osoby. Proszę zapytać ponownie za { $minutes } minuty.
    [many] Wykorzystano już liczbę pytań dozwoloną na razie dla jednej osoby. Proszę zapytać ponownie za { $minutes } minut.
   *[other] Wykorzystano już liczbę pytań dozwoloną na razie dla jednej osoby. Proszę zapytać ponownie za { $minutes } minuty.
}
quota-workspace-spent = { $minutes ->
    [one] Wykorzystano już liczbę pytań dozwoloną tu na razie dla wszystkich. Proszę zapytać ponownie za { $minutes } minutę.
    [few] Wykorzystano już liczbę pytań dozwoloną tu na razie dla wszystkich. Proszę zapytać ponownie za { $minutes } minuty.
    [many] Wykorzystano już liczbę pytań dozwoloną tu na razie dla wszystkich. Proszę zapytać ponownie za { $minutes } minut.
   *[other] Wykorzystano już liczbę pytań dozwoloną tu na razie dla wszystkich. Proszę zapytać ponownie za { $minutes } minuty.
}
quota-tokens-spent = { $minutes ->
    [one] Odpowiedzi dla jednej osoby zużyły już całą dozwoloną na razie moc obliczeniową. Proszę zapytać ponownie za { $minutes } minutę.
    [few] Odpowiedzi dla jednej osoby zużyły już całą dozwoloną na razie moc obliczeniową. Proszę zapytać ponownie za { $minutes } minuty.
    [many] Odpowiedzi dla jednej osoby zużyły już całą dozwoloną na razie moc obliczeniową. Proszę zapytać ponownie za { $minutes } minut.
   *[other] Odpowiedzi dla jednej osoby zużyły już całą dozwoloną na razie moc obliczeniową. Proszę zapytać ponownie za { $minutes } minuty.
}

chat-prompts-title = W czym możemy pomóc?
chat-prompt-1-title = Urlop
chat-prompt-1 = Ile dni urlopu mi przysługuje i jak złożyć wniosek?
chat-prompt-2-title = Pomoc informatyczna
chat-prompt-2 = Nie mogę zalogować się do komputera. Co mam zrobić?
chat-prompt-3-title = Koszty podróży
chat-prompt-3 = Jak rozliczyć koszty podróży służbowej i w jakim terminie?
