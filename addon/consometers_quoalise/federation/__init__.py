"""What the Consometers add to Quoalise: data needs, permissions, challenges, protected sums."""
