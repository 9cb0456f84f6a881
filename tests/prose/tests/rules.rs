//! Each rule finds what breaks it, and nothing else. A check that cannot fail holds nothing.

use keywright_test_prose::{File, Group, Project, Rule};

fn project(files: &[(&str, &str)]) -> Project {
    let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: (*text).into() };
    Project::of(files.iter().map(file).collect())
}

/// Returns the lines that break a rule in one file.
fn lines(path: &str, text: &str, rule: Rule) -> Vec<usize> {
    let found = project(&[(path, text)]).violations();
    found.into_iter().filter(|found| found.rule == rule).map(|found| found.line).collect()
}

#[test]
fn clauses_are_found_everywhere() {
    let text = "\
# What it is

Who asks is told. Another sentence. What
is counted is stored.

Who asks? The store does.

| What | Where |
|---|---|
| Whatever is stored | here |

* Whose key it is decides.

```text
What is code is not prose.
```
";
    assert_eq!(lines("README.md", text, Rule::Clause), [3, 3, 10, 12]);
    let text = "//! Whoever asks is told.\n\n// What is counted.\nlet a = \"// What is text.\";\n";
    assert_eq!(lines("src/a.rs", text, Rule::Clause), [1, 3]);
    assert_eq!(lines("scripts/a", "#!/bin/sh\n# What it does is this.\n", Rule::Clause), [2]);
}

#[test]
fn words_are_counted_by_group() {
    let project =
        project(&[("a.md", "Nobody stands here, and it goes on. It went on for ever: `lies`.\n")]);
    let counts = project.counts();
    assert_eq!(counts.words, 13);
    assert_eq!(counts.groups, [0, 1, 3]);
    assert!((counts.rate(Group::Pronoun) - 10_000.0 / 13.0).abs() < 0.1);
    let words = project.violations().into_iter().filter(|found| found.rule == Rule::Word);
    assert_eq!(words.count(), 4);
    assert_eq!(lines("a.md", "It stops to work.\n", Rule::Phrase), [1]);
}

#[test]
fn summaries_must_be_sentences() {
    let table = [
        ("/// The id of a key.\npub struct A;", true),
        ("/// `None` means any network.\npub struct A;", true),
        ("pub struct A;", false),
        ("pub(crate) struct A;", true),
        ("struct A;", true),
        ("/// The id of a key\npub struct A;", false),
        ("/// the id of a key.\npub struct A;", false),
        ("/// The same.\npub struct A;", false),
        ("/// Its own scopes.\npub struct A;", false),
        ("/// Another clock.\npub struct A;", false),
        ("/// An id of a key. It is random.\npub struct A;", false),
        ("/// An id of a key.\n///\n/// It is random.\npub struct A;", true),
        ("/// # Heading\n/// The id of a key.\npub struct A;", false),
        ("/// The id of a key.\npub struct A {\n    pub b: u8,\n}", false),
        ("/// The id of a key.\npub struct A {\n    b: u8,\n}", true),
        (
            "/// A list of keys.\npub struct A {\n    /// The lifetime in seconds. 0 is none.\n    pub b: u8,\n}",
            true,
        ),
        ("/// A list of keys.\npub enum A {\n    B,\n}", false),
        ("/// A list of keys.\npub trait A {\n    fn b();\n}", false),
        ("/// A list of keys.\n#[doc(hidden)]\npub struct A {}", true),
        ("#[cfg(test)]\nmod tests {\n    pub struct A;\n}", true),
    ];
    for (text, is_right) in table {
        let found = lines("src/a.rs", text, Rule::Summary);
        assert_eq!(found.is_empty(), is_right, "{text}\n{found:?}");
    }
}

#[test]
fn items_in_macros_are_found() {
    let text = "\
random_id! {
    /// the id of a key
    KeyId, \"key id\"
}
text_enum! {
    /// A kind of store.
    pub enum Kind {
        /// Kept in memory
        Memory = \"memory\";
    }
}
text_enum! {
    /// A kind of store.
    pub(crate) enum Hidden {
        /// Kept in memory.
        Memory = \"memory\";
    }
}
";
    assert_eq!(lines("src/a.rs", text, Rule::Summary), [2, 8]);
    assert_eq!(lines("src/a.rs", text, Rule::Example), [3, 7]);
}

#[test]
fn private_modules_need_no_examples() {
    let text = |visibility: &str| {
        format!("{visibility}mod sealed {{\n/// Seals a trait.\npub trait Item {{}}\n}}")
    };
    let found = |visibility: &str| lines("src/a.rs", &text(visibility), Rule::Example).len();
    assert_eq!([found("pub "), found("pub(crate) "), found("")], [1, 0, 0]);
}

#[test]
fn functions_must_start_with_verbs() {
    let table = [
        ("Returns the id of the key.", true),
        ("Checks that the key is live.", true),
        ("The id of the key.", false),
        ("Whether the key is live.", false),
        ("Its own id and name.", false),
        ("Keys of the owner.", false),
        ("Uses of the key.", false),
        ("Return the id of the key.", false),
        ("`true` if the key is live.", false),
        ("This returns the id.", false),
    ];
    for (summary, is_right) in table {
        for head in ["pub fn a() {}", "fn a() {}", "trait B {\n    fn c();\n}"] {
            let text = match head.split_once('{') {
                Some((head, rest)) if head.starts_with("trait") => {
                    format!("{head}{{\n/// {summary}{rest}")
                }
                _ => format!("/// {summary}\n{head}\n"),
            };
            let found = lines("src/a.rs", &text, Rule::Verb);
            assert_eq!(found.is_empty(), is_right, "{text}");
        }
    }
}

