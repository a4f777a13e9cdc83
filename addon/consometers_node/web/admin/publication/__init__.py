"""Pages about what is requested and published: data needs, rules, challenges, other collectives."""
