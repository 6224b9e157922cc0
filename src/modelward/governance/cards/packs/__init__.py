"""Control packs: what rules and frameworks ask of a model's documents, as data. See controls.py for how they are judged."""
