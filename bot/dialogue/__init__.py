"""What happens on a chat platform, whichever it is: from an event that an adapter reports to what people see.

attendance   every platform of a process heard and answered, from the first event to a clean end
reception    receive(event): checks a button's signature, keeps the event in the inbox, says what is shown at once
inbox        events kept before they are acknowledged, each once; leased by workers, one at a time in a thread
workers      takes events from the inbox, renews leases, interrupts, tries again after a failure, hands over at the end
exchange     the walk of one event: what is done about it, and what people are told when it cannot be done
addressed    whether a message is for the bot at all; silence is the default
classifier   asks a chat model where the rules of `addressed` cannot know
question     a message becomes a question: its thread, its files, who asks, who will read the answer
attachments  files of a conversation, read in the sandbox, for their thread alone
writing      the answer written where everybody sees it, once, whatever interrupts it
offering     a fuller answer, offered to an asker who may read more than the others
private      answers for the asker alone: to slash commands, and the fuller ones
sharing      such an answer shown to everybody
withdrawal   answers taken back
aftermath    what follows an answer: feedback, asking a person
buttons      what can be done about an answer, signed
replies      which messages of ours answer which question, and what became of them
readership   who asks and who reads, as reader tokens of this moment; whether they may still be told what was written
chat         what all of these have at hand: platforms, replies, readership, phrases, owners
tables       of inbox and replies, in the database
settings     the sections `channels` and `conversation`
"""
