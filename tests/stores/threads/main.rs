//! Many threads at once: races for the same keys, and histories held against a model.

mod linear;
mod races;
