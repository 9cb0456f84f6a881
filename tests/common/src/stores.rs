//! The stores of the crate, so that one test can run on each of them.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "postgres")]
use std::sync::atomic::{AtomicU32, Ordering};

use futures_lite::future::block_on;
use keywright::store::{KeyStore, MemoryStore};
#[cfg(feature = "file")]
use tempfile::TempDir;

#[cfg(feature = "postgres")]
use crate::database::Server;
use crate::needs::Need;
#[cfg(feature = "postgres")]
use crate::on_tokio::{on_tokio, runtime};
use crate::suite::Ends;
use crate::{TestResult, World};

/// A test that runs in a world.
pub type InWorld = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = TestResult> + 'a>>;

/// A kind of store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreKind {
    Memory,
    #[cfg(feature = "file")]
    File,
    /// A cache in front of a store in memory.
    #[cfg(feature = "postgres")]
    Cached,
    /// A store in a new schema, on the server that all tests of a binary share.
    #[cfg(feature = "postgres")]
    Postgres,
}

/// An open store, which is deleted when this is dropped.
pub struct Opened {
    pub store: Arc<dyn KeyStore>,
    at: At,
}

/// The place where the store keeps its keys.
enum At {
    Memory,
    #[cfg(feature = "file")]
    File {
        store: keywright::store::FileStore,
        folder: TempDir,
    },
    #[cfg(feature = "postgres")]
    Cached {
        refreshing: tokio::task::JoinHandle<()>,
    },
    #[cfg(feature = "postgres")]
    Postgres {
        pool: sqlx::PgPool,
        schema: keywright::store::SchemaName,
    },
}

impl StoreKind {
    pub const ALL: &[Self] = &[
        Self::Memory,
        #[cfg(feature = "file")]
        Self::File,
        #[cfg(feature = "postgres")]
        Self::Cached,
        #[cfg(feature = "postgres")]
        Self::Postgres,
    ];

    /// The stores that work on every machine and in every test.
    pub const WITHOUT_A_SERVER: &[Self] = &[
        Self::Memory,
        #[cfg(feature = "file")]
        Self::File,
    ];

    pub fn needs(self) -> &'static [Need] {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => &[Need::Postgres],
            _ => &[],
        }
    }

    /// Returns whether the store keeps its data when it is closed.
    pub fn is_durable(self) -> bool {
        match self {
            Self::Memory => false,
            #[cfg(feature = "file")]
            Self::File => true,
            #[cfg(feature = "postgres")]
            Self::Cached => false,
            #[cfg(feature = "postgres")]
            Self::Postgres => true,
        }
    }

    /// Opens a new, empty store.
    pub fn open(self) -> Opened {
        match self {
            Self::Memory => Opened { store: Arc::new(MemoryStore::new()), at: At::Memory },
            #[cfg(feature = "file")]
            Self::File => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let store = open_file(&folder);
                Opened { store: Arc::new(store.clone()), at: At::File { store, folder } }
            }
            #[cfg(feature = "postgres")]
            Self::Cached => {
                let store = keywright::store::CachedStore::new(
                    MemoryStore::new(),
                    keywright::store::CacheOptions::new(),
                );
                let store = store.expect("a cache");
                let refreshing = runtime().spawn(store.refresh_task());
                Opened { store: on_tokio(store), at: At::Cached { refreshing } }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let number = COUNT.fetch_add(1, Ordering::Relaxed);
                let schema = keywright::store::SchemaName::new(&format!("store_{number}"));
                let schema = schema.expect("a name");
                let pool = runtime().block_on(Server::shared().pool("postgres", 4));
                let store = open_schema(&pool, &schema);
                Opened { store, at: At::Postgres { pool, schema } }
            }
        }
    }

    /// Runs a test in a world on a new store. Panics if the test fails.
    pub fn try_out(self, test: InWorld) {
        let (_opened, world) = self.world();
        block_on(test(&world)).check();
    }

    /// Creates a world on a new store.
    fn world(self) -> (Opened, World) {
        let opened = self.open();
        let mut world = World::new(Arc::clone(&opened.store));
        world.file = opened.file();
        (opened, world)
    }
}

/// Runs a test on a store in memory, then on one in a file.
#[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
pub fn on_each_store(test: impl AsyncFn(&World) -> TestResult) {
    for kind in StoreKind::WITHOUT_A_SERVER {
        // A failing test shows its output, and so the kind of store.
        println!("{kind}");
        let (_opened, world) = kind.world();
        block_on(test(&world)).check();
    }
}

/// Runs a test a number of times on stores in memory, and a number of times on stores in files.
pub fn in_rounds(in_memory: u32, in_a_file: u32, test: impl Fn(&World)) {
    for (kind, rounds) in StoreKind::WITHOUT_A_SERVER.iter().zip([in_memory, in_a_file]) {
        for round in 0..rounds {
            println!("{kind}, round {round}");
            let (_opened, world) = kind.world();
            test(&world);
        }
    }
}

/// The text with which the names of its tests begin.
impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            #[cfg(feature = "file")]
            Self::File => "file",
            #[cfg(feature = "postgres")]
            Self::Cached => "cached",
            #[cfg(feature = "postgres")]
            Self::Postgres => "postgres",
        })
    }
}

impl Opened {
    /// Returns the path of the store's file, if it has one.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.at {
            #[cfg(feature = "file")]
            At::File { folder, .. } => Some(folder.path().join("keys.db")),
            _ => None,
        }
    }

    /// Closes and reopens a store that keeps its data. Returns whether this store does.
    pub fn reopen(&mut self) -> bool {
        match &mut self.at {
            #[cfg(feature = "file")]
            At::File { store, folder } => {
                block_on(store.close()).expect("the store closes");
                *store = open_file(folder);
                self.store = Arc::new(store.clone());
                true
            }
            #[cfg(feature = "postgres")]
            At::Postgres { pool, schema } => {
                self.store = open_schema(pool, schema);
                true
            }
            _ => false,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        match &self.at {
            At::Memory => {}
            #[cfg(feature = "file")]
            At::File { store, .. } => {
                let closed = block_on(store.close());
                assert!(
                    closed.is_ok() || std::thread::panicking(),
                    "the store does not close: {closed:?}"
                );
            }
            #[cfg(feature = "postgres")]
            At::Cached { refreshing } => refreshing.abort(),
            #[cfg(feature = "postgres")]
            At::Postgres { pool, .. } => runtime().block_on(pool.close()),
        }
    }
}

#[cfg(feature = "file")]
fn open_file(folder: &TempDir) -> keywright::store::FileStore {
    let store = keywright::store::FileStore::open(folder.path().join("keys.db"));
    block_on(store).expect("the store opens")
}

#[cfg(feature = "postgres")]
fn open_schema(pool: &sqlx::PgPool, schema: &keywright::store::SchemaName) -> Arc<dyn KeyStore> {
    let options = keywright::store::PostgresOptions::new().schema(schema.clone());
    on_tokio(runtime().block_on(options.open(pool.clone())).expect("a store"))
}
