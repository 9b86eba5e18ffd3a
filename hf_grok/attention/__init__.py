"""Everything that touches attention: implementations, their proof, maps of any model's layers."""