#[test]
fn examples_must_be_compiled() {
    let example = "/// ```\n/// let key = keywright()?;\n/// ```\n";
    let docs = "/// The id of a key.\n///\n";
    let table = [
        (format!("{docs}{example}pub struct A;"), true),
        (format!("{docs}pub struct A;"), false),
        (format!("{docs}struct A;"), true),
        (format!("{docs}pub trait A {{}}"), false),
        (format!("{docs}{}pub struct A;", example.replacen("```", "```text", 1)), false),
        (format!("{docs}{}pub struct A;", example.replacen("```", "```ignore", 1)), false),
        (format!("{docs}{}pub struct A;", example.replacen("```", "```no_run", 1)), true),
        (format!("impl Policy {{\n{docs}pub fn a() {{}}\n}}"), false),
        (format!("impl Policy {{\n{docs}{example}pub fn a() {{}}\n}}"), true),
        (format!("impl Policy {{\n{docs}pub(crate) fn a() {{}}\n}}"), true),
        (format!("impl Other {{\n{docs}pub fn a() {{}}\n}}"), true),
    ];
    for (text, is_right) in table {
        let found = lines("src/a.rs", &text, Rule::Example);
        assert_eq!(found.is_empty(), is_right, "{text}");
    }
}

#[test]
fn visible_unwraps_are_found() {
    let text = "\
/// The id of a key.
///
/// ```
/// # let key = keywright().unwrap();
/// let id = key.id().unwrap();
/// let id = key.id().expect(\"an id\");
/// let id = key.id().unwrap_err();
/// # }).unwrap();
/// ```
pub struct A;
";
    assert_eq!(lines("src/a.rs", text, Rule::Unwrap), [5, 6]);
    let text = "# A\n\n```rust\nlet id = key.id().unwrap();\n```\n\n```text\na.unwrap()\n```\n";
    assert_eq!(lines("README.md", text, Rule::Unwrap), [4]);
}

#[test]
fn test_names_are_counted_without_ids() {
    let table = [
        ("revoked_key_is_refused", true),
        ("w1_revoked_key_is_refused", true),
        ("t_f01_revoked_key_is_refused", true),
        ("t_f01_one_two_three_four_five_six_seven", true),
        ("one_two_three_four_five_six_seven_eight", false),
        ("revoked_key", false),
        ("w1_revoked_key", false),
    ];
    for (name, is_right) in table {
        for attribute in ["test", "tokio::test", "common::test(each_store)"] {
            let text = format!("mod a {{\n    #[{attribute}]\n    async fn {name}() {{}}\n}}\n");
            let found = lines("tests/a/b.rs", &text, Rule::TestName);
            assert_eq!(found.is_empty(), is_right, "{name}");
        }
    }
    assert!(
        lines("tests/a/b.rs", "fn not_a_test_at_all_and_so_of_any_length() {}", Rule::TestName)
            .is_empty()
    );
    let suite = "rules! {\n    calm keys::one_two: \"A rule.\",\n}\n";
    assert_eq!(lines("src/store/conformance/mod.rs", suite, Rule::TestName), [2]);
    let scenario = "Scenario {\n    name: \"one_two\",\n}\n";
    assert_eq!(lines("tests/schedules/scenarios/mod.rs", scenario, Rule::TestName), [2]);
}

#[test]
fn dead_links_are_found() {
    let readme = "\
# The first key

[here](#the-first-key) [not](#the-second-key) [page](src/guide/web.md#on-axum) [away](https://a.b/c)
[no page](src/guide/none.md) [no heading](src/guide/web.md#on-tonic) [folder](src/guide)
";
    let guide = "\
# On `axum`

[item](crate::Key) [`Key`] [page](crate::guide::web#on-axum) [super](super::web) [mod](mod@web)
[none](crate::guide::none) [heading](crate::guide::web#on-tonic)
[relative](../../README.md#the-first-key)
";
    let project = project(&[("README.md", readme), ("src/guide/web.md", guide)]);
    let found = project.violations().into_iter().filter(|found| found.rule == Rule::Link);
    let found: Vec<(String, usize)> = found.map(|found| (found.path, found.line)).collect();
    let readme = [3, 4, 4].map(|line| ("README.md".to_owned(), line));
    let guide = [4, 4].map(|line| ("src/guide/web.md".to_owned(), line));
    assert_eq!(found, [readme.as_slice(), guide.as_slice()].concat());
}

#[test]
fn error_texts_have_one_form() {
    let table = [
        ("capacity must be at least 1", true),
        ("{0} matches every address; list only your own proxies", true),
        ("PostgreSQL cannot be reached", true),
        ("If-Match is required", true),
        ("Capacity must be at least 1", false),
        ("capacity must be at least 1.", false),
        ("there is no key", false),
        ("{max} possible are 3", false),
        ("a key that stops to work", false),
    ];
    for (error, is_right) in table {
        let text = format!("enum A {{\n    #[error(\"{error}\")]\n    B,\n}}\n");
        let found = lines("src/a.rs", &text, Rule::ErrorText);
        assert_eq!(found.is_empty(), is_right, "{error}");
    }
}
