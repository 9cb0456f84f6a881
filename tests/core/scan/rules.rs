//! The rules for other scanners match every token, and few other texts.

use std::collections::BTreeSet;

use keywright::Prefix;
use keywright::scan::{Scanner, Tool};
use regex::Regex;

use common::{Random, check, render, seed};

use super::token;

fn prefix(text: &str) -> Prefix {
    Prefix::new(text).expect("a prefix")
}

#[test]
fn b11_pattern_matches_every_token() {
    let random = Random::seeded(seed());
    for text in ["a", "key", "acme_live", "abcdefghijklmnopqrstuvwxyz012345"] {
        let pattern = Regex::new(&prefix(text).pattern()).expect("a regular expression");
        for _ in 0..2_000 {
            let token = token(text, &random);
            let line = format!("KEY=\"{token}\";");
            assert_eq!(pattern.find(&line).map(|found| found.as_str()), Some(&*token));
        }
    }
}

#[test]
fn pattern_has_every_possible_checksum() {
    // The smallest and the largest number of 32 bits begin with these symbols.
    let pattern = Regex::new(&format!("^{}$", prefix("acme_live").pattern())).expect("a pattern");
    let body = "0".repeat(48);
    for (check, matches) in [("000000", true), ("4gfFC3", true), ("500000", false)] {
        assert_eq!(pattern.is_match(&format!("acme_live_{body}{check}")), matches, "{check}");
    }
}

#[test]
fn b11_pattern_leaves_look_alikes_alone() {
    let random = Random::seeded(2);
    let whole = token("acme_live", &random);
    let pattern = Regex::new(&prefix("acme_live").pattern()).expect("a pattern");
    let texts = [
        whole.replace("live", "test"),
        whole.to_uppercase(),
        whole[..whole.len() - 1].to_owned(),
        format!("{}-{}", &whole[..30], &whole[31..]),
        format!("acme_live_{}", "X".repeat(54)),
        "acme_live_4fQ2xk9ZrT7bWm1c[redacted]".to_owned(),
        Scanner::new().redact(&whole).into_owned(),
        "let acme_live_keys = acme_live_count + 1;".to_owned(),
    ];
    for text in texts {
        assert!(!pattern.is_match(&text), "{text}");
    }
}

#[test]
fn only_scanner_tells_wrong_checksums() {
    let random = Random::seeded(3);
    let whole = token("acme_live", &random);
    let (covered, sum) = whole.split_at(whole.len() - 6);
    assert_eq!(check(covered), sum);
    let wrong = format!("{covered}000000");
    let pattern = Regex::new(&prefix("acme_live").pattern()).expect("a pattern");
    assert!(pattern.is_match(&wrong));
    assert_eq!(Scanner::new().find(&wrong).count(), 0);
}

#[test]
fn b11_rules_have_pattern_of_each_prefix() {
    let prefixes = ["key", "acme_live", "a1_2_b3"].map(prefix);
    for tool in Tool::ALL {
        let rules = tool.rules(&prefixes);
        assert_eq!(tool.as_str().parse::<Tool>().as_ref(), Ok(tool));
        for prefix in &prefixes {
            assert_eq!(rules.matches(&prefix.pattern()).count(), 1, "{tool}: {rules}");
        }
        assert!(!rules.contains("(?"), "a pattern has no look-around: {rules}");
    }
    assert_eq!(
        "semgrep".parse::<Tool>().map_err(|error| error.to_string()),
        Err("\"semgrep\" is not a scanner with rules".to_owned())
    );
}

#[test]
fn rules_of_gitleaks_have_its_fields() {
    let rules = Tool::Gitleaks.rules(&[prefix("acme_live"), prefix("acme_test")]);
    let blocks: Vec<_> = rules.split("[[rules]]\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    let mut ids = BTreeSet::new();
    for block in blocks {
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.unwrap_or_else(|| panic!("no {name} in {block}"))
        };
        ids.insert(field("id"));
        // Gitleaks looks for a keyword before it tries the regular expression.
        let keyword = field("keywords").trim_matches(['[', ']', '"']);
        let pattern = field("regex").trim_matches('\'');
        assert!(pattern.starts_with(keyword), "{block}");
        let entropy: f64 = field("entropy").parse().expect("a number");
        let random = Random::seeded(4);
        let longest = "a".repeat(32);
        for _ in 0..1_000 {
            let token = render(&longest, &random.symbols(16), &random.symbols(32));
            assert!(bits(&token) > entropy, "{token}");
        }
    }
    assert_eq!(ids.len(), 2);
}

/// Returns the entropy of a text by the frequency of its characters, as scanners count it.
fn bits(text: &str) -> f64 {
    let mut counts = [0_u32; 128];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = f64::from(u32::try_from(text.len()).expect("a short text"));
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length);
    shares.map(|share| -share * share.log2()).sum()
}
