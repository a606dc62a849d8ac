"""HTTP as this service speaks it, whatever is asked: strict requests in, problems in words out."""
