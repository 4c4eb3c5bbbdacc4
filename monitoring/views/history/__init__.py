"""Pages of calls that were: the journal, the call card, files of both."""
