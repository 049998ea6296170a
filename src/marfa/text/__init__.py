"""Text to numbers: clean, words, vocab, codec; standard library only, bar the stemmer."""
