"""What a dataset function's reads become: while flows are analysed, and while they run."""
