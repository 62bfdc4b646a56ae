"""A risk model on gold_glm_exposure: how many claims, how much each, and who is above average."""
