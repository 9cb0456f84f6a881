//! No secret remains on the heap after its token is dropped. Linux shows a process its own memory as a file.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use keywright::{AccessRequest, Credential, Issued};

use common::{HOUR, World, admin, block_on};

/// Hides the bytes of a needle, so that it is not found itself.
const MASK: u8 = 0x5A;

/// Half of a secret, hidden.
struct Needle([u8; 16]);

impl Needle {
    /// Hides both halves of a secret, byte by byte and without a copy of it.
    fn halves(secret: &str) -> [Self; 2] {
        let half = |from: usize| Self(std::array::from_fn(|n| secret.as_bytes()[from + n] ^ MASK));
        [half(0), half(16)]
    }

    fn is_in(&self, memory: &[u8]) -> bool {
        memory.windows(16).any(|bytes| bytes.iter().zip(self.0).all(|(a, b)| *a ^ MASK == b))
    }
}

/// Returns the writable memory without a file, apart from the stacks of the two threads of this test.
fn heap() -> Vec<(u64, u64)> {
    let here = 0_u8;
    let here = (&raw const here).addr() as u64;
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux");
    let mut areas = Vec::new();
    for line in maps.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let (begin, end) = words[0].split_once('-').expect("two addresses");
        let address = |hex| u64::from_str_radix(hex, 16).expect("an address");
        let (begin, end) = (address(begin), address(end));
        let is_heap = words.get(5).is_none_or(|name| *name == "[heap]");
        if words[1].starts_with("rw") && is_heap && !(begin..end).contains(&here) {
            areas.push((begin, end));
        }
    }
    areas
}

/// Returns how many of the needles are on the heap.
fn found(needles: &[Needle]) -> usize {
    let memory = File::open("/proc/self/mem").expect("Linux");
    let mut found = vec![false; needles.len()];
    let mut part = vec![0; 64 << 10];
    // The search does not look at its own buffer, where it would find each needle again.
    let own = part.as_ptr().addr() as u64;
    let own_end = own + part.len() as u64;
    let outside = |(begin, end): (u64, u64)| {
        if (begin..end).contains(&own) {
            [(begin, own), (own_end, end)]
        } else {
            [(begin, end), (end, end)]
        }
    };
    for (begin, end) in heap().into_iter().flat_map(outside) {
        let mut at = begin;
        while at < end {
            let len = usize::try_from(end - at).expect("a length").min(part.len());
            if memory.read_exact_at(&mut part[..len], at).is_ok() {
                for (needle, found) in needles.iter().zip(&mut found) {
                    *found |= needle.is_in(&part[..len]);
                }
            }
            // Needles across the border of two parts are found too.
            at += if len == part.len() { len as u64 - 15 } else { len as u64 };
        }
    }
    part.fill(0);
    found.into_iter().filter(|found| *found).count()
}

fn needles(issued: &Issued) -> [Needle; 2] {
    Needle::halves(issued.token.expose_key_secret())
}

#[test]
fn t_l05_dropped_secret_is_not_on_the_heap() {
    let world = World::in_memory();
    let mut hidden = Vec::new();
    for _ in 0..8 {
        let first = block_on(world.key());
        let id = first.key.id;
        hidden.extend(needles(&first));
        block_on(world.verifier.verify(first.token.expose())).expect("it works");
        let second = block_on(world.authority.rotate(&admin(), &id, HOUR)).expect("active");
        hidden.extend(needles(&second));
        let parts = AccessRequest::parts(id.as_str(), second.token.expose_key_secret());
        block_on(world.verifier.verify_request(&parts)).expect("it works");
        block_on(world.verifier.revoke(Credential::Token(first.token.expose()))).expect("its own");
        block_on(world.verifier.verify(second.token.expose())).expect_err("it is revoked");
    }
    block_on(world.verifier.flush()).expect("uses are written");
    assert_eq!(found(&hidden), 0, "of {} halves", hidden.len());
    // The search finds a token that is still there, and a copy in memory that was given back.
    let kept = block_on(world.key());
    assert_eq!(found(&needles(&kept)), 2);
    let needles = needles(&kept);
    drop(vec![kept.token.expose().to_owned(); 64]);
    drop(kept);
    assert!(found(&needles) > 0, "the search misses copies that were freed");
}
