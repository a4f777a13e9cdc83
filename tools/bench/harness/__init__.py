"""What benchmarks share: homes and members, databases, programs, processes and durations."""
