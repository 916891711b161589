language-name = Français
answer-language = Répondez en français.

status-searching = Recherche dans les documents…
status-writing = Rédaction de la réponse…

not-found = Rien dans les documents que vous pouvez consulter ne répond à cette question. Essayez de la formuler autrement.
nothing-indexed = Aucun document n’a encore été indexé ; une fois que ce sera fait, reposez la question.
extractive-intro = Voici les passages des documents qui s’en rapprochent le plus :
sources = Sources
page = page { NUMBER($page, useGrouping: 0) }
updated = mis à jour le { DATETIME($date, dateStyle: "long") }
restricted = accès restreint

model-unavailable = Le service de rédaction n’est pas disponible pour le moment (référence : { $trace }).
budget-spent = Le budget des réponses rédigées est épuisé pour le moment. Veuillez réessayer plus tard.
interrupted = La réponse s’est interrompue avant la fin. Veuillez reposer la question ; référence : { $trace }
try-again = La réponse ne peut pas être donnée pour le moment. Veuillez réessayer dans un instant ; référence : { $trace }
error = Une erreur s’est produite de notre côté. Si elle se répète, merci d’indiquer cette référence : { $trace }
empty-question = Veuillez écrire une question.
question-too-long = La question est trop longue. Elle ne doit pas dépasser { $limit } caractères.

nearest = Ces documents s’en rapprochent le plus :
answer-missing = Les documents ne le précisent pas : { $what }
note-general = Cette réponse a été rédigée sans les documents.
note-alone = Ici, chaque question est lue séparément. Veuillez formuler les questions de suivi en entier.
note-stale = Ce qui est cité ici a été modifié pour la dernière fois le { DATETIME($date, dateStyle: "long") }. Veuillez vérifier si cela vaut encore.
note-older = Une version plus ancienne dit autre chose ; sa date : { DATETIME($date, dateStyle: "long") }
note-removed = Les affirmations que les sources n’étayent pas ont été omises.
note-groups-unknown = Vos groupes n’ont pas pu être consultés à l’instant ; les documents réservés à certains groupes ont donc été laissés de côté. S’il manque quelque chose, veuillez reposer la question plus tard.
note-history-left-out = Les réponses précédentes n’ont pas été prises en compte, car tous ceux qui lisent ici ne peuvent pas en ouvrir les sources. Veuillez formuler les questions de suivi en entier.
note-unconfirmed = (non confirmé par les sources)
wrong-language = La réponse n’a pas pu être rédigée en français.

web-title = Interroger nos documents
web-welcome = Que souhaitez-vous savoir ?
web-intro = Posez une question sur les documents de l’entreprise ; la réponse cite ses sources.
web-question = Votre question
web-hint = Entrée envoie la question ; Maj et Entrée commencent une nouvelle ligne.
web-no-script = Cette page a besoin de JavaScript ; veuillez l’autoriser dans le navigateur.
web-new = Nouvelle conversation
web-send = Envoyer
web-stop = Arrêter
web-stopped = Arrêté.
web-answer-ready = La réponse :
web-copy = Copier la réponse
web-copied = Copié
web-source = Source { $number } : { $title }
web-sources = { sources }

web-no-connection = La connexion a été perdue. Veuillez vérifier le réseau et réessayer.

web-cancel = Annuler
web-continue = Continuer
web-back = Retour aux questions

web-key = Clé d’accès
web-key-title = L’accès est restreint
web-key-needed = Une clé d’accès est nécessaire ici. Votre administrateur peut vous la fournir.
web-wrong-key = Cette clé d’accès n’est pas valable. Veuillez la vérifier ou en demander une autre à votre administrateur.
web-key-expired = Cette clé d’accès a expiré. Veuillez en demander une nouvelle à votre administrateur.
web-other-site = Cette demande venait d’un autre site web et a été refusée. Veuillez ouvrir la page elle-même.
web-busy = Il y a trop de questions en ce moment. Veuillez réessayer dans quelques instants.
web-too-fast = Trop de requêtes ont été faites avec cette clé d’accès. Veuillez réessayer dans une minute.
web-too-large = La demande est trop volumineuse ; { $limit } ko au plus sont acceptés.
web-unknown-model = Ce modèle n’existe pas ici. Veuillez utiliser celui-ci : { $model }
web-no-document = Ce document n’existe pas ou ne vous est pas accessible.
web-not-found = Cette page n’existe pas.

chat-searching = { $count ->
    [one] Recherche dans { $count } source…
   *[other] Recherche dans { $count } sources…
}
chat-searching-privately = Recherche en cours ; la réponse ne sera visible que par vous.
chat-reading-files = Lecture des fichiers joints…

