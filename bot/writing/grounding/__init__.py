"""Whether what a model writes is supported by the passages that it cites.

lexical    by the numbers, names and words that passages hold; needs no model
detector   by a token-classification model such as LettuceDetect, behind the lexical checks
reading    what statements and passages are compared by
figures    numbers, dates and times as texts of any language write them
numerals   their words: numbers, months, magnitudes
names      names, codes, quotations and commands
negation   whether a sentence says the opposite of another
"""
