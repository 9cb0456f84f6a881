//! Any bytes as a store file: it opens and can be checked, or is refused with a typed error.

use common::{block_on, silence_panics_in};
use keywright::store::{FileStore, StoreError, StoreErrorKind};

use crate::disk::Disk;

/// Files of the present format, to change at a few places.
const FILES: [&[u8]; 3] = [
    include_bytes!("../../data/golden/v2/empty.db"),
    include_bytes!("../../data/golden/v2/crashed.db"),
    include_bytes!("../../data/golden/v2/lived.db"),
];

/// The longest file that is written over a whole page.
const PAGE: usize = 4_096;

/// The first byte chooses a file. Without one, all bytes are the file. With one, each five bytes change it: a place
/// in three bytes, a way, and a byte.
pub(crate) fn run(data: &[u8]) {
    // The store catches them. libFuzzer would end at them, if they were not silent.
    silence_panics_in(&["/redb-"]);
    let Some((choice, data)) = data.split_first() else { return };
    let Some(file) = FILES.get(usize::from(choice % 4)) else {
        open(data.to_vec(), true);
        return;
    };
    let mut bytes = file.to_vec();
    for change in data.chunks_exact(5) {
        let [a, b, c, way, value] = change else { continue };
        let at = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let at = at % bytes.len();
        match way % 4 {
            0 => bytes[at] = *value,
            1 => bytes[at] ^= 1 << (value % 8),
            2 => {
                let page = at / PAGE * PAGE..bytes.len().min(at / PAGE * PAGE + PAGE);
                bytes[page].fill(*value);
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    let is_cut_off = bytes.len() < file.len();
    open(bytes, is_cut_off);
}

/// Opens and closes a store. The guide says that redb may panic on a file that was cut off, and on no other.
fn open(bytes: Vec<u8>, is_cut_off: bool) {
    let assert_typed = |error: &StoreError| {
        let kind = error.kind();
        let kinds =
            [StoreErrorKind::Corrupt, StoreErrorKind::Unsupported, StoreErrorKind::Unavailable];
        assert!(kinds.contains(&kind), "{error:?}");
        assert!(is_cut_off || !error.to_string().contains("panicked"), "redb panicked: {error}");
    };
    match block_on(FileStore::danger_open_backend(Disk::holding(bytes))) {
        Ok(store) => {
            if let Err(error) = block_on(store.check()) {
                assert_typed(&error);
            }
            if let Err(error) = block_on(store.close()) {
                assert_typed(&error);
            }
        }
        Err(error) => assert_typed(&error),
    }
}