chat-stop = Arrêter
chat-again = Répondre à nouveau
chat-up = Utile
chat-down = Pas utile
chat-share = Partager dans le canal
chat-fuller = Plus complète, juste pour moi
chat-disclose = Montrer à tous malgré tout
chat-person = Demander à quelqu’un
chat-resolved = Marquer comme résolue
chat-stopped-by = Arrêté par { $name }
chat-shared-by = Partagé par { $name }
chat-resolved-by = Résolu par { $name }

chat-reason-title = Votre avis
chat-reason-label = Que manquait-il ?
chat-send = Envoyer
chat-thanks = Merci de votre avis.
chat-shared = La réponse va être publiée dans le canal.
chat-only-you = Cette réponse n’est visible que par vous.
chat-not-yours = Seuls l’auteur de la question et les responsables peuvent faire cela.
chat-expired = Ce bouton ne fonctionne plus. Veuillez reposer la question.
chat-usage = Veuillez écrire votre question après la commande, sur la même ligne : { $command }

chat-late = Nous regrettons de ne pas avoir pu répondre à temps. Si votre question est toujours d’actualité, veuillez la reposer.
chat-gave-up = La question est restée sans réponse après plusieurs tentatives. Veuillez la reposer plus tard ; référence : { $trace }
chat-needs-model = Les résumés, traductions et brouillons ne sont pas disponibles ici, car aucun modèle de langage n’est configuré.

chat-asks-person = Pourriez-vous aider à répondre à la question ci-dessus ? La demande vient de { $name }
chat-tried = { $count ->
    [one] Jusqu’ici, { $count } source a été consultée et la réponse ci-dessus a été donnée.
   *[other] Jusqu’ici, { $count } sources ont été consultées et la réponse ci-dessus a été donnée.
}
chat-handed-over = La question a été transmise aux responsables ; ils répondront dans ce fil.
chat-no-owner = Personne n’est chargé de reprendre les questions ici. Veuillez vous adresser à un collègue qui connaît le sujet.

chat-from-files = Cette réponse s’appuie sur des fichiers de cette conversation.
chat-from-conversation = Cette réponse a été rédigée à partir de la conversation, et non des documents.
chat-image-declined = Les images ne peuvent pas être lues ici. Veuillez décrire par écrit ce que montre { $name }
chat-file-unreadable = Ce fichier n’a pas pu être lu. Veuillez vérifier qu’il s’ouvre et n’a pas de mot de passe : { $name }
chat-file-too-large = Ce fichier est trop volumineux pour être lu. Veuillez n’envoyer que la partie utile : { $name }

access-offer = Une réponse plus complète peut être rédigée pour vous ; elle ne serait visible que par vous.
access-disclose = Cette réponse s’appuie sur des documents que tout le monde ici ne peut pas ouvrir. Faut-il tout de même la montrer à tous ?
access-may-not = Vous ne pouvez pas faire cela, car vous n’avez pas accès à tout ce sur quoi cette réponse repose.
answer-withdrawn = Cette réponse a été retirée, car un élément sur lequel elle repose ne peut plus être lu ici. Veuillez reposer la question.

quota-spent = { $minutes ->
    [one] Vous avez posé autant de questions qu’il est permis pour le moment. Veuillez réessayer dans { $minutes } minute.
   *[other] Vous avez posé autant de questions qu’il est permis pour le moment. Veuillez réessayer dans { $minutes } minutes.
}
quota-workspace-spent = { $minutes ->
    [one] Autant de questions qu’il est permis ont été posées ici pour le moment. Veuillez réessayer dans { $minutes } minute.
   *[other] Autant de questions qu’il est permis ont été posées ici pour le moment. Veuillez réessayer dans { $minutes } minutes.
}
quota-tokens-spent = { $minutes ->
    [one] Vos réponses ont consommé autant de ressources de calcul qu’il est permis pour le moment. Veuillez réessayer dans { $minutes } minute.
   *[other] Vos réponses ont consommé autant de ressources de calcul qu’il est permis pour le moment. Veuillez réessayer dans { $minutes } minutes.
}

chat-prompts-title = Que souhaitez-vous savoir ?
chat-prompt-1-title = Congés
chat-prompt-1 = À combien de jours de congé ai-je droit, et comment les demander ?
chat-prompt-2-title = Aide informatique
chat-prompt-2 = Je n’arrive plus à ouvrir ma session sur mon ordinateur. Que dois-je faire ?
chat-prompt-3-title = Frais de déplacement
chat-prompt-3 = Comment me faire rembourser mes frais de déplacement, et dans quel délai ?
