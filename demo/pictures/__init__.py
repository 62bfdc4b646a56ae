"""A page of pictures of the insurer's business, made of the gold tables."""
