"""The Markdown side: text to values, and values to text without harm to a byte."""
