"""`bot eval`, `bot calibrate` and `bot feedback export`: how good the answers are.

`command` walks over the sets: `sets` writes them (`ingest.questions` reads), `derived` makes some of others, `rank`
puts their documents where they are searched and ranks them, `answers` and `judge` measure answers, `measures` says what
the measures are, `results` keeps them question by question, `report` sums them up with the `intervals` of chance,
`compare` tells two runs apart. `calibration` learns when to refuse, `feedback` exports what people thought of answers.
"""
