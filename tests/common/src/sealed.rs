//! A store file as redb sees it: by the guide's page on the format, and not with the crate's code.

use std::io::{Error, Result};
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Database, StorageBackend};

const PAGE: u64 = 4_096;
const PAGES_IN_GROUP: u64 = 1_024;

/// Opens a store file with redb.
pub fn database(path: &Path) -> Database {
    let file = std::fs::File::options().read(true).write(true).open(path).expect("the file");
    database_on(FileBackend::new(file).expect("a backend"))
}

/// Opens a store on a backend with redb.
pub fn database_on(backend: impl StorageBackend) -> Database {
    Database::builder().create_with_backend(Sealed(backend)).expect("a database")
}

/// A store file without its pages of checksums.
#[derive(Debug)]
struct Sealed<B>(B);

/// Returns the place of a page in the file, and that of its checksum.
fn places(page: u64) -> (u64, u64) {
    let (group, within) = ((page - 1) / PAGES_IN_GROUP, (page - 1) % PAGES_IN_GROUP);
    let sums = (1 + group * (PAGES_IN_GROUP + 1)) * PAGE;
    (sums + (1 + within) * PAGE, sums + within * 4)
}

/// Returns the checksum of a page.
fn checksum(page: u64, bytes: &[u8]) -> [u8; 4] {
    crc32(page.to_be_bytes().iter().chain(bytes)).to_be_bytes()
}

/// Returns the CRC-32 of IEEE 802.3, half a byte at a time.
fn crc32<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    let table: [u32; 16] = std::array::from_fn(|half| {
        let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
        (0..4).fold(u32::try_from(half).expect("a small number"), step)
    });
    !bytes.fold(!0_u32, |sum, byte| {
        let half = |sum: u32| sum >> 4 ^ table[(sum & 15) as usize];
        half(half(sum ^ u32::from(*byte)))
    })
}

impl<B: StorageBackend> StorageBackend for Sealed<B> {
    fn len(&self) -> Result<u64> {
        let pages = self.0.len()? / PAGE;
        let groups = pages.saturating_sub(1).div_ceil(PAGES_IN_GROUP + 1);
        Ok((pages - groups) * PAGE)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if offset < PAGE {
            return self.0.read(offset, out);
        }
        for (page, out) in (offset / PAGE..).zip(out.chunks_mut(4_096)) {
            let ((at, sum), mut stored) = (places(page), [0; 4]);
            self.0.read(at, out)?;
            self.0.read(sum, &mut stored)?;
            if stored != checksum(page, out) {
                return Err(Error::other(format!("the checksum of page {page} does not match")));
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let pages = len / PAGE;
        self.0.set_len((pages + pages.saturating_sub(1).div_ceil(PAGES_IN_GROUP)) * PAGE)
    }

    fn sync_data(&self) -> Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        if offset < PAGE {
            return self.0.write(offset, data);
        }
        for (page, data) in (offset / PAGE..).zip(data.chunks(4_096)) {
            let (at, sum) = places(page);
            self.0.write(at, data)?;
            self.0.write(sum, &checksum(page, data))?;
        }
        Ok(())
    }

    fn close(&self) -> Result<()> {
        self.0.close()
    }
}
