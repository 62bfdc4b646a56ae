"""What a pipeline is: datasets, flows, and how they depend on each other."""
