language-name = Português
answer-language = Responda em português.

status-searching = Pesquisando nos documentos…
status-writing = Escrevendo a resposta…

not-found = Nada nos documentos que você pode consultar responde a esta pergunta. Tente formulá-la com outras palavras.
nothing-indexed = Nenhum documento foi indexado ainda; depois disso, pergunte novamente.
extractive-intro = Estes são os trechos dos documentos que mais se aproximam:
sources = Fontes
page = página { NUMBER($page, useGrouping: 0) }
updated = atualizado em { DATETIME($date, dateStyle: "long") }
restricted = acesso restrito

model-unavailable = O serviço de redação não está disponível no momento (referência: { $trace }).
budget-spent = O orçamento para respostas redigidas está esgotado por enquanto. Pergunte novamente mais tarde, por favor.
interrupted = A resposta foi interrompida antes do fim. Pergunte novamente, por favor; referência: { $trace }
try-again = Não é possível dar a resposta no momento. Tente novamente em instantes; referência: { $trace }
error = Algo deu errado do nosso lado. Se acontecer de novo, informe esta referência: { $trace }
empty-question = Escreva uma pergunta, por favor.
question-too-long = A pergunta é longa demais. Ela não deve passar de { $limit } caracteres.

nearest = Estes são os documentos que mais se aproximam:
answer-missing = Os documentos não informam: { $what }
note-general = Esta resposta foi escrita sem os documentos.
note-alone = Aqui cada pergunta é lida separadamente. Escreva por completo também as perguntas seguintes, por favor.
note-stale = O que é citado aqui foi alterado pela última vez em { DATETIME($date, dateStyle: "long") }. Verifique se ainda é válido.
note-older = Uma versão anterior diz outra coisa; a data dela: { DATETIME($date, dateStyle: "long") }
note-removed = As afirmações que as fontes não sustentam foram omitidas.
note-groups-unknown = Não foi possível consultar os seus grupos agora; por isso, os documentos destinados a determinados grupos ficaram de fora. Se faltar algo, pergunte novamente mais tarde, por favor.
note-history-left-out = As respostas anteriores não foram consideradas, porque nem todos os que leem aqui podem abrir as fontes delas. Escreva por completo também as perguntas seguintes, por favor.
note-unconfirmed = (não confirmado pelas fontes)
wrong-language = Não foi possível escrever a resposta em português.

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
web-key-expired = Esta chave de acesso expirou. Peça uma nova à administração.
web-other-site = Esta solicitação veio de outro site e foi recusada. Abra a própria página, por favor.
web-busy = Há perguntas demais no momento. Tente novamente em instantes.
web-too-fast = Foram feitos pedidos demais com esta chave de acesso. Tente novamente em um minuto.
web-too-large = A solicitação é grande demais; são permitidos no máximo { $limit } kB.
web-unknown-model = Esse modelo não existe aqui. Use este: { $model }
web-no-document = Esse documento não existe ou não está disponível para você.
web-not-found = Essa página não existe.

chat-searching = { $count ->
    [one] Pesquisando em { $count } fonte…
   *[other] Pesquisando em { $count } fontes…
}
chat-searching-privately = Pesquisando; somente você verá a resposta.
chat-reading-files = Lendo os arquivos anexados…

chat-stop = Parar
chat-again = Responder novamente
chat-up = Útil
chat-down = Não foi útil
chat-share = Compartilhar no canal
chat-fuller = Mais completa, só para mim
chat-disclose = Mostrar a todos mesmo assim
chat-person = Perguntar a uma pessoa
chat-resolved = Marcar como resolvida
chat-stopped-by = Interrompido por { $name }
chat-shared-by = Compartilhado por { $name }
chat-resolved-by = Resolvido por { $name }

chat-reason-title = Sua avaliação
chat-reason-label = O que faltou?
chat-send = Enviar
chat-thanks = Agradecemos a sua avaliação.
chat-shared = A resposta será publicada no canal.
chat-only-you = Somente você pode ver esta resposta.
chat-not-yours = Somente quem fez a pergunta e as pessoas responsáveis podem fazer isso.
chat-expired = Este botão não funciona mais. Faça a pergunta novamente, por favor.
chat-usage = Escreva a sua pergunta depois do comando, na mesma linha: { $command }

chat-late = Lamentamos não ter respondido à sua pergunta a tempo. Se ela ainda for importante, pergunte novamente, por favor.
chat-gave-up = Não foi possível responder à pergunta depois de várias tentativas. Pergunte novamente mais tarde; referência: { $trace }
chat-needs-model = Resumos, traduções e rascunhos não estão disponíveis aqui, porque nenhum modelo de linguagem está configurado.

chat-asks-person = Você poderia ajudar com a pergunta acima, por favor? O pedido é de { $name }
chat-tried = { $count ->
    [one] Até agora, { $count } fonte foi pesquisada, e a resposta acima foi dada.
   *[other] Até agora, { $count } fontes foram pesquisadas, e a resposta acima foi dada.
}
chat-handed-over = A pergunta foi encaminhada às pessoas responsáveis; elas responderão nesta conversa.
chat-no-owner = Ninguém está encarregado de assumir perguntas aqui. Procure um colega que conheça o assunto, por favor.

chat-from-files = Esta resposta se baseia em arquivos desta conversa.
chat-from-conversation = Esta resposta foi escrita a partir da conversa, e não dos documentos.
chat-image-declined = Não é possível ler imagens aqui. Descreva em palavras o que aparece em { $name }
chat-file-unreadable = Não foi possível ler este arquivo. Verifique se ele abre e se não tem senha: { $name }
chat-file-too-large = Este arquivo é grande demais para ser lido. Envie somente a parte que importa: { $name }

access-offer = É possível escrever uma resposta mais completa para você; somente você a veria.
access-disclose = Esta resposta se baseia em documentos que nem todos aqui podem abrir. Deseja mostrá-la a todos mesmo assim?
access-may-not = Você não pode fazer isso, porque não tem acesso a tudo em que esta resposta se baseia.
answer-withdrawn = Esta resposta foi retirada, porque algo em que ela se baseia não pode mais ser lido aqui. Pergunte novamente, por favor.

quota-spent = { $minutes ->
    [one] Você fez todas as perguntas permitidas por enquanto. Pergunte novamente em { $minutes } minuto, por favor.
   *[other] Você fez todas as perguntas permitidas por enquanto. Pergunte novamente em { $minutes } minutos, por favor.
}
quota-workspace-spent = { $minutes ->
    [one] Já foram feitas aqui todas as perguntas permitidas por enquanto. Pergunte novamente em { $minutes } minuto, por favor.
   *[other] Já foram feitas aqui todas as perguntas permitidas por enquanto. Pergunte novamente em { $minutes } minutos, por favor.
}
quota-tokens-spent = { $minutes ->
    [one] As suas respostas usaram toda a capacidade de processamento permitida por enquanto. Pergunte novamente em { $minutes } minuto, por favor.
   *[other] As suas respostas usaram toda a capacidade de processamento permitida por enquanto. Pergunte novamente em { $minutes } minutos, por favor.
}

chat-prompts-title = O que você gostaria de saber?
chat-prompt-1-title = Férias
chat-prompt-1 = A quantos dias de férias tenho direito e como faço para solicitá-los?
chat-prompt-2-title = Ajuda de TI
chat-prompt-2 = Não consigo mais entrar no meu computador. O que devo fazer?
chat-prompt-3-title = Despesas de viagem
chat-prompt-3 = Como peço o reembolso de despesas de viagem e qual é o prazo?
