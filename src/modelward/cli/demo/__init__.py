"""The demo: real public data, models trained on them here, and a small server that answers for one of them."""
