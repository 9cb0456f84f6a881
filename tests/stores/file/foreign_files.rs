//! Files that are not stores, or stores of another version, are refused and left unchanged.

use std::fs;
use std::path::Path;

use keywright::store::StoreErrorKind;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redb::{Database, TableDefinition};
use sha2::{Digest, Sha256};

use crate::opening::names_in;
use crate::{Lived, open};

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;
/// Fills a database with the data of another program.
type Maker = fn(&redb::WriteTransaction);

/// The place of the mark of a store.
const MARK: usize = 1_024;
const META: Table = TableDefinition::new("meta");

/// Asserts that opening `path` fails with an error of one of these kinds and leaves the bytes
/// unchanged.
#[track_caller]
fn assert_refused_and_left_alone(path: &Path, kinds: &[StoreErrorKind], what: &str) -> String {
    let before = fs::read(path).expect("the file");
    let error = open(path).expect_err(what);
    assert!(kinds.contains(&error.kind()), "{what}: {error:?}");
    assert!(fs::read(path).expect("the file") == before, "{what}: the file has changed");
    error.to_string()
}

#[test]
fn t_f16_folder_is_refused_as_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = open(folder.path()).expect_err("it is a folder");
    assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    assert!(error.to_string().contains("is a folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn t_f16_path_without_file_is_refused_untouched() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let _listener = UnixListener::bind(at("socket")).expect("a socket");
    symlink("absent", at("dangling")).expect("a link");
    symlink("loop", at("loop")).expect("a link");
    symlink(".", at("folder")).expect("a link");
    fs::write(at("file"), "[keys]").expect("a file");
    symlink("file", at("to a stranger")).expect("a link");
    let before = names_in(folder.path());
    let (unavailable, unsupported) = (StoreErrorKind::Unavailable, StoreErrorKind::Unsupported);
    for (place, kind) in [
        (at("socket"), unsupported),
        (at("dangling"), unavailable),
        (at("loop"), unavailable),
        (at("folder"), unsupported),
        (at("to a stranger"), unsupported),
        (at("file").join("keys.db"), unavailable),
        ("/dev/null".into(), unsupported),
        ("/dev/zero".into(), unsupported),
    ] {
        let error = open(&place).expect_err("that is no store");
        assert_eq!(error.kind(), kind, "{}: {error}", place.display());
        let name = place.file_name().expect("a name").to_string_lossy();
        assert!(error.to_string().contains(&*name), "it names the file: {error}");
    }
    assert_eq!(names_in(folder.path()), before, "no leftovers");
    assert_eq!(fs::read(at("file")).expect("the file"), b"[keys]");
}

#[cfg(unix)]
#[test]
fn read_only_store_is_refused_or_unchanged() {
    use std::os::unix::fs::PermissionsExt;
    let lived = Lived::new();
    let path = lived.path();
    let before = lived.bytes();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("the mode is set");
    match open(&path) {
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            assert!(error.to_string().contains("permission denied"), "{error}");
            assert!(fs::read(&path).expect("the file") == before, "the file has changed");
        }
        // File modes do not restrict every user.
        Ok(store) => {
            let mut world = lived.world;
            world.reopen(store);
            assert!(world.state() == lived.state);
        }
    }
}

#[test]
fn t_f16_foreign_file_is_refused_untouched() {
    let seed = common::new_seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut drawn = vec![0; 2 << 20];
    random.fill(&mut drawn[..]);
    let magic = b"redb\x1A\x0A\xA9\x0D\x0A";
    let files: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("one byte", vec![0]),
        ("one letter", b"r".to_vec()),
        ("a text", b"[keys]\nfirst = 1\n".repeat(40)),
        ("zeros", vec![0; 1 << 20]),
        ("319 random bytes", drawn[..319].to_vec()),
        ("320 random bytes", drawn[..320].to_vec()),
        ("random bytes", drawn.clone()),
        ("an SQLite file", [b"SQLite format 3\0".as_slice(), &drawn[..8_192]].concat()),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    for (what, bytes) in files {
        fs::write(&path, bytes).expect("the file is written");
        let text = assert_refused_and_left_alone(&path, &[StoreErrorKind::Unsupported], what);
        assert!(text.contains("not a keywright store"), "{what}: {text}");
    }
    // A file with the magic bytes of the database and no valid content can be damaged or foreign.
    let kinds = [StoreErrorKind::Unsupported, StoreErrorKind::Corrupt];
    for length in [0, 1, 100, 311, 400, 4_087, 8_192, 1 << 20] {
        for fill in ["zeros", "ones", "random"] {
            let rest = match fill {
                "zeros" => vec![0; length],
                "ones" => vec![0xFF; length],
                _ => drawn[..length].to_vec(),
            };
            fs::write(&path, [magic.as_slice(), &rest].concat()).expect("the file is written");
            let what = format!("the magic and {length} bytes of {fill}");
            assert_refused_and_left_alone(&path, &kinds, &what);
        }
    }
}

