"""What may be sent to be recorded, a file for each file of events."""
