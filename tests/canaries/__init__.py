"""Fifty principals, two hundred documents, words that occur nowhere else, and every way by which one could get out.

What it promises: whatever anybody does, whoever reads what the bot says, shows, keeps, logs or counts comes across no
word, title, address or id of a document that they may not read at that moment, and across no number that tells them of
it. What somebody who may read a document discloses on purpose is the one exception, and stands in the audit log.

    words        the canaries, and which of them stand in anything
    library      the documents: twenty ways to be readable, versions, twins, a source that is itself a secret
    company      the people, their groups and channels; the oracle, which takes nothing from the product
    platform     the chat platform of the company
    doors        the product's directory over it, behind an adapter's cache
    writer       a model that copies all that it is given
    house        ledger, index and assistant, and what syncs and operators do to documents
    bot          one process of the bot, and the eyes of all its readers
    day          what people do with it, in few words
    asking       questions, and each part of their answers
    lookout      the checks, counted; the ears for logs and metrics

A check is one thing that came out, held against one of those who may come to read it; `test_counted` says how many were
made. Where less is shown than could be, nothing here fails, but that something is shown to whoever may read it is
counted as well: a bot that says nothing would pass otherwise.
"""
