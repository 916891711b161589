"""What happens on a chat platform, whichever it is: from an event that an adapter reports to what people see.

reception    receive(event): checks a button's signature, keeps the event in the inbox, says what is shown at once
inbox        events kept before they are acknowledged, each once; leased by workers, one at a time in a thread
workers      takes events from the inbox, renews leases, interrupts, tries again after a failure, hands over at the end
addressed    whether a message is for the bot at all; silence is the default
exchange     the walk of one message: its thread, its audience, the answer written where everybody sees it
attachments  files of a conversation, read in the sandbox, for their thread alone
buttons      what can be done about an answer, signed
aftermath    what follows an answer: feedback, sharing, asking a person
replies      which messages of ours answer which question, and what became of them
"""
