"""Who may do what: people and services, their tokens, their personas, and the permissions these carry."""
