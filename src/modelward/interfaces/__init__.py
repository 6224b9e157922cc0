"""How the world comes in: REST, pages, and later the AWS API. Each can be taken off; none holds a rule of its own."""
