language-name = Español
answer-language = Responda en español.

status-searching = Buscando en los documentos…
status-writing = Redactando la respuesta…

not-found = Nada de lo que dicen los documentos que puede consultar responde a esta pregunta. Pruebe a formularla de otra manera.
nothing-indexed = Todavía no se ha indexado ningún documento; cuando se haya hecho, vuelva a preguntar.
extractive-intro = Estos son los pasajes de los documentos que más se acercan:
sources = Fuentes
page = página { NUMBER($page, useGrouping: 0) }
updated = actualizado el { DATETIME($date, dateStyle: "long") }
restricted = acceso restringido

model-unavailable = El servicio de redacción no está disponible en este momento (referencia: { $trace }).
budget-spent = El presupuesto para respuestas redactadas está agotado por ahora. Vuelva a preguntar más tarde, por favor.
interrupted = La respuesta se interrumpió antes de terminar. Vuelva a preguntar, por favor; referencia: { $trace }
try-again = La respuesta no se puede dar en este momento. Inténtelo de nuevo en unos instantes; referencia: { $trace }
error = Algo ha fallado por nuestra parte. Si vuelve a ocurrir, indique esta referencia: { $trace }
empty-question = Escriba una pregunta, por favor.
question-too-long = La pregunta es demasiado larga. No debe superar los { $limit } caracteres.

nearest = Estos son los documentos que más se acercan:
answer-missing = Los documentos no lo indican: { $what }
note-general = Esta respuesta se ha redactado sin los documentos.
note-alone = Aquí cada pregunta se lee por separado. Formule completas las preguntas de seguimiento, por favor.
note-stale = Lo que se cita aquí se modificó por última vez el { DATETIME($date, dateStyle: "long") }. Compruebe si sigue siendo válido.
note-older = Una versión anterior dice otra cosa; su fecha: { DATETIME($date, dateStyle: "long") }
note-removed = Se han omitido las afirmaciones que las fuentes no respaldan.
note-groups-unknown = En este momento no se han podido consultar sus grupos, por lo que se han omitido los documentos reservados a determinados grupos. Si falta algo, vuelva a preguntar más tarde, por favor.
note-history-left-out = No se han tenido en cuenta las respuestas anteriores, porque no todas las personas que leen aquí pueden abrir sus fuentes. Formule completas las preguntas de seguimiento, por favor.
note-unconfirmed = (no confirmado por las fuentes)
wrong-language = No se ha podido redactar la respuesta en español.

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
web-key-expired = Esta clave de acceso ha caducado. Pida otra a su administrador.
web-other-site = Esta solicitud venía de otro sitio web y se ha rechazado. Abra la propia página, por favor.
web-busy = Hay demasiadas preguntas en este momento. Inténtelo de nuevo en unos instantes.
web-too-fast = Se han hecho demasiadas solicitudes con esta clave de acceso. Inténtelo de nuevo dentro de un minuto.
web-too-large = La solicitud es demasiado grande; se admiten { $limit } kB como máximo.
web-unknown-model = Ese modelo no existe aquí. Utilice este: { $model }
web-no-document = Ese documento no existe o usted no tiene acceso a él.
web-not-found = Esa página no existe.

chat-searching = { $count ->
    [one] Buscando en { $count } fuente…
   *[other] Buscando en { $count } fuentes…
}
chat-searching-privately = Buscando; solo usted verá la respuesta.
chat-reading-files = Leyendo los archivos adjuntos…

chat-stop = Detener
chat-again = Responder de nuevo
chat-up = Útil
chat-down = No es útil
chat-share = Compartir en el canal
chat-fuller = Más completa, solo para mí
chat-disclose = Mostrar a todos de todos modos
chat-person = Preguntar a una persona
chat-resolved = Marcar como resuelta
chat-stopped-by = Detenido por { $name }
chat-shared-by = Compartido por { $name }
chat-resolved-by = Resuelto por { $name }

