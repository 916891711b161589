language-name = Português
answer-language = Responda em português.

status-searching = Pesquisando nos documentos…
status-writing = Escrevendo a resposta…

not-found = Nada nos documentos que você pode consultar responde a esta pergunta. Tente formulá-la com outras palavras.
nothing-indexed = Nenhum documento foi indexado ainda; depois disso, pergunte novamente.
extractive-intro = Estes são os trechos dos documentos que mais se aproximam:
uncited = Esta resposta não cita nenhum trecho dos documentos. Verifique-a antes de confiar nela.
sources = Fontes
page = página { NUMBER($page, useGrouping: 0) }
updated = atualizado em { DATETIME($date, dateStyle: "long") }

model-unavailable = O serviço de redação não está disponível no momento (referência: { $trace }).
interrupted = A resposta foi interrompida antes do fim. Pergunte novamente, por favor; referência: { $trace }
try-again = Não é possível dar a resposta no momento. Tente novamente em instantes; referência: { $trace }
error = Algo deu errado do nosso lado. Se acontecer de novo, informe esta referência: { $trace }
empty-question = Escreva uma pergunta, por favor.
question-too-long = A pergunta é longa demais. Ela não deve passar de { $limit } caracteres.

web-title = Pergunte aos nossos documentos
web-welcome = O que você gostaria de saber?
web-intro = Faça uma pergunta sobre os documentos da empresa; a resposta cita as suas fontes.
web-question = Sua pergunta
web-hint = Enter envia a pergunta; Shift e Enter começam uma nova linha.
web-no-script = Esta página precisa de JavaScript; permita-o no navegador.
web-new = Nova conversa
web-send = Enviar
web-stop = Parar
web-stopped = Interrompido.
web-answer-ready = A resposta:
web-copy = Copiar a resposta
web-copied = Copiado
web-source = Fonte { $number }: { $title }
web-sources = { sources }

web-no-connection = A conexão foi perdida. Verifique a rede e tente novamente.

web-cancel = Cancelar
web-continue = Continuar
web-back = Voltar às perguntas

web-key = Chave de acesso
web-key-title = O acesso é restrito
web-key-needed = Aqui é necessária uma chave de acesso. Peça-a à administração.
web-wrong-key = Esta chave de acesso não é válida. Verifique-a ou peça outra à administração.
web-other-site = Esta solicitação veio de outro site e foi recusada. Abra a própria página, por favor.
web-busy = Há perguntas demais no momento. Tente novamente em instantes.
web-too-large = A solicitação é grande demais; são permitidos no máximo { $limit } kB.
web-unknown-model = Esse modelo não existe aqui. Use este: { $model }
web-no-document = Esse documento não existe ou não está disponível para você.
web-not-found = Essa página não existe.
