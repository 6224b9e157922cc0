"""Reviews: facts gathered once, judged by pure checks under a policy, decided by a person, bound to digests."""
