"""How good predictions are: measures of regression, of two classes and of several, with intervals."""
