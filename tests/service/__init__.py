"""Claims about the service, over HTTP and in the test's own process."""
