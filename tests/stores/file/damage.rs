//! Truncated, flipped or overwritten files: the store opens unchanged or reports damage, at the
//! latest in a check of the whole file. No dead token works again.

use futures_lite::future::block_on;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::{Lived, Opened, is_accepted, open, open_or_refuse};
use common::{World, amount};

/// Length of redb's header in bytes, where single bits have the largest effect.
const HEADER: usize = 320;
const PAGE: usize = 4_096;

/// The results for many damaged files.
#[derive(Debug, Default)]
struct Tally {
    as_it_was: u32,
    refused: u32,
    wrong: Vec<String>,
}

impl Tally {
    fn open(&mut self, lived: &mut Lived, bytes: &[u8], what: impl FnOnce() -> String) {
        match lived.open_damaged(bytes) {
            Ok(Opened::AsItWas) => self.as_it_was += 1,
            Ok(Opened::Refused) => self.refused += 1,
            Err(wrong) => self.wrong.push(format!("{}: {wrong}", what())),
        }
    }
}

/// A tally that the test has not checked would prove nothing.
impl Drop for Tally {
    fn drop(&mut self) {
        let Self { as_it_was, refused, wrong } = self;
        println!("{as_it_was} opened as they were, {refused} were refused");
        if !std::thread::panicking() {
            let first = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
            assert!(wrong.is_empty(), "{} did neither:\n{first}", wrong.len());
        }
    }
}

#[test]
fn t_f15_truncated_file_is_refused() {
    let mut lived = Lived::new();
    let whole = lived.bytes();
    let even = (0..whole.len()).step_by(512);
    let odd = [1, 8, 9, 10, 63, 65, 319, 321, 4_095, 4_097, whole.len() - 1];
    let mut tally = Tally::default();
    for length in even.chain(odd) {
        let what = || format!("cut off at {length} of {}", whole.len());
        tally.open(&mut lived, &whole[..length], what);
    }
    assert_eq!(tally.as_it_was, 0, "something was cut off from each");
}

#[test]
fn t_f15_extended_file_never_opens_changed() {
    let mut lived = Lived::new();
    let whole = lived.bytes();
    let mut tally = Tally::default();
    for added in [1, 511, 512, PAGE - 1, PAGE, PAGE + 1, 16 * PAGE, 1 << 20, 5 << 20] {
        for byte in [0, 0xFF] {
            let mut longer = whole.clone();
            longer.resize(whole.len() + added, byte);
            tally.open(&mut lived, &longer, || format!("{added} bytes of {byte} were added"));
        }
    }
}

#[test]
fn t_f13_flipped_header_bit_restores_nothing() {
    let mut lived = Lived::new();
    let mut bytes = lived.bytes();
    let mut tally = Tally::default();
    for bit in 0..HEADER * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let what = || format!("bit {} of byte {} was flipped", bit % 8, bit / 8);
        tally.open(&mut lived, &bytes, what);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn t_f13_flipped_data_bit_restores_nothing() {
    let mut random = StdRng::seed_from_u64(common::new_seed());
    let mut lived = Lived::new();
    let mut bytes = lived.bytes();
    let used = used_bytes(&bytes);
    let mut tally = Tally::default();
    for _ in 0..amount("KEYWRIGHT_FLIPS", 2_000) {
        // Most of the file is empty, so nine of ten flips hit bytes in use.
        let place = if random.random_bool(0.9) {
            *used.choose(&mut random).expect("something is written")
        } else {
            random.random_range(HEADER..bytes.len())
        };
        let bit = random.random_range(0..8);
        bytes[place] ^= 1 << bit;
        tally.open(&mut lived, &bytes, || format!("bit {bit} of byte {place} was flipped"));
        bytes[place] ^= 1 << bit;
    }
    assert!(tally.refused > 0, "no flip was detected");
}

#[test]
fn t_f13_overwritten_pages_never_open_changed() {
    let mut random = StdRng::seed_from_u64(common::new_seed());
    let mut lived = Lived::new();
    let whole = lived.bytes();
    let used = used_bytes(&whole);
    let mut tally = Tally::default();
    for _ in 0..amount("KEYWRIGHT_FLIPS", 2_000) / 5 {
        let size = *[1, 8, 64, 512, PAGE].choose(&mut random).expect("a size");
        let mut pick = || {
            let place = *used.choose(&mut random).expect("something is written");
            let begin = place / size * size;
            begin..(begin + size).min(whole.len())
        };
        let (to, from) = (pick(), pick());
        let mut bytes = whole.clone();
        let how = random.random_range(0..3);
        match how {
            0 => bytes[to.clone()].fill(0),
            1 => random.fill(&mut bytes[to.clone()]),
            // A write that reached another place.
            _ => {
                let length = to.len().min(from.len());
                bytes.copy_within(from.start..from.start + length, to.start);
            }
        }
        tally.open(&mut lived, &bytes, || format!("{to:?} was overwritten in way {how}"));
    }
    assert!(tally.refused > 0, "no damage was detected");
}

#[test]
fn t_f14_stale_page_restores_no_revoked_key() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let store = open(&path).expect("a new store");
    let mut world = World::new(store.clone());
    let issued = world.issue("prod-main-app");
    block_on(store.close()).expect("the store closes");
    let before = std::fs::read(&path).expect("the store file");

    let store = open(&path).expect("it opens");
    world.reopen(store.clone());
    block_on(world.authority.revoke(&world.admin, &issued.key.id)).expect("it is revoked");
    block_on(store.close()).expect("the store closes");
    let after = std::fs::read(&path).expect("the store file");

    let mut refused = 0;
    // The first page is excluded: with its old header, the file is the old store.
    for begin in (PAGE..after.len().min(before.len())).step_by(PAGE) {
        let page = begin..begin + PAGE;
        if before[page.clone()] == after[page.clone()] {
            continue;
        }
        let mut mixed = after.clone();
        mixed[page.clone()].copy_from_slice(&before[page]);
        std::fs::write(&path, &mixed).expect("the file is written");
        match open_or_refuse(&path).unwrap_or_else(|wrong| panic!("the page at {begin}: {wrong}")) {
            None => refused += 1,
            Some(store) => {
                world.reopen(store.clone());
                assert!(!is_accepted(&world, issued.token.expose()), "the page at {begin}");
                refused += u32::from(block_on(store.check()).is_err());
                let _ = block_on(store.close());
            }
        }
    }
    assert!(refused > 0, "no old page was detected");
}

