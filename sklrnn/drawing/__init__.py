"""Networks as pictures in SVG: their layers, and what they compute step by step."""
