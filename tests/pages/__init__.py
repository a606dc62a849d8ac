"""Claims about what people are shown in a browser."""
