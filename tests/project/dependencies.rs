//! The page of dependencies agrees with cargo, and no feature for tests is on by default.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::root;
use crate::tables::{named, page, rows};

/// The packages that are built on this platform with every feature, as cargo describes them.
static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let version = cargo(&["-vV"]);
    let version = String::from_utf8(version).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    // Packages of other platforms may not have been downloaded.
    let metadata =
        cargo(&["metadata", "--all-features", "--format-version=1", "--filter-platform", host]);
    serde_json::from_slice(&metadata).expect("JSON")
});

/// Returns the output of cargo.
fn cargo(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Features that only tests of the crate and of stores need.
const FOR_TESTS: [&str; 2] = ["test-backend", "conformance"];

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap_or_else(|| panic!("no list {field}"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text {field} in {value}"))
}

/// Returns the package of this crate.
fn keywright() -> &'static Value {
    let own =
        list(&METADATA, "packages").iter().find(|package| text(package, "name") == "keywright");
    own.expect("the crate")
}

#[test]
fn t_s05_test_features_are_not_default() {
    let features = keywright()["features"].as_object().expect("features");
    assert!(FOR_TESTS.iter().all(|name| features.contains_key(*name)));
    for (feature, enabled) in features {
        if FOR_TESTS.contains(&feature.as_str()) {
            continue;
        }
        let enabled = enabled.as_array().expect("a list").iter().filter_map(Value::as_str);
        let for_tests: Vec<_> = enabled.filter(|name| FOR_TESTS.contains(name)).collect();
        assert_eq!(for_tests, Vec::<&str>::new(), "{feature} turns on a feature for tests");
    }
}

/// The direct dependencies of the crate, apart from those of its tests.
fn direct() -> impl Iterator<Item = &'static Value> {
    list(keywright(), "dependencies").iter().filter(|dependency| dependency["kind"].is_null())
}

/// Returns the dependencies that the default features turn on.
fn by_default() -> BTreeSet<&'static str> {
    let features = &keywright()["features"];
    let (mut on, mut found) = (vec!["default"], BTreeSet::new());
    while let Some(feature) = on.pop() {
        for enabled in list(features, feature).iter().filter_map(Value::as_str) {
            match enabled.strip_prefix("dep:") {
                Some(dependency) => drop(found.insert(dependency)),
                None => on.push(enabled),
            }
        }
    }
    let always = direct().filter(|dependency| dependency["optional"] == false);
    found.extend(always.map(|dependency| text(dependency, "name")));
    found
}

/// Returns each package of the crate's tree with its versions, as `cargo tree` prints them.
fn tree(features: &str) -> BTreeMap<String, BTreeSet<String>> {
    let printed = cargo(&[
        "tree",
        "--package=keywright",
        "--edges=normal,build",
        "--prefix=none",
        "--no-dedupe",
        "--format={p}",
        features,
    ]);
    let mut tree: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(printed).expect("text").lines() {
        let mut words = line.split(' ').map(str::to_owned);
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        tree.entry(name).or_default().insert(version);
    }
    tree.remove("keywright");
    tree
}

/// Returns the package of a name and a version, which may begin with a `v`.
fn package(name: &str, version: &str) -> &'static Value {
    let version = version.trim_start_matches('v');
    let is_it =
        |package: &&Value| text(package, "name") == name && text(package, "version") == version;
    let found = list(&METADATA, "packages").iter().find(is_it);
    found.unwrap_or_else(|| panic!("cargo does not know {name} {version}"))
}

/// Returns the license of a package in the form that the SPDX defines.
fn license(package: &Value) -> String {
    text(package, "license").replace(" / ", " OR ").replace('/', " OR ")
}

/// Returns whether the crate can be used under licenses of the list: each part under one of its own.
fn is_allowed(license: &str, allowed: &BTreeSet<&str>) -> bool {
    license.split(" AND ").all(|part| {
        let part = part.trim_matches(['(', ')']);
        part.split(" OR ").any(|one| allowed.contains(one))
    })
}

