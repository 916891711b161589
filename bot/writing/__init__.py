"""What a model writes, on its way to readers: sentence by sentence, and nothing that was shown is taken back.

    draft       the attempts: write, once more, translate; passes on what holds
    checks      one text, unit by unit through what follows
    units       a stream cut into sentences, lines of tables, code
    citations   numbers of real passages, no links of the model's making
    leaks       nothing of the system prompt
    spoken      the language it is written in
    grounding/  whether the passages it cites support it
    standing    what is shown: supported statements, and what introduces them

`interface` holds what they have in common.
"""
