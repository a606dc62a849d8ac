"""The words of the service: one catalogue in Vietnamese and English, and how figures and days are said."""
