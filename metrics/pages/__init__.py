"""How figures are laid out on a page: axes, whiskers, lines; numbers in, coordinates out."""
