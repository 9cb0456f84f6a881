//! Store files of earlier versions: this version opens them, sees the same state, and can change
//! them.
//!
//! Each folder beside this file holds the files of one format. Existing files are never changed;
//! `README.md` explains how to write those of a new format.

mod making;

use std::fs;
use std::path::{Path, PathBuf};

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{PepperRing, Timestamp};
use serde_json::{Value, json};

use common::{World, says};

/// A store file, and its expected visible state.
struct Golden {
    database: PathBuf,
    expected: Value,
}

impl Golden {
    fn in_folder(folder: &Path) -> Vec<Self> {
        let mut paths = entries(folder);
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "db"));
        let read = |database: PathBuf| {
            let text =
                fs::read_to_string(database.with_extension("json")).expect("its expected state");
            Self { database, expected: serde_json::from_str(&text).expect("JSON") }
        };
        paths.into_iter().map(read).collect()
    }

    /// Returns all kept files of every format.
    fn kept() -> Vec<Self> {
        let folder = common::root().join("tests/data/golden");
        let folders = entries(&folder).into_iter().filter(|path| path.is_dir());
        folders.flat_map(|folder| Self::in_folder(&folder)).collect()
    }

    /// Runs `work` on a copy.
    fn on_a_copy(&self, work: impl FnOnce(&Path)) {
        let before = fs::read(&self.database).expect("the file");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let copy = folder.path().join("keys.db");
        write_private(&copy, &before);
        work(&copy);
        assert!(fs::read(&self.database).expect("the file") == before, "{self}: it has changed");
    }

    /// Opens a world on the file, with the clock at the time of the file's last change.
    fn world(&self, file: &Path) -> (FileStore, World) {
        let store = block_on(FileStore::open(file))
            .unwrap_or_else(|error| panic!("{self}: it does not open: {error:?}"));
        let mut world = World::bare(store.clone());
        world.rebuild(|builder| builder.peppers(peppers()));
        world.clock.set(self.at());
        (store, world)
    }

    fn at(&self) -> Timestamp {
        self.expected["at"].as_str().expect("a time").parse().expect("a time")
    }

    fn tokens(&self) -> impl Iterator<Item = (&str, &str)> {
        let tokens = self.expected["tokens"].as_object().expect("the tokens");
        tokens.iter().map(|(name, token)| (name.as_str(), token.as_str().expect("a token")))
    }

    #[track_caller]
    fn assert_seen(&self, world: &World) {
        let tokens: Vec<_> = self.tokens().collect();
        let seen = seen(world, &tokens);
        if let Err(place) = holds(&self.expected["seen"], &seen) {
            panic!("{self}: {place}");
        }
    }
}

impl std::fmt::Display for Golden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |path: Option<&Path>| Some(path?.file_name()?.to_string_lossy().into_owned());
        let folder = name(self.database.parent()).unwrap_or_default();
        write!(f, "{folder}/{}", name(Some(&self.database)).unwrap_or_default())
    }
}

/// Returns the peppers of the kept files.
fn peppers() -> PepperRing {
    let ring = PepperRing::none().with(1, [7; 32]).expect("a pepper");
    ring.with(2, [9; 32]).expect("a pepper")
}

/// Returns everything visible of both tenants, and the verification of each token.
fn seen(world: &World, tokens: &[(&str, &str)]) -> Value {
    let said = |(name, token): &(&str, &str)| {
        ((*name).to_owned(), Value::from(says(&world.verifier, token)))
    };
    let said: serde_json::Map<_, _> = tokens.iter().map(said).collect();
    json!({ "globex": world.seen_by(&world.admin), "initech": world.seen_by(&world.other), "verify": said })
}

/// Checks that the visible state contains the expected one, and returns the place of a difference.
/// A later version can show more fields of a record; lists must have the same length.
fn holds(expected: &Value, seen: &Value) -> Result<(), String> {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => {
            expected.iter().try_for_each(|(name, value)| {
                let found = seen.get(name).unwrap_or(&Value::Null);
                holds(value, found).map_err(|place| format!("{name} / {place}"))
            })
        }
        (Value::Array(expected), Value::Array(seen)) if expected.len() == seen.len() => {
            expected.iter().zip(seen).enumerate().try_for_each(|(place, (expected, seen))| {
                holds(expected, seen).map_err(|within| format!("{place} / {within}"))
            })
        }
        _ if expected == seen => Ok(()),
        _ => Err(format!("expected {expected}, seen {seen}")),
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

#[test]
fn t_f16_earlier_version_opens_with_everything() {
    let kept = Golden::kept();
    assert!(kept.len() >= 3, "the files of format 1 exist");
    for golden in kept {
        golden.on_a_copy(|copy| {
            let (store, world) = golden.world(copy);
            golden.assert_seen(&world);
            block_on(store.close()).expect("the store closes");
        });
    }
}

#[test]
fn t_f16_earlier_version_is_unchanged_after_closing() {
    for golden in Golden::kept() {
        golden.on_a_copy(|copy| {
            for _ in 0..2 {
                let (store, world) = golden.world(copy);
                golden.assert_seen(&world);
                block_on(store.close()).expect("the store closes");
            }
        });
    }
}

#[test]
fn t_f16_earlier_version_can_be_used_further() {
    for golden in Golden::kept() {
        golden.on_a_copy(|copy| {
            let (store, world) = golden.world(copy);
            world.change_policy(|policy| {
                policy.settings.api_enabled = Some(true);
                policy.settings.max_keys_per_user = Some(100);
            });
            let issued = world.issue("prod-made-later");
            block_on(world.authority.revoke(&world.admin, &issued.key.id)).expect("it is revoked");
            let kept = world.issue("prod-kept-later");
            block_on(store.close()).expect("the store closes");
            let (store, world) = golden.world(copy);
            assert_eq!(world.says(issued.token.expose()), "revoked", "{golden}");
            assert_eq!(world.says(kept.token.expose()), "current", "{golden}");
            let verdicts = &golden.expected["seen"]["verify"];
            for (name, token) in golden.tokens() {
                assert_eq!(verdicts[name], world.says(token), "{golden}: the token {name}");
            }
            block_on(store.close()).expect("the store closes");
        });
    }
}

#[test]
fn missing_expectation_is_noticed() {
    let seen = json!({ "a": [1, { "b": 2 }], "more": true });
    for expected in [json!({ "a": [1, { "b": 2 }] }), json!({}), seen.clone()] {
        assert_eq!(holds(&expected, &seen), Ok(()));
    }
    for expected in [
        json!({ "a": [1] }),
        json!({ "a": [1, { "b": 3 }] }),
        json!({ "a": [1, { "c": 2 }] }),
        json!({ "less": true }),
    ] {
        assert!(holds(&expected, &seen).is_err(), "{expected}");
    }
}

/// Writes a store file with the permissions that the crate gives it: no access for other users.
fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("the file is written");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("the mode is set");
}
