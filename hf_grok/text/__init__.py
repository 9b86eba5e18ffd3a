"""What strangers wrote, read and printed safely: JSON, YAML, text, tokens and passwords masked."""
