"""How finished files become visible, together with the state that counts them."""
