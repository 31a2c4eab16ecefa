"""Training: the corpus of speech with motion, the networks' training loops and their evaluation (extra
`[train]`).
"""
