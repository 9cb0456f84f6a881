//! Many threads at once: races for the same keys, and histories checked against a model.

mod linear;
mod races;
