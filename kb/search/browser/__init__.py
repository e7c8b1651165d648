"""What a browser needs to search by meaning: the model in a few megabytes, and the passages beside it.

The reading side is JavaScript, in `kb/pages/assets/meaning/`. Nothing here writes a file.
"""
