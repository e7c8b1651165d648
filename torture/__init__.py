"""Attacks on the finished house: kills, full disks, crowds, hostile notes, mutations, fuzzing.

Each harness runs small in the tests and whole by `python -m torture`.
"""
