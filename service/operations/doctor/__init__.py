"""`microfund doctor`: everything an operator must know, looked at once, and nothing of it changed."""
