//! The layers of the source are its folders. A layer imports only from itself and the layers below.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::Files;
use crate::source::src;

/// The layers from the bottom up. A file imports files of its own layer and of layers below. Files
/// outside of these folders are on top, and so is the guide.
const LAYERS: [&str; 10] = [
    "value",
    "scan",
    "record",
    "observe",
    "decision",
    "store",
    "setup",
    "verifier",
    "authority",
    "http",
];

/// Layers that do not import each other in either direction: a store decides nothing, and the
/// verifier cannot generate keys.
const APART: [[&str; 2]; 2] = [["decision", "store"], ["verifier", "authority"]];

/// Returns the folder of a file, or `None` if the file is on top.
fn layer(path: &str) -> Option<&str> {
    let (folder, _) = path.strip_prefix("src/")?.split_once('/')?;
    Some(folder).filter(|folder| *folder != "guide")
}

/// Returns the height of the file's layer.
fn height(path: &str) -> usize {
    let Some(layer) = layer(path) else { return LAYERS.len() };
    LAYERS.iter().position(|known| *known == layer).expect("every folder is a layer")
}

#[test]
fn every_folder_is_a_layer() {
    let sources = src();
    let folders: BTreeSet<_> = sources.iter().filter_map(|source| layer(&source.path)).collect();
    assert_eq!(folders, BTreeSet::from(LAYERS));
}

#[test]
fn no_import_points_up() {
    let imports = Files::read().imports();
    let up: Vec<_> =
        imports.iter().filter(|((from, to), _)| height(to) > height(from)).map(described).collect();
    assert!(up.is_empty(), "these import a layer above:\n{}", up.join("\n"));
}

#[test]
fn separate_layers_do_not_import_each_other() {
    let imports = Files::read().imports();
    let are_apart = |from: &str, to: &str| {
        let pair = [layer(from).unwrap_or_default(), layer(to).unwrap_or_default()];
        APART.iter().any(|[a, b]| pair == [*a, *b] || pair == [*b, *a])
    };
    let known: Vec<_> =
        imports.iter().filter(|((from, to), _)| are_apart(from, to)).map(described).collect();
    assert!(known.is_empty(), "these layers are apart:\n{}", known.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let imports = Files::read().imports();
    let both = |(from, to): &(String, String)| {
        from < to && imports.contains_key(&(to.clone(), from.clone()))
    };
    let pairs: Vec<_> = imports
        .keys()
        .filter(|pair| both(pair))
        .map(|(from, to)| {
            let back = &imports[&(to.clone(), from.clone())];
            format!("{from} and {to}:\n    {}\n    {back}", imports[&(from.clone(), to.clone())])
        })
        .collect();
    assert!(pairs.is_empty(), "{} pairs import each other:\n{}", pairs.len(), pairs.join("\n"));
}

#[test]
fn store_adapters_do_not_know_each_other() {
    const ADAPTERS: [&str; 4] = ["cached", "file", "memory", "postgres"];
    // The file store keeps its state in memory. PostgreSQL sends hints to the cache.
    const KNOWN: [[&str; 2]; 2] = [["file", "memory"], ["postgres", "cached"]];
    let adapter = |path: &str| {
        let inside = path.strip_prefix("src/store/")?.split(['/', '.']).next()?;
        ADAPTERS.into_iter().find(|adapter| *adapter == inside)
    };
    let mut known: BTreeMap<&String, &String> = BTreeMap::new();
    let imports = Files::read().imports();
    for ((from, to), place) in &imports {
        let (Some(from), Some(into)) = (adapter(from), adapter(to)) else { continue };
        if from != into && !KNOWN.contains(&[from, into]) {
            known.insert(place, to);
        }
    }
    assert!(known.is_empty(), "{known:#?}");
}

fn described(((_, to), place): (&(String, String), &String)) -> String {
    format!("{place}\n    is in {to}")
}
