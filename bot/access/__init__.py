"""Who may read what: from the groups of a company to the tokens of an asker and of everybody who reads an answer.

settings → exports, scim → membership → groups → principals → audiences → directory (what the dialogue asks)

    findings     what is wrong with groups, for `bot doctor`
    audit        who did what, and on which documents it bore
    quotas       how much may be asked
    retention    what is too old goes
    erasure      what is kept of a person goes
    recall       a document is taken back, and the answers that rest on it
"""
