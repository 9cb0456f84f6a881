//! Dependencies and features, as cargo sees them.

use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::root;

/// The packages that are built on this platform with every feature, as cargo describes them.
static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let version = cargo(&["-vV"]);
    let version = String::from_utf8(version).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    // Without the network, cargo has not loaded the packages of other platforms.
    let metadata = cargo(&[
        "metadata",
        "--offline",
        "--all-features",
        "--format-version=1",
        "--filter-platform",
        host,
    ]);
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