/// Returns the offsets of every block of 64 bytes in use, after the header.
fn used_bytes(bytes: &[u8]) -> Vec<usize> {
    let blocks = bytes.chunks(64).enumerate();
    let used = blocks.filter(|(_, block)| block.iter().any(|byte| *byte != 0));
    let places = used.flat_map(|(number, block)| (0..block.len()).map(move |at| number * 64 + at));
    places.filter(|place| *place >= HEADER).collect()
}

#[test]
fn t_f14_crashed_header_bit_restores_nothing() {
    let mut lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    lived.world.reopen(store.clone());
    // The last change is a revoke, which must not be lost.
    let key = lived.world.id("plain");
    block_on(lived.world.authority.revoke(&lived.world.admin, &key)).expect("it is revoked");
    lived.state = lived.world.state();
    let mut bytes = lived.bytes();
    block_on(store.close()).expect("the store closes");
    let mut tally = Tally::default();
    // All bits that define the layout, and one in seven of the two commit slots.
    for bit in (0..HEADER * 8).filter(|bit| *bit < 64 * 8 || bit % 7 == 0) {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let what = || format!("bit {} of byte {} was flipped", bit % 8, bit / 8);
        tally.open(&mut lived, &bytes, what);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn t_f14_damaged_revoked_record_restores_no_key() {
    let mut lived = Lived::new();
    let mut bytes = lived.bytes();
    let revoked = ["revoked", "revoked while retiring", "revoked after the sweep"];
    let mut tally = Tally::default();
    let (mut records, mut cut) = (0, 0);
    for known_as in revoked {
        // Every copy of the record in the file, including those of earlier commits and sweeps.
        let id = format!(r#"{{"key":{{"id":"{}""#, lived.world.id(known_as));
        for begin in places(&bytes, id.as_bytes()) {
            let record = &bytes[begin..];
            let length = record.windows(2).position(|end| end == b"\"}").expect("an end") + 2;
            let is_revoked = record[..length].windows(14).any(|word| word == b"\"revoked_at\":\"");
            records += u32::from(is_revoked);
            // The checksum precedes the record. One bit of each byte is flipped, at a changing
            // position.
            for place in begin - SEAL..begin + length {
                let bit = place % 8;
                bytes[place] ^= 1 << bit;
                tally.open(&mut lived, &bytes, || format!("bit {bit} of byte {place}, {known_as}"));
                bytes[place] ^= 1 << bit;
            }
            for end in [begin - SEAL, begin, begin + length / 2] {
                let what = || format!("cut off before {known_as}, at {end}");
                tally.open(&mut lived, &bytes[..end], what);
                cut += 1;
            }
        }
    }
    println!("{records} records with this status");
    assert!(records > 0, "no record was found");
    assert!(tally.refused > cut, "flips are detected as well as cuts");
}

/// Length of a record's checksum in bytes.
const SEAL: usize = 16;

/// Returns the offsets of these bytes.
fn places(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(wanted.len()).enumerate();
    windows.filter(|(_, window)| *window == wanted).map(|(place, _)| place).collect()
}
