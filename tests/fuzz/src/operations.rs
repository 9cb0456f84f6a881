//! Any bytes as a history: they choose operations, whose answers must be those of the reference model.

use std::convert::Infallible;

use common::stores::StoreKind;
use rand::TryRng;

use crate::compare::Pair;

/// The most operations of one history.
const MOST: usize = 200;

/// A random source that draws the given bytes, and then zeros.
struct Bytes<'d>(&'d [u8]);

impl Bytes<'_> {
    fn draw(&mut self, out: &mut [u8]) {
        let (drawn, rest) = self.0.split_at(self.0.len().min(out.len()));
        out.fill(0);
        out[..drawn.len()].copy_from_slice(drawn);
        self.0 = rest;
    }
}

impl TryRng for Bytes<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.draw(&mut out);
        // Ranges use the high bits, and one byte chooses most of them.
        Ok(u32::from_be_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.draw(&mut out);
        Ok(u64::from_be_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.draw(out);
        Ok(())
    }
}

/// Performs operations until the bytes end.
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut pair = Pair::on(StoreKind::Memory, 1);
    for number in 0..MOST {
        if bytes.0.is_empty() {
            break;
        }
        pair.step(&mut bytes, &format!("operation {number}"));
    }
    pair.compare_everything("at the end");
}
