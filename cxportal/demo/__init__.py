"""The invented bank of `seed_demo`: random in detail, known in outline, the same everywhere."""

from cxportal.demo.seeding import NotEmpty, Seeded, flush, seed

__all__ = ["NotEmpty", "Seeded", "flush", "seed"]
