"""What is known of a sentence's structure: heads, how they are numbered and checked, sham trees."""
