"""Where people ask: one file (or folder) a platform; each receives the answerer and imports none of its parts."""
