"""The network side: fetching, reading pages, and judging what came back."""
