language-name = Español
answer-language = Responda en español.

status-searching = Buscando en los documentos…
status-writing = Redactando la respuesta…

not-found = Nada de lo que dicen los documentos que puede consultar responde a esta pregunta. Pruebe a formularla de otra manera.
nothing-indexed = Todavía no se ha indexado ningún documento; cuando se haya hecho, vuelva a preguntar.
extractive-intro = Estos son los pasajes de los documentos que más se acercan:
uncited = Esta respuesta no cita ningún pasaje de los documentos. Compruébela antes de fiarse de ella.
sources = Fuentes
page = página { NUMBER($page, useGrouping: 0) }
updated = actualizado el { DATETIME($date, dateStyle: "long") }

model-unavailable = El servicio de redacción no está disponible en este momento (referencia: { $trace }).
interrupted = La respuesta se interrumpió antes de terminar. Vuelva a preguntar, por favor; referencia: { $trace }
try-again = La respuesta no se puede dar en este momento. Inténtelo de nuevo en unos instantes; referencia: { $trace }
error = Algo ha fallado por nuestra parte. Si vuelve a ocurrir, indique esta referencia: { $trace }
empty-question = Escriba una pregunta, por favor.
question-too-long = La pregunta es demasiado larga. No debe superar los { $limit } caracteres.

web-title = Pregunte a nuestros documentos
web-welcome = ¿Qué desea saber?
web-intro = Haga una pregunta sobre los documentos de la empresa; la respuesta cita sus fuentes.
web-question = Su pregunta
web-hint = Intro envía la pregunta; Mayús e Intro empiezan una línea nueva.
web-no-script = Esta página necesita JavaScript; permítalo en el navegador.
web-new = Nueva conversación
web-send = Enviar
web-stop = Detener
web-stopped = Detenido.
web-answer-ready = La respuesta:
web-copy = Copiar la respuesta
web-copied = Copiado
web-source = Fuente { $number }: { $title }
web-sources = { sources }

web-no-connection = Se ha perdido la conexión. Compruebe la red e inténtelo de nuevo.

web-cancel = Cancelar
web-continue = Continuar
web-back = Volver a las preguntas

web-key = Clave de acceso
web-key-title = El acceso está restringido
web-key-needed = Aquí se necesita una clave de acceso. Su administrador puede facilitársela.
web-wrong-key = Esta clave de acceso no es válida. Compruébela o pida otra a su administrador.
web-other-site = Esta solicitud venía de otro sitio web y se ha rechazado. Abra la propia página, por favor.
web-busy = Hay demasiadas preguntas en este momento. Inténtelo de nuevo en unos instantes.
web-too-large = La solicitud es demasiado grande; se admiten { $limit } kB como máximo.
web-unknown-model = Ese modelo no existe aquí. Utilice este: { $model }
web-no-document = Ese documento no existe o usted no tiene acceso a él.
web-not-found = Esa página no existe.
