"""The subcommands of `hf-grok`: a module each, whose `main(words)` returns the exit status."""