#[test]
fn t_f16_foreign_database_is_refused_untouched() {
    const COUNTS: TableDefinition<'static, &'static str, u64> = TableDefinition::new("counts");
    const OTHER_META: TableDefinition<'static, &'static str, &'static str> =
        TableDefinition::new("meta");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let makers: [(&str, Maker); 4] = [
        ("nothing in it", |_| {}),
        ("its own table", |transaction| {
            let mut table = transaction.open_table(COUNTS).expect("a table");
            table.insert("visits", 1).expect("a row");
        }),
        ("a table of the same name and other types", |transaction| {
            let mut table = transaction.open_table(OTHER_META).expect("a table");
            table.insert("format", "1").expect("a row");
        }),
        ("a table of the same name and types without a format", |transaction| {
            let mut table = transaction.open_table(META).expect("a table");
            table.insert(b"version".as_slice(), b"1".as_slice()).expect("a row");
        }),
    ];
    for (what, make) in makers {
        let path = folder.path().join("other.db");
        let database = Database::create(&path).expect("a database");
        let transaction = database.begin_write().expect("a transaction");
        make(&transaction);
        transaction.commit().expect("a commit");
        // The file after a crash of the other program.
        let crashed = folder.path().join("crashed.db");
        fs::copy(&path, &crashed).expect("a copy");
        drop(database);
        let kinds = [StoreErrorKind::Unsupported];
        assert_refused_and_left_alone(&path, &kinds, what);
        assert_refused_and_left_alone(&crashed, &kinds, &format!("{what}, after a crash"));
        fs::remove_file(&path).expect("the file is removed");
    }
}

#[test]
fn t_f16_newer_format_is_refused_with_numbers() {
    let lived = Lived::new();
    let path = lived.path();
    rewrite_mark(&path, "3\n");
    let kinds = [StoreErrorKind::Unsupported];
    let text = assert_refused_and_left_alone(&path, &kinds, "format 3");
    assert!(text.contains("format 3") && text.contains("format 2"), "{text}");

    for number in
        ["two\n", "\n", "+1\n", "01\n", "1 \n", "1.0\n", "-1\n", "2", "2\n2", "2\n\n", "\u{661}\n"]
    {
        rewrite_mark(&path, number);
        let text = assert_refused_and_left_alone(&path, &kinds, number);
        assert!(text.contains("not a keywright store"), "{number:?}: {text}");
    }

    rewrite_mark(&path, "2\n");
    let mut world = lived.world;
    world.reopen(open(&path).expect("the format that it was"));
    assert!(world.state() == lived.state);
}

#[test]
fn t_f16_newer_format_after_crash_is_refused() {
    let lived = Lived::new();
    let path = lived.path();
    rewrite_mark(&path, "3\n");
    let database = common::sealed::database(&path);
    let crashed = lived.folder.path().join("crashed.db");
    fs::copy(&path, &crashed).expect("a copy");
    drop(database);
    let kinds = [StoreErrorKind::Unsupported];
    assert_refused_and_left_alone(&crashed, &kinds, "format 3 after a crash");
}

#[test]
fn record_of_another_format_is_refused() {
    let lived = Lived::new();
    let path = lived.path();
    for (number, kind) in [("3", StoreErrorKind::Unsupported), ("two", StoreErrorKind::Corrupt)] {
        put_format(&common::sealed::database(&path), number.as_bytes());
        assert_eq!(open(&path).expect_err("another format").kind(), kind, "{number}");
    }
}

/// Replaces the number of the format in the mark of a store, and what is behind it.
fn rewrite_mark(path: &Path, number: &str) {
    let mut bytes = fs::read(path).expect("the file");
    let text = format!("keywright store, format {number}");
    bytes[MARK..MARK + 32].fill(0);
    bytes[MARK..MARK + text.len()].copy_from_slice(text.as_bytes());
    fs::write(path, bytes).expect("the file is written");
}

fn put_format(database: &Database, format: &[u8]) {
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_two_phase_commit(true);
    {
        let mut table = transaction.open_table(META).expect("the table");
        let stored = with_checksum("meta", b"format", format);
        table.insert(b"format".as_slice(), stored.as_slice()).expect("a row");
    }
    transaction.commit().expect("a commit");
}

/// Prepends the checksum of a value: the first 16 bytes of SHA-256 over table, key and value, each
/// preceded by its length.
fn with_checksum(table: &str, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [table.as_bytes(), key, value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    [&hash[..16], value].concat()
}