chat-reason-title = Su opinión
chat-reason-label = ¿Qué ha faltado?
chat-send = Enviar
chat-thanks = Gracias por su opinión.
chat-shared = La respuesta se publicará en el canal.
chat-only-you = Solo usted puede ver esta respuesta.
chat-not-yours = Esto solo pueden hacerlo quien preguntó y las personas responsables.
chat-expired = Este botón ya no funciona. Vuelva a hacer la pregunta, por favor.
chat-usage = Escriba su pregunta después del comando, en la misma línea: { $command }

chat-late = Lamentamos no haber respondido a tiempo a su pregunta. Si sigue siendo importante, vuelva a hacerla, por favor.
chat-gave-up = No se pudo responder a la pregunta después de varios intentos. Vuelva a hacerla más tarde; referencia: { $trace }
chat-needs-model = Aquí no se pueden hacer resúmenes, traducciones ni borradores, porque no hay ningún modelo de lenguaje configurado.

chat-asks-person = ¿Podría ayudar con la pregunta de arriba, por favor? Lo solicita { $name }
chat-tried = { $count ->
    [one] Hasta ahora se ha buscado en { $count } fuente y se ha dado la respuesta de arriba.
   *[other] Hasta ahora se ha buscado en { $count } fuentes y se ha dado la respuesta de arriba.
}
chat-handed-over = La pregunta se ha transmitido a las personas responsables; responderán en este hilo.
chat-no-owner = Aquí no hay nadie asignado para hacerse cargo de las preguntas. Diríjase a alguien que conozca el tema, por favor.

chat-from-files = Esta respuesta se apoya en archivos de esta conversación.
chat-from-conversation = Esta respuesta se ha escrito a partir de la conversación, no de los documentos.
chat-image-declined = Aquí no se pueden leer imágenes. Describa con palabras lo que muestra { $name }
chat-file-unreadable = No se ha podido leer este archivo. Compruebe que se abre y que no tiene contraseña: { $name }
chat-file-too-large = Este archivo es demasiado grande para leerlo. Envíe solo la parte que importa: { $name }

access-offer = Se puede redactar una respuesta más completa para usted; solo usted la vería.
access-disclose = Esta respuesta se basa en documentos que no todas las personas de aquí pueden abrir. ¿Desea mostrarla a todas de todos modos?
access-may-not = No puede hacer esto, porque no tiene acceso a todo aquello en lo que se basa esta respuesta.
answer-withdrawn = Esta respuesta se ha retirado, porque algo en lo que se basa ya no se puede leer aquí. Vuelva a preguntar, por favor.

quota-spent = { $minutes ->
    [one] Ha hecho todas las preguntas que se permiten por ahora. Vuelva a preguntar dentro de { $minutes } minuto, por favor.
   *[other] Ha hecho todas las preguntas que se permiten por ahora. Vuelva a preguntar dentro de { $minutes } minutos, por favor.
}
quota-workspace-spent = { $minutes ->
    [one] Aquí ya se han hecho todas las preguntas que se permiten por ahora. Vuelva a preguntar dentro de { $minutes } minuto, por favor.
   *[other] Aquí ya se han hecho todas las preguntas que se permiten por ahora. Vuelva a preguntar dentro de { $minutes } minutos, por favor.
}
quota-tokens-spent = { $minutes ->
    [one] Sus respuestas han consumido toda la capacidad de cálculo que se permite por ahora. Vuelva a preguntar dentro de { $minutes } minuto, por favor.
   *[other] Sus respuestas han consumido toda la capacidad de cálculo que se permite por ahora. Vuelva a preguntar dentro de { $minutes } minutos, por favor.
}

chat-prompts-title = ¿Qué desea saber?
chat-prompt-1-title = Vacaciones
chat-prompt-1 = ¿Cuántos días de vacaciones tengo y cómo los solicito?
chat-prompt-2-title = Ayuda informática
chat-prompt-2 = Ya no puedo iniciar sesión en mi equipo. ¿Qué debo hacer?
chat-prompt-3-title = Gastos de viaje
chat-prompt-3 = ¿Cómo solicito el reembolso de los gastos de viaje y en qué plazo?
