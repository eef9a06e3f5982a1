//! Synthetic traces in the real formats, with planted archetypes and a truth file, the same for the same seed.
