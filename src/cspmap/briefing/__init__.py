"""What is put before a meeting: one screen a subject, as figures, words, a map, a chart and a table.

A screen holds no markup. The meeting page draws it for a wall, the pack as a slide and as a printed page, so that all
three say the same.
"""
