"""A series on this disk: journal, staging, manifests, what is published and what never is."""
