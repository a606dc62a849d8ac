"""The fund aggregate: decisions and the state they rest on."""