#[test]
fn page_lists_exactly_the_direct_dependencies() {
    let page = page("dependencies.md");
    let mut listed = BTreeSet::new();
    let (by_default, tree) = (by_default(), tree("--all-features"));
    for row in rows(&page, "## Direct dependencies") {
        let [name, used, features, default, shown, instead] = row.as_slice() else {
            panic!("six cells: {row:?}")
        };
        let name = named(name)[0];
        assert!(listed.insert(name), "{name} is listed twice");
        assert!(used.len() > 10 && instead.len() > 5, "{name} lacks a reason: {row:?}");
        let expected = if by_default.contains(name) { "yes" } else { "no" };
        assert_eq!(*default, expected, "{name} by default");
        let enabled = format!("dep:{name}");
        let of_feature = |feature: &&String| {
            let features = &keywright()["features"];
            list(features, feature).iter().any(|on| *on == enabled.as_str())
        };
        let all = keywright()["features"].as_object().expect("features");
        let by: BTreeSet<_> = all.keys().filter(of_feature).map(String::as_str).collect();
        assert_eq!(named(features).into_iter().collect::<BTreeSet<_>>(), by, "features of {name}");
        let licenses: BTreeSet<_> =
            tree[name].iter().map(|version| license(package(name, version))).collect();
        assert_eq!(licenses, BTreeSet::from([(*shown).to_owned()]), "the license of {name}");
    }
    let direct: BTreeSet<_> = direct().map(|dependency| text(dependency, "name")).collect();
    assert_eq!(listed, direct);
}

#[test]
fn every_license_is_allowed() {
    let page = page("dependencies.md");
    let allowed = rows(&page, "## Licenses").iter().map(|row| row[0]).collect();
    for (name, versions) in tree("--all-features") {
        for version in versions {
            let license = license(package(&name, &version));
            assert!(is_allowed(&license, &allowed), "{name} {version} is under {license}");
        }
    }
}

#[test]
fn dependencies_come_from_the_registry() {
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    let members: BTreeSet<_> =
        list(&METADATA, "workspace_members").iter().filter_map(Value::as_str).collect();
    for package in list(&METADATA, "packages") {
        if !members.contains(text(package, "id")) {
            assert_eq!(package["source"], registry, "{}", text(package, "name"));
        }
    }
}

#[test]
fn crates_in_two_versions_have_a_reason() {
    let doubled = |features: &str| -> BTreeSet<String> {
        let doubled = tree(features).into_iter().filter(|(_, versions)| versions.len() > 1);
        doubled.map(|(name, _)| name).collect()
    };
    assert_eq!(doubled("--features=default"), BTreeSet::new());
    let page = page("dependencies.md");
    let rows = rows(&page, "## Crates in two versions");
    assert!(rows.iter().all(|row| row[1].len() > 10), "each has a reason");
    let listed: BTreeSet<_> = rows.iter().map(|row| named(row[0])[0].to_owned()).collect();
    let unlisted: Vec<_> = doubled("--all-features").difference(&listed).cloned().collect();
    assert_eq!(unlisted, Vec::<String>::new(), "built in two versions, without a reason");
}

#[test]
fn default_crates_are_few() {
    let page = page("dependencies.md");
    assert!(page.contains("fewer than 60 crates"));
    let tree = tree("--features=default");
    assert!(tree.len() < 60, "{} crates: {:?}", tree.len(), tree.keys());
}

#[test]
fn licenses_are_read_part_by_part() {
    let allowed = BTreeSet::from(["MIT", "ISC"]);
    for license in ["MIT", "MIT OR GPL-3.0", "ISC AND MIT", "(MIT OR GPL-3.0) AND ISC"] {
        assert!(is_allowed(license, &allowed), "{license}");
    }
    for license in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR MPL-2.0) AND MIT", ""] {
        assert!(!is_allowed(license, &allowed), "{license}");
    }
}
