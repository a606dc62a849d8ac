"""Plans and their reports: asked for, frozen, restated, and in the forms that an office files."""
