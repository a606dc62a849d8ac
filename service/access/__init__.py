"""Who asks, and what they may: principals and their tokens, roles, and the places their scope is made of."""
