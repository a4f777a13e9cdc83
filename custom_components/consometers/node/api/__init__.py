"""The node's HTTP API: requests, and answers that are checked before anything believes them."""
