"""How figures look: palette, panels, numerals, marks, curves over seeds."""
