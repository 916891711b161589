"""A query and an audience in; numbered passages out, with how well they bear on the query.

retrieve       the walk: rank each leg, fuse, rerank, check access, collapse, surround
attached       files of the conversation, ranked beside the index
versions       near-duplicates and superseded versions of a text
surroundings   neighbours and parents of a passage, within a budget
evidence       what a search tells of whether it found an answer
gate           calibrated: is that enough to answer?
calibrate      learns the gate from labelled questions
"""
