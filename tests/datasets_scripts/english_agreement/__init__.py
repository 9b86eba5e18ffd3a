"""english_agreement."""
