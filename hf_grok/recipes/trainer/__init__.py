"""The Trainer that runs recipes, and what makes it fast on a CPU and exact on resume."""
