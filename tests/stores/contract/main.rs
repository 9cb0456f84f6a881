//! The store contract on every store of the crate.

#[path = "../../../examples/custom_store/store.rs"]
mod custom_store;

mod faults;
mod forgetting;
mod numbers;

#[test]
fn example_store_is_short() {
    let store = include_str!("../../../examples/custom_store/store.rs");
    let main = include_str!("../../../examples/custom_store/main.rs");
    let lines = store.lines().chain(main.lines()).map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    assert!(code <= 125, "{code} lines of code");
}

mod custom {
    use super::custom_store::CustomStore;

    keywright::store_conformance!(CustomStore::default);
}

mod memory {
    use keywright::store::MemoryStore;

    keywright::store_conformance!(MemoryStore::new);
}

mod shared {
    use std::sync::Arc;

    use keywright::store::{KeyStore, MemoryStore};

    keywright::store_conformance!(|| -> Arc<dyn KeyStore> { Arc::new(MemoryStore::new()) });
}

mod intercepted {
    use keywright::store::MemoryStore;
    use keywright::store::conformance::{Faults, InterceptedStore};

    keywright::store_conformance!(|| InterceptedStore::new(MemoryStore::new(), Faults::new()));
}

mod file {
    use std::sync::Arc;

    use keywright::store::conformance::{Host, Running, block_on};
    use keywright::store::{FileStore, KeyStore};
    use tempfile::TempDir;

    /// A store on a file that is deleted with the host.
    struct File {
        store: FileStore,
        _folder: TempDir,
    }

    impl File {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let store = FileStore::open(folder.path().join("keys.db"));
            Self { store: block_on(store).expect("a new store"), _folder: folder }
        }
    }

    impl Host for File {
        fn store(&self) -> Arc<dyn KeyStore> {
            Arc::new(self.store.clone())
        }

        fn run(&self, future: Running<'_>) {
            block_on(future);
        }
    }

    keywright::store_conformance!(File::new());
}
