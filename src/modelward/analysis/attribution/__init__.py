"""What predictions rest on: Shapley values, importance, partial dependence, and how they move."""
