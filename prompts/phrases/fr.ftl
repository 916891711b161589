language-name = Français
answer-language = Répondez en français.

status-searching = Recherche dans les documents…
status-writing = Rédaction de la réponse…

not-found = Rien dans les documents que vous pouvez consulter ne répond à cette question. Essayez de la formuler autrement.
nothing-indexed = Aucun document n’a encore été indexé ; une fois que ce sera fait, reposez la question.
extractive-intro = Voici les passages des documents qui s’en rapprochent le plus :
uncited = Cette réponse ne cite aucun passage des documents. Veuillez la vérifier avant de vous y fier.
sources = Sources
page = page { NUMBER($page, useGrouping: 0) }
updated = mis à jour le { DATETIME($date, dateStyle: "long") }

model-unavailable = Le service de rédaction n’est pas disponible pour le moment (référence : { $trace }).
interrupted = La réponse s’est interrompue avant la fin. Veuillez reposer la question ; référence : { $trace }
try-again = La réponse ne peut pas être donnée pour le moment. Veuillez réessayer dans un instant ; référence : { $trace }
error = Une erreur s’est produite de notre côté. Si elle se répète, merci d’indiquer cette référence : { $trace }
empty-question = Veuillez écrire une question.
question-too-long = La question est trop longue. Elle ne doit pas dépasser { $limit } caractères.

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
web-other-site = Cette demande venait d’un autre site web et a été refusée. Veuillez ouvrir la page elle-même.
web-busy = Il y a trop de questions en ce moment. Veuillez réessayer dans quelques instants.
web-too-large = La demande est trop volumineuse ; { $limit } ko au plus sont acceptés.
web-unknown-model = Ce modèle n’existe pas ici. Veuillez utiliser celui-ci : { $model }
web-no-document = Ce document n’existe pas ou ne vous est pas accessible.
web-not-found = Cette page n’existe pas.
