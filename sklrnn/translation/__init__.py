"""SequenceTranslator: an encoder-decoder from one sequence to another."""
