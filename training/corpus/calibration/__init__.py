"""Fits the articulatory model's numbers to real mouths whose words are known."""
