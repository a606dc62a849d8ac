"""Claims about programs: run as people run them, killed, side by side, and compared with others."""
