"""The figures of the books, drawn anew: each function figure_* writes one picture into a folder and returns its path."""
