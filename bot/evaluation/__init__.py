"""`bot eval`: sets and runs (`sets`), what is measured (`measures`), who is asked (`rank`), the command (`command`)."""
