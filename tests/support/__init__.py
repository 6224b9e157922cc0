"""What tests of several rooms share: a real PostgreSQL, a real object store, real servers, and workshops on them."""
