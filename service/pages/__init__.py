"""What people are shown in a browser."""
