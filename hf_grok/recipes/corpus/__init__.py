"""Any parsed corpus as what a run reads: sources, documents, tokenizer, packed rows on the disk."""
