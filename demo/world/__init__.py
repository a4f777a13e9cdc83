"""What Kersabiec has beside the virtual meter's world: batteries, and hours of many buildings."""
