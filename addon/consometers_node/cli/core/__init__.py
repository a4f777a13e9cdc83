"""What all commands stand on: options, output, errors, languages, paths, the control socket."""
