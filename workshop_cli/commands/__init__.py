"""The commands of `workshop`, one module each: arguments in, exit status out."""
